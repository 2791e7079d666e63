// Pictures of which each has a mask at a known place: the layouts that sets with masks come in.

import TensorStream

/// Pictures and their masks, by their paths below a folder, in the order of the names' bytes or of a list.
struct PairedPictures: PictureSource {
  let name: String
  let labels: SourceLabels
  let pixelShape: PixelShape? = nil
  /// nil where masks are left out.
  let masks: SourceMasks?
  private let root: FilePath
  private let names: NameTable

  var count: Int { names.count }

  /// - Parameters:
  ///   - layout: what messages call it: "ADE20K's layout".
  ///   - pictures: paths below the root.
  ///   - mask: the file of a picture's mask, from the picture's path.
  ///   - table: nil to leave masks out.
  /// - Throws: `Failure(.data)` where there are none.
  init(
    _ root: FilePath, layout: String, pictures: NameTable, table: MaskTable?,
    mask: @escaping @Sendable ([UInt8]) -> FilePath
  ) throws {
    guard pictures.count > 0 else {
      throw Failure(.data, "\(root.description): \(layout), but there are no pictures in it")
    }
    name = root.description
    self.root = root
    names = pictures
    labels = .none("\(root.description) is in \(layout), which has masks, and no label for a picture as a whole")
    masks = table.map { table in
      SourceMasks(table: table, origin: layout) { index, memory in
        let picture = Array(pictures[index])
        let path = mask(picture)
        do {
          return try SourceMasks.file(path, memory)
        } catch let failure as Failure where failure.kind == .noInput {
          throw SourceMasks.missing(root.appending(path: picture).description, path.description)
        }
      }
    }
  }

  func path(_ index: Int) -> String { root.appending(path: Array(names[index])).description }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] {
    isAlone ? Array(names[index]) : root.appending(path: Array(names[index])).bytes
  }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    try ByteFile(root.appending(path: Array(names[index]))).readAll(into: memory, limit: maximumPictureFileSize)
  }
}
