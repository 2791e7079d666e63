// IDX, the format of MNIST and its relatives: a magic number that says the type and the number of dimensions, the dimensions, and
// the values; all big-endian.

import Foundation
import TensorStream

/// An IDX file of unsigned bytes.
public struct IDX: Sendable {
  public let dimensions: [Int]
  public let values: [UInt8]

  /// The largest height and width of a picture.
  static let maximumSide = 65_535

  /// Reads a plain or gzip-compressed file (told by its first bytes); `-` is standard input, plain only.
  ///
  /// Throws `Failure(.noInput)` where it cannot be opened, and `Failure(.data)` where it is not IDX, has other than `ranks`
  /// dimensions, is shorter or longer than its header says, or claims sizes that no data set has. Memory grows with what is read,
  /// not with what is claimed.
  public static func read(path: String, ranks: ClosedRange<Int>) throws -> IDX {
    try read(file: ByteFile(operand: path), ranks: ranks)
  }

  /// The same, of a file that is open.
  static func read(file: ByteFile, ranks: ClosedRange<Int>) throws -> IDX {
    if file.isFolder { throw Failure(.data, "\(file.name): a folder, where an IDX file was expected") }
    var magic: [UInt8] = [0, 0]
    file.rewind()
    if pread(file.descriptor, &magic, 2, 0) == 2, magic == [0x1F, 0x8B] {
      return try parse(name: file.name, ranks: ranks, size: nil, read: GzipInput(file).read)
    }
    return try parse(
      name: file.name, ranks: ranks, size: file.isRegular ? Int(file.status.st_size) : nil, read: file.read)
  }

  /// `size` is the file's, where it is known before reading.
  private static func parse(
    name: String, ranks: ClosedRange<Int>, size: Int?, read: (UnsafeMutableRawPointer, Int) throws -> Int
  ) throws -> IDX {
    var magic = [UInt8](repeating: 0, count: 4)
    let got = try magic.withUnsafeMutableBytes { try read($0.baseAddress!, 4) }
    guard got == 4, magic[0] == 0, magic[1] == 0, magic[3] > 0 else {
      let start = magic[..<got].withUnsafeBytes { describeStart(UnsafeRawBufferPointer(rebasing: $0[...]), count: 4) }
      throw Failure(.data, "\(name): not an IDX file: \(start)")
    }
    guard magic[2] == 0x08 else {
      throw Failure(.data, "\(name): IDX of type \(hex(magic[2])): only unsigned bytes (08) are known")
    }
    let rank = Int(magic[3])
    guard ranks.contains(rank) else {
      let wanted = ranks.count == 1 ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
      throw Failure(.data, "\(name): IDX of \(rank) dimension\(rank == 1 ? "" : "s"), expected \(wanted)")
    }
    var header = [UInt8](repeating: 0, count: 4 * rank)
    guard try header.withUnsafeMutableBytes({ try read($0.baseAddress!, 4 * rank) }) == 4 * rank else {
      throw Failure(.data, "\(name): ends inside its header")
    }
    let dimensions = (0..<rank).map { i in header[(4 * i)..<(4 * i + 4)].reduce(0) { $0 << 8 | Int($1) } }
    let shape = dimensions.map { String($0) }.joined(separator: " x ")
    guard !dimensions.contains(0) else {
      throw Failure(.data, "\(name): an IDX file of \(shape): there is nothing in it")
    }
    var count = 1
    for dimension in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      // More than any disk holds; no sum of sizes overflows below it.
      guard !overflow, product < 1 << 56 else { throw Failure(.data, "\(name): claims the absurd size \(shape)") }
      count = product
    }
    let expected = 4 + 4 * rank + count
    if let size, size != expected {
      throw Failure(.data, "\(name): \(size) bytes, where a header of \(shape) makes \(expected)")
    }
    return IDX(dimensions: dimensions, values: try readValues(count, name: name, shape: shape, read: read))
  }

  private static func readValues(
    _ count: Int, name: String, shape: String, read: (UnsafeMutableRawPointer, Int) throws -> Int
  ) throws -> [UInt8] {
    var values: [UInt8] = []
    let step = 1 << 22
    while values.count < count {
      let wanted = min(step, count - values.count)
      let part = try [UInt8](unsafeUninitializedCapacity: wanted) { $1 = try read($0.baseAddress!, wanted) }
      values += part
      if part.count < wanted {
        throw Failure(
          .data, "\(name): ends after \(values.count) of the \(count) values that its header (\(shape)) promises")
      }
    }
    var extra: UInt8 = 0
    if try read(&extra, 1) != 0 {
      throw Failure(.data, "\(name): goes on after the \(count) values that its header (\(shape)) promises")
    }
    return values
  }
}
