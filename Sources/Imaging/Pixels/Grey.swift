// One channel of three.

extension Pixels {
  /// Red, green and blue as one grey channel, in the memory that they are in: Pillow's `convert("L")`, so a grey picture's three equal
  /// channels become the one that they came from.
  ///
  /// Precondition: rows follow each other without a gap.
  func greyInPlace() -> Pixels {
    if channels == 1 { return self }
    precondition(stride == rowBytes)
    for i in 0..<height &* width {
      let (r, g, b) = (Int(base[3 &* i]), Int(base[3 &* i &+ 1]), Int(base[3 &* i &+ 2]))
      base[i] = UInt8(truncatingIfNeeded: (19_595 &* r &+ 38_470 &* g &+ 7_471 &* b &+ 32_768) >> 16)
    }
    return Pixels(base: base, height: height, width: width, channels: 1)
  }
}
