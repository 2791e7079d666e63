// Rows of any element type as lines of text.

import CommandLineKit
import Foundation
import TensorStream

/// Prints the rows of a range, from tensors that come one after the other.
struct RowPrinter {
  let first: Int
  let last: Int?
  /// Values after which to stop; nil: never.
  let limit: Int?
  /// The next row's number.
  private(set) var row = 0
  private(set) var printed = 0
  /// Whether a row was not printed to its end.
  private(set) var wasCut = false
  private var limitReached = false

  init(first: Int, last: Int?, limit: Int?) {
    self.first = first
    self.last = last
    self.limit = limit
  }

  /// Whether nothing that follows would be printed.
  var isDone: Bool { limitReached || last.map { row > $0 } ?? false }

  /// Passes over rows before the range, to this one.
  mutating func pass(to next: Int) { row = next }

  /// Prints `rows` rows, each a tensor's values at one place of its leading dimension.
  mutating func print(_ tensor: StoredTensor, rows: Int) throws {
    let leading = max(tensor.shape.first ?? 1, 1)
    let width = tensor.count / leading
    try tensor.withUnsafeBytes { bytes in
      for i in 0..<rows where !isDone {
        try line(bytes, tensor.type, from: i * width, count: width)
      }
    }
  }

  /// Prints rows of different lengths, which `offsets` (one more than rows) delimit.
  mutating func print(_ tensor: StoredTensor, between offsets: [Int64]) throws {
    try tensor.withUnsafeBytes { bytes in
      for (start, end) in zip(offsets, offsets.dropFirst()) where !isDone {
        guard start >= 0, end >= start, end <= tensor.count else {
          throw Failure(.data, "image.offsets: \(start) to \(end) is not within image.bytes (\(tensor.count))")
        }
        try line(bytes, tensor.type, from: Int(start), count: Int(end - start))
      }
    }
  }

  private mutating func line(
    _ bytes: UnsafeRawBufferPointer, _ type: ElementType, from start: Int, count: Int
  ) throws {
    guard row >= first else { return row += 1 }
    var shown = count
    if let limit, printed + count > limit {
      limitReached = true
      // A part of a row only where not even the first fits.
      if printed > 0 { return }
      shown = limit
      wasCut = true
    }
    row += 1
    var text = ""
    for i in start..<start + shown {
      if i > start { text += "\t" }
      text += value(bytes, type, i)
    }
    printed += shown
    try StandardOutput.write(text + "\n")
  }

  private func value(_ bytes: UnsafeRawBufferPointer, _ type: ElementType, _ i: Int) -> String {
    func load<T: BitwiseCopyable>(_: T.Type) -> T {
      bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<T>.size, as: T.self)
    }
    switch type {
    case .bool, .u8: return load(UInt8.self).description
    case .i8: return load(Int8.self).description
    case .u16: return load(UInt16.self).description
    case .i16: return load(Int16.self).description
    case .u32: return load(UInt32.self).description
    case .i32: return load(Int32.self).description
    case .u64: return load(UInt64.self).description
    case .i64: return load(Int64.self).description
    case .f16: return load(Float16.self).description
    case .bf16: return Float(bitPattern: UInt32(load(UInt16.self)) << 16).description
    case .f32: return load(Float.self).description
    case .f64: return load(Double.self).description
    }
  }
}
