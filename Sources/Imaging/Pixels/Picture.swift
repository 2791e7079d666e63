// A picture is 8-bit pixels and nothing else. `Picture` owns its pixels and is what callers hold; `Pixels` borrows memory, may be a
// rectangle inside a larger picture, and is what the pixel loops work on.

/// A picture of 8-bit pixels: row by row, channels interleaved.
public struct Picture: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// 1 (grey) or 3 (RGB).
  public let channels: Int
  /// [height, width, channels].
  public var pixels: [UInt8]

  /// Precondition: the sizes are positive, `channels` is 1 or 3, and `pixels` has height × width × channels values.
  public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    precondition(height > 0 && width > 0 && (channels == 1 || channels == 3))
    precondition(pixels.count == height * width * channels)
    self.height = height
    self.width = width
    self.channels = channels
    self.pixels = pixels
  }

  /// Calls `body` with the pixels as borrowed memory that may be written.
  mutating func withPixels<R>(_ body: (Pixels) throws -> R) rethrows -> R {
    let (height, width, channels) = (height, width, channels)
    return try pixels.withUnsafeMutableBufferPointer {
      try body(Pixels(base: $0.baseAddress!, height: height, width: width, channels: channels))
    }
  }
}

/// Borrowed pixels: a rectangle whose rows are `stride` bytes apart.
struct Pixels {
  let base: UnsafeMutablePointer<UInt8>
  let height: Int
  let width: Int
  let channels: Int
  let stride: Int

  init(base: UnsafeMutablePointer<UInt8>, height: Int, width: Int, channels: Int, stride: Int? = nil) {
    self.base = base
    self.height = height
    self.width = width
    self.channels = channels
    self.stride = stride ?? width * channels
  }

  /// Bytes in a row of pixels; the next row may start further on.
  var rowBytes: Int { width * channels }

  /// The number of bytes, where rows follow each other without a gap.
  var count: Int { height * rowBytes }

  func row(_ y: Int) -> UnsafeMutablePointer<UInt8> { base + y * stride }

  /// A rectangle inside this one, sharing its memory.
  func cropped(_ box: CropBox) -> Pixels {
    assert(box.top >= 0 && box.left >= 0 && box.top + box.height <= height && box.left + box.width <= width)
    return Pixels(
      base: base + box.top * stride + box.left * channels, height: box.height, width: box.width, channels: channels,
      stride: stride)
  }
}

/// A rectangle of whole pixels.
public struct CropBox: Sendable, Equatable {
  public var top: Int
  public var left: Int
  public var height: Int
  public var width: Int

  public init(top: Int, left: Int, height: Int, width: Int) {
    self.top = top
    self.left = left
    self.height = height
    self.width = width
  }

  /// The smallest rectangle that holds both.
  func union(_ other: CropBox) -> CropBox {
    let (top, left) = (min(self.top, other.top), min(self.left, other.left))
    return CropBox(
      top: top, left: left, height: max(self.top + height, other.top + other.height) - top,
      width: max(self.left + width, other.left + other.width) - left)
  }
}

/// Memory that grows to the largest size so far and is kept: scratch space for one thread at a time.
final class Scratch<T: BitwiseCopyable> {
  private(set) var base: UnsafeMutablePointer<T>
  private var capacity: Int

  init() {
    capacity = 64
    base = .allocate(capacity: 64)
  }

  deinit { base.deallocate() }

  /// Room for `count` values; what was there before is lost.
  func reserve(_ count: Int) -> UnsafeMutablePointer<T> {
    if count > capacity {
      base.deallocate()
      capacity = max(count, capacity * 2)
      base = .allocate(capacity: capacity)
    }
    return base
  }
}
