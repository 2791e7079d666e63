// Resizing without new values: each pixel becomes the nearest one of the source. What masks need, whose ids must not be mixed.

import Foundation

/// Along one axis, for some output positions the source position that each takes.
enum NearestMap {
  /// Pillow's: the middle of the output pixel says it. Its sums are kept, as they are added up there.
  static func pillow(input: Int, output: Int, range: Range<Int>? = nil) -> [Int32] {
    let scale = Double(input) / Double(output)
    var at = scale * 0.5
    var places: [Int32] = []
    let range = range ?? 0..<output
    places.reserveCapacity(range.count)
    for position in 0..<range.upperBound {
      if position >= range.lowerBound { places.append(Int32(min(input - 1, Int(at)))) }
      at += scale
    }
    return places
  }

  /// OpenCV's: the output pixel's upper left corner says it.
  static func openCV(input: Int, output: Int, range: Range<Int>? = nil) -> [Int32] {
    let scale = 1 / (Double(output) / Double(input))
    return (range ?? 0..<output).map { Int32(min(input - 1, Int((Double($0) * scale).rounded(.down)))) }
  }

  /// The pixels of one channel at these rows and columns, without gaps, at `out`.
  static func take(
    _ source: Pixels, rows: [Int32], columns: [Int32], to out: UnsafeMutablePointer<UInt8>
  ) -> Pixels {
    precondition(source.channels == 1)
    columns.withUnsafeBufferPointer { columns in
      for (y, row) in rows.enumerated() {
        let from = source.row(Int(row))
        let to = out + y * columns.count
        for x in columns.indices { to[x] = from[Int(columns[x])] }
      }
    }
    return Pixels(base: out, height: rows.count, width: columns.count, channels: 1)
  }
}
