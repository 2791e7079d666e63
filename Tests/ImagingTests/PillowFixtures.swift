import Foundation
import Imaging
import TensorStream

/// What Pillow made of some pictures: Fixtures/make.py says how.
struct PillowFixtures: Sendable {
  struct Case: Decodable, Sendable, CustomStringConvertible {
    let operation: String
    let source: String
    let result: String
    var box: [Int]?
    var size: [Int]?
    var filter: String?
    var value: Float?
    var order: [Int]?
    var factors: [Float]?
    var flip: Bool?
    var grey: Bool?
    var solarise: Bool?

    var description: String { "\(operation) of \(source), case \(result)" }
    var crop: CropBox? { box.map { CropBox(top: $0[0], left: $0[1], height: $0[2], width: $0[3]) } }
  }

  struct Checksum: Decodable, Sendable {
    let operation: String
    let value: Float
    let crc32: UInt32
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
  static let pictures = folder.appendingPathComponent("pictures").path

  let record: Record
  let cases: [Case]
  let everyColour: [Checksum]

  init() throws {
    record = try readTensors(path: Self.folder.appendingPathComponent("pillow.safetensors").path)
    cases = try JSONText.decode([Case].self, from: record.metadata["cases"] ?? "", what: "cases")
    everyColour = try JSONText.decode(
      [Checksum].self, from: record.metadata["every_colour"] ?? "", what: "every_colour")
  }

  func cases(_ operation: String) -> [Case] { cases.filter { $0.operation == operation } }

  func picture(_ name: String) throws -> Picture {
    guard let tensor = record[name] else { throw Failure(.data, "no fixture named \(name)") }
    return Picture(
      height: tensor.shape[0], width: tensor.shape[1], channels: tensor.shape[2],
      pixels: try tensor.values(of: UInt8.self))
  }

  func file(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.pictures).appendingPathComponent(name)))
  }
}

/// "3 of 2352 values differ, by at most 1"; nil where all are equal.
func difference(_ a: Picture, _ b: Picture) -> String? {
  if a == b { return nil }
  if a.pixels.count != b.pixels.count {
    return "\(a.height) x \(a.width) x \(a.channels), \(b.height) x \(b.width) x \(b.channels)"
  }
  let distances = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
  return "\(distances.count { $0 > 0 }) of \(distances.count) values differ, by at most \(distances.max() ?? 0)"
}

/// The checksum of zlib and PNG.
func crc32(_ bytes: [UInt8]) -> UInt32 {
  let table = (0..<256).map { (byte: Int) -> UInt32 in
    var value = UInt32(byte)
    for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    return value
  }
  var sum = ~UInt32(0)
  for byte in bytes { sum = table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8) }
  return ~sum
}
