// IDX files for tests.

import Foundation

enum IDXFiles {
  /// An IDX file of bytes.
  static func bytes(_ dimensions: [Int], _ values: [UInt8], type: UInt8 = 8) -> Data {
    var data = Data([0, 0, type, UInt8(dimensions.count)])
    for dimension in dimensions { withUnsafeBytes(of: UInt32(dimension).bigEndian) { data.append(contentsOf: $0) } }
    return data + values
  }

  /// 12 pictures of 2 × 3 pixels, the first all 0, the next all 1, …, and labels 0, 1, 2, 0, 1, 2, …
  static func write(in folder: String) throws {
    let pixels = (0..<12).flatMap { [UInt8](repeating: $0, count: 6) }
    try bytes([12, 2, 3], pixels).write(to: URL(fileURLWithPath: folder + "/images"))
    try bytes([12], (0..<12).map { $0 % 3 }).write(to: URL(fileURLWithPath: folder + "/labels"))
  }
}
