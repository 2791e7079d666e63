// Picture files that are operands themselves.

import TensorStream

/// Single picture files, in their order, without labels.
struct PictureFiles: PictureSource {
  let name: String
  let labels: SourceLabels
  let pixelShape: PixelShape? = nil
  private var names = NameTable()

  var count: Int { names.count }

  /// - Parameter options: say whether pictures that belong to another of them, as masks do, are taken too.
  init(_ paths: [FilePath], options: SourceOptions) {
    name = paths.count == 1 ? paths[0].description : counted(paths.count, "picture file")
    var rule = PictureParts(stems: {
      paths.filter { PictureParts.isPicture($0.base) }
        .map { PictureParts.hash(PictureParts.stem($0.base), folder: $0.folder.bytes) }
    })
    var parts: [FilePath] = []
    for path in paths {
      if !options.takesMasks, rule.isPart(path.base, folder: path.folder.bytes) {
        parts.append(path)
      } else {
        names.append(path.bytes)
      }
    }
    let folders = Set(paths.map { $0.folder.bytes })
    var labels = SourceLabels.none(
      folders.count > 1
        ? "picture files have none by themselves; a folder of the \(folders.count) folders that they are in has"
        : "picture files have none by themselves; a list of paths and labels has, or a folder with a sub-folder for each class"
    )
    if let first = parts.first, !options.takesMasksBeside {
      labels.notes = [PictureParts.note(parts.count, first.description)]
    }
    self.labels = labels
  }

  func path(_ index: Int) -> String { printable(names[index]) }

  func file(_ index: Int) -> FilePath? { FilePath(bytes: Array(names[index])) }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] { Array(names[index]) }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    try ByteFile(FilePath(bytes: Array(names[index]))).readAll(into: memory, limit: maximumPictureFileSize)
  }
}
