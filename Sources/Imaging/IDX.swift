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
    let file = path == "-" ? try ByteFile(descriptor: 0, name: "standard input", owned: false) : try ByteFile(FilePath(path))
    if file.isFolder { throw Failure(.data, "\(file.name): a folder, where an IDX file was expected") }
    var magic: [UInt8] = [0, 0]
    if pread(file.descriptor, &magic, 2, 0) == 2, magic == [0x1F, 0x8B] {
      let gzip = try Gunzip(file)
      let result: IDX
      do {
        result = try parse(name: file.name, ranks: ranks, size: nil, read: gzip.read)
      } catch let failure as Failure {
        // Where the data ends early, gzip knows best why.
        gzip.cancel()
        try? { () throws in throw failure }()
        throw try reason(for: file, else: failure)
      }
      try gzip.finish()
      return result
    }
    return try parse(name: file.name, ranks: ranks, size: file.isRegular ? Int(file.status.st_size) : nil, read: file.read)
  }
}
