import Imaging

extension Picture {
  /// All 2^24 colours, 4096 a row.
  static var everyColour: Picture {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 << 24)
    for i in 0..<(1 << 24) {
      for shift in [16, 8, 0] { pixels.append(UInt8(truncatingIfNeeded: i >> shift)) }
    }
    return Picture(height: 4096, width: 4096, channels: 3, pixels: pixels)
  }
}
