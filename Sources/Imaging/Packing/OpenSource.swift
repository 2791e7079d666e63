// Which kind of source an operand is: told by what it holds; for text and CIFAR, which have no mark, by the name too.

import Foundation
import TensorStream

/// Opens one operand. Takes the next of `labels` for an IDX file.
func openSource(
  _ path: String, options: SourceOptions, labels: inout ArraySlice<String>
) throws -> any PictureSource {
  var file = try ByteFile(operand: path)
  if file.isFolder {
    if let training = CIFARPictures.trainingFiles(in: path) {
      return try CIFARPictures(
        name: path, paths: training, coarse: options.coarseLabels, classNames: options.classNames)
    }
    return try PictureFolder(path, classNames: options.unlabelled ? nil : options.classNames)
  }
  var named: String? = path == "-" ? nil : path
  if !file.isRegular || lseek(file.descriptor, 0, SEEK_CUR) != 0 {
    file = try SpooledFile.make(name: file.name, folder: options.temporaryFolder, read: file.read)
    named = nil
  }
  if CIFARPictures.kind(path: path, size: file.stamp.size) != nil {
    return try CIFARPictures(name: path, paths: [path], coarse: options.coarseLabels, classNames: options.classNames)
  }
  var head = try file.bytes(at: 0, count: TarMembers.block)
  let isCompressed = head.starts(with: [0x1F, 0x8B])
  if isCompressed {
    file.rewind()
    // Closed before it has given all, which ends it. A damaged beginning is its own error.
    let start = try Gunzip(file)
    head = try [UInt8](unsafeUninitializedCapacity: TarMembers.block) {
      $1 = try start.read(into: $0.baseAddress!, count: $0.count)
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
    return try TarPictures(file, path: nil, classNames: options.classNames, unlabelled: options.unlabelled)
  }
  if program == nil, isIDX(head) || (!options.labels.isEmpty && !TarMembers.isTar(head)) {
    let labels = labels.popFirst()
    return try IDXPictures(
      images: file, labels: options.unlabelled ? nil : labels, classNames: options.classNames)
  }
  if TarMembers.isTar(head) {
    if isCompressed {
      file.rewind()
      file = try SpooledFile.make(name: file.name, folder: options.temporaryFolder, read: Gunzip(file).read)
      named = nil
    } else if let program {
      let reader = try Unpacking.reader(of: file, program: program)
      file = try SpooledFile.make(name: file.name, folder: options.temporaryFolder, read: reader)
      named = nil
    }
    return try TarPictures(file, path: named, classNames: options.classNames, unlabelled: options.unlabelled)
  }
  if let kind = FileKind(head) {
    let outside = program.map { "compressed by \($0), and inside " } ?? ""
    throw Failure(.data, "\(file.name): \(outside)\(kind.description)")
  }
  guard !isCompressed, program == nil, isText(head, path: path) else {
    let start = head.withUnsafeBytes { describeStart($0, count: 4) }
    throw Failure(
      .data, "\(file.name): not a folder, a tar file, an IDX file, a CIFAR batch or a list of pictures: \(start)")
  }
  return try PictureList(
    file, path: path,
    options: PictureList.Options(
      root: options.root, pathColumn: options.pathColumn, labelColumn: options.labelColumn),
    classNames: options.classNames, unlabelled: options.unlabelled)
}

/// Two zero bytes, a type, and a number of dimensions.
private func isIDX(_ head: [UInt8]) -> Bool {
  head.count >= 4 && head[0] == 0 && head[1] == 0 && (0x08...0x0E).contains(head[2]) && head[3] > 0
}

/// No control characters, which no list has.
private func isText(_ head: [UInt8], path: String) -> Bool {
  !head.isEmpty && !head.contains { $0 < 0x09 || (0x0E..<0x20).contains($0) } && head[0] < 0xF5
}
