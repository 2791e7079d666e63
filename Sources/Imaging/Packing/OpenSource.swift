// Which kind of source an operand is. Its bytes tell it; for text and CIFAR, which have no mark, the name helps.

import Foundation
import TensorStream

/// What one operand is.
enum OpenedOperand {
  case source(any PictureSource)
  /// A picture file by its first bytes. Several that follow each other are one source.
  case picture(FilePath)
}

/// Opens one operand. Takes the next of `labels` for an IDX file.
func openOperand(
  _ operand: String, options: SourceOptions, labels: inout ArraySlice<String>
) throws -> OpenedOperand {
  var file = try ByteFile(operand: operand)
  let path = FilePath(operand: operand)
  if file.isFolder {
    if let training = CIFARPictures.trainingFiles(in: operand) {
      return .source(try CIFARPictures(name: operand, paths: training, options: options))
    }
    if let layout = try MaskLayout.source(path, options: options) { return .source(layout) }
    return .source(try PictureFolder(path, options: options))
  }
  var named: FilePath? = operand == "-" ? nil : path
  if !file.isRegular || lseek(file.descriptor, 0, SEEK_CUR) != 0 {
    file = try SpooledFile.make(name: file.name, folder: options.temporaryFolder, read: file.read)
    named = nil
  }
  if CIFARPictures.kind(path: operand, size: file.stamp.size) != nil {
    return .source(try CIFARPictures(name: operand, paths: [operand], options: options))
  }
  var head = try file.bytes(at: 0, count: TarMembers.block)
  if isPicture(head) {
    if let named { return .picture(named) }
    return .source(StreamedPicture(file, operand: path))
  }
  let isCompressed = GzipInput.isGzip(head)
  if isCompressed {
    // A damaged beginning is its own error.
    let start = try GzipInput(file)
    head = try [UInt8](unsafeUninitializedCapacity: TarMembers.block) {
      $1 = try start.read(into: $0.baseAddress!, count: TarMembers.block)
    }
  }
  let program = Unpacking.program(head)
  if let program {
    let start = try Unpacking.reader(of: file, program: program)
    head = try [UInt8](unsafeUninitializedCapacity: TarMembers.block) {
      $1 = try start($0.baseAddress!, TarMembers.block)
    }
  }
  if program == nil, ArchiveMembers.isArchive(head) {
    let members = try ArchiveMembers(file)
    let name = file.name
    file = try SpooledFile.make(name: name, folder: options.temporaryFolder, read: members.read)
    return .source(try TarPictures(file, path: nil, options: options))
  }
  if program == nil, isIDX(head) || (!options.labels.isEmpty && !TarMembers.isTar(head)) {
    let labels = labels.popFirst()
    return .source(
      try IDXPictures(images: file, labels: options.unlabelled ? nil : labels, classNames: options.classNames))
  }
  if TarMembers.isTar(head) {
    if isCompressed {
      file = try SpooledFile.make(name: file.name, folder: options.temporaryFolder, read: GzipInput(file).read)
      named = nil
    } else if let program {
      let reader = try Unpacking.reader(of: file, program: program)
      file = try SpooledFile.make(name: file.name, folder: options.temporaryFolder, read: reader)
      named = nil
    }
    return .source(try TarPictures(file, path: named, options: options))
  }
  if let kind = FileKind(head) {
    let outside = program.map { "compressed by \($0), and inside " } ?? ""
    throw Failure(.data, "\(file.name): \(outside)\(kind.description)")
  }
  guard program == nil, ListText.isText(head) else {
    let start = head.withUnsafeBytes { describeStart($0, count: 4) }
    throw Failure(
      .data,
      "\(file.name): not a folder, a tar file, an IDX file, a CIFAR batch, a picture file or a list of pictures: \(start)"
    )
  }
  return .source(try PictureList(file, path: path, options: options))
}

private func isPicture(_ head: [UInt8]) -> Bool { head.withUnsafeBytes { ImageFile.Format($0) != nil } }

/// Two zero bytes, a type, and a number of dimensions.
private func isIDX(_ head: [UInt8]) -> Bool {
  head.count >= 4 && head[0] == 0 && head[1] == 0 && (0x08...0x0E).contains(head[2]) && head[3] > 0
}
