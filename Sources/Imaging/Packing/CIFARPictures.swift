// The binary version of CIFAR-10 and CIFAR-100: records of one or two label bytes and 32 × 32 × 3 pixels, plane by plane.

import Foundation
import TensorStream

/// Pictures of one or more files of CIFAR's binary version.
struct CIFARPictures: PictureSource {
  let name: String
  let count: Int
  let labels: SourceLabels
  let pixelShape: PixelShape? = PixelShape(height: 32, width: 32, channels: 3)
  private let files: [ByteFile]
  /// The number of each file's first picture.
  private let starts: [Int]
  private let labelBytes: Int

  static let pixels = 32 * 32 * 3

  enum Kind {
    case ten
    case hundred

    var recordSize: Int { labelBytes + CIFARPictures.pixels }
    var labelBytes: Int { self == .ten ? 1 : 2 }
    /// Files of names, one a line, that lie beside the pictures.
    func namesFile(coarse: Bool) -> String {
      self == .ten ? "batches.meta.txt" : coarse ? "coarse_label_names.txt" : "fine_label_names.txt"
    }
    func classCount(coarse: Bool) -> Int { self == .ten ? 10 : coarse ? 20 : 100 }
  }

  /// What a file is by its name and size; nil where it is neither.
  static func kind(path: String, size: Int) -> Kind? {
    guard path.hasSuffix(".bin"), size > 0 else { return nil }
    let isTen = size % Kind.ten.recordSize == 0
    let isHundred = size % Kind.hundred.recordSize == 0
    if isTen, isHundred { return path.contains("_batch") ? .ten : .hundred }
    return isTen ? .ten : isHundred ? .hundred : nil
  }

  /// The training files of a folder, as the archive has them: `data_batch_1.bin` … or `train.bin`; nil where it has neither.
  static func trainingFiles(in folder: String) -> [String]? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let batches = names.filter { $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }.sorted()
    if !batches.isEmpty { return batches.map { "\(folder)/\($0)" } }
    if names.contains("train.bin"), names.contains("fine_label_names.txt") { return ["\(folder)/train.bin"] }
    return nil
  }

  /// - Parameters:
  ///   - paths: files of one kind, in order.
  ///   - coarse: of CIFAR-100, the twenty labels that its first byte says, not the hundred of the second.
  /// - Throws: `Failure(.data)` where a size is not a whole number of records, or a label is too large.
  init(name: String, paths: [String], options: SourceOptions) throws {
    let coarse = options.coarseLabels
    self.name = FilePath(operand: name).description
    files = try paths.map { try ByteFile(FilePath($0)) }
    let kinds = zip(paths, files).map { Self.kind(path: $0, size: $1.stamp.size) }
    guard let first = kinds.first, let kind = first, kinds.allSatisfy({ $0 == kind }) else {
      throw Failure(
        .data,
        "\(self.name): of \(paths.joined(separator: ", ")) each should have a multiple of 3,073 bytes (CIFAR-10) or each of 3,074 "
          + "(CIFAR-100)")
    }
    if coarse, kind == .ten {
      throw Failure(.usage, "\(self.name): --coarse-labels: CIFAR-10 has one label a picture")
    }
    labelBytes = kind.labelBytes
    var (starts, labels): ([Int], [UInt8]) = ([], [])
    for file in files {
      starts.append(labels.count)
      labels += try Self.labels(of: file, kind: kind, coarse: coarse)
    }
    (self.starts, count) = (starts, labels.count)
    let limit = kind.classCount(coarse: coarse)
    if let bad = labels.firstIndex(where: { $0 >= limit }) {
      throw Failure(.data, "\(self.name): picture \(bad) has label \(labels[bad]): expected 0 to \(limit - 1)")
    }
    let beside = parentFolder(of: paths[0])
    let namesFile = (beside.isEmpty ? "." : beside) + "/" + kind.namesFile(coarse: coarse)
    let classes = try options.classNames ?? Self.names(namesFile, count: limit) ?? (0..<limit).map { String($0) }
    if classes.count < limit {
      throw Failure(
        .data, "\(self.name): has \(limit) classes, but \(counted(classes.count, "class name")) were given")
    }
    var own = SourceLabels(.fixed(classes), origin: "the records of \(self.name)")
    own.table = LabelTable(ids: labels.map { Int32($0) })
    self.labels = options.unlabelled ? .none("") : own
  }

  /// Every picture's label, read some thousand pictures at a time.
  private static func labels(of file: ByteFile, kind: Kind, coarse: Bool) throws -> [UInt8] {
    let place = kind == .ten || coarse ? 0 : 1
    let size = kind.recordSize
    var labels: [UInt8] = []
    for start in stride(from: 0, to: file.stamp.size, by: size * 1024) {
      let bytes = try file.bytes(at: start, count: min(size * 1024, file.stamp.size - start))
      for at in stride(from: 0, to: bytes.count, by: size) { labels.append(bytes[at + place]) }
    }
    return labels
  }

  /// The lines of a file of names; nil where there is no such file.
  private static func names(_ path: String, count: Int) throws -> [String]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try ByteFile(FilePath(path))
    let text = try file.bytes(at: 0, count: min(file.stamp.size, 1 << 16))
    let lines = text.split { $0 == 10 || $0 == 13 }.map { printable(Array($0)) }
    guard lines.count == count else {
      throw Failure(.data, "\(file.name): \(counted(lines.count, "class name")), expected \(count)")
    }
    return lines
  }

  private func place(_ index: Int) -> (file: ByteFile, row: Int) {
    let number = starts.lastIndex { $0 <= index }!
    return (files[number], index - starts[number])
  }

  func path(_ index: Int) -> String {
    let (file, row) = place(index)
    return "\(file.name): picture \(row)"
  }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] {
    let (file, row) = place(index)
    let name = isAlone ? (file.name as NSString).lastPathComponent : file.name
    return Array("\(name)/\(row)".utf8)
  }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    let (file, row) = place(index)
    let planes = memory.reserve(2 * Self.pixels)
    let offset = row * (labelBytes + Self.pixels) + labelBytes
    guard try file.read(into: planes, count: Self.pixels, at: offset) == Self.pixels else {
      throw Failure(.io, "\(file.name): ends before picture \(row): changed while being read")
    }
    let target = planes + Self.pixels
    for c in 0..<3 {
      for i in 0..<1024 { target[3 * i + c] = planes[1024 * c + i] }
    }
    return UnsafeRawBufferPointer(start: target, count: Self.pixels)
  }
}
