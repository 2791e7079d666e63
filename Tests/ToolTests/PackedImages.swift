// What a test looks for in an images stream.

import Foundation
import Schemas
import TensorStream
import Testing

/// Every picture of an images stream, and its metadata.
struct PackedImages {
  /// Files, or pixels.
  let pictures: [[UInt8]]
  let labels: [Int32]?
  let metadata: [String: String]
  /// As messages show them; nil where there are none.
  let names: [String]?

  init(_ path: String) throws {
    let reader = try StreamReader(path: path, kinds: ["images"])
    var pictures: [[UInt8]] = []
    var labels: [Int32]?
    var names: [String]?
    while let record = try reader.next() {
      if let pixels = record["pixels"] {
        let values = try pixels.values(of: UInt8.self)
        let size = values.count / pixels.shape[0]
        for row in 0..<pixels.shape[0] { pictures.append(Array(values[(row * size)..<((row + 1) * size)])) }
      } else {
        let all = try #require(record["image.bytes"]).values(of: UInt8.self)
        let offsets = try #require(record["image.offsets"]).values(of: Int64.self).map { Int($0) }
        for (start, end) in zip(offsets, offsets.dropFirst()) { pictures.append(Array(all[start..<end])) }
      }
      if let found = try RowNames(record, what: path) {
        names = (names ?? []) + (0..<found.count).map { found.text($0) }
      }
      if let label = record["label"] { labels = (labels ?? []) + (try label.values(of: Int32.self)) }
    }
    (self.pictures, self.labels, self.names, metadata) = (pictures, labels, names, reader.header.metadata)
  }

  var classes: [String]? {
    get throws { try metadata["classes"].map { try JSONText.decode([String].self, from: $0, what: "classes") } }
  }

  /// Paths and reasons of the pictures that were left out.
  var skipped: [[String: String]] {
    get throws {
      try metadata["skipped"].map { try JSONText.decode([[String: String]].self, from: $0, what: "skipped") } ?? []
    }
  }
}

/// The CRC of gzip and PNG.
func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { crc, byte in
    (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
  }
}
