// Mean and standard deviation per channel, from whole numbers, so that no order of adding up can change them.

/// Sums over pixels of the values of each channel and of their squares.
struct PixelStatistics: Sendable {
  private(set) var sums: [UInt64]
  private(set) var squares: [UInt64]
  private(set) var pixels = 0

  init(channels: Int) {
    sums = Array(repeating: 0, count: channels)
    squares = sums
  }

  /// Adds `count` pixels of as many interleaved values as there are channels.
  mutating func add(_ values: UnsafePointer<UInt8>, pixels count: Int) {
    let channels = sums.count
    for c in 0..<channels {
      // 65,536 squares of bytes fit 32 bits, which are twice as fast as 64.
      var start = 0
      while start < count {
        let end = min(start + 65_536, count)
        var (sum, square): (UInt32, UInt32) = (0, 0)
        for i in start..<end {
          let value = UInt32(values[i &* channels &+ c])
          sum &+= value
          square &+= value &* value
        }
        sums[c] += UInt64(sum)
        squares[c] += UInt64(square)
        start = end
      }
    }
    pixels += count
  }

  mutating func add(_ other: PixelStatistics) {
    for c in sums.indices {
      sums[c] += other.sums[c]
      squares[c] += other.squares[c]
    }
    pixels += other.pixels
  }

  /// Channels all of whose values are equal, and the value of each.
  var flatChannels: [(channel: Int, value: Int)] {
    sums.indices.compactMap { c in
      // Equal values are those whose mean of squares is the square of their mean.
      let (high, low) = sums[c].multipliedFullWidth(by: sums[c])
      let (high2, low2) = squares[c].multipliedFullWidth(by: UInt64(pixels))
      return high == high2 && low == low2 ? (c, Int(sums[c]) / max(1, pixels)) : nil
    }
  }

  /// Of a grey picture as three equal channels.
  var asColour: PixelStatistics {
    var copy = self
    copy.sums = Array(repeating: sums[0], count: 3)
    copy.squares = Array(repeating: squares[0], count: 3)
    return copy
  }

  /// Of values in 0...1.
  var mean: [Double] { sums.map { Double($0) / Double(pixels) / 255 } }

  /// Of values in 0...1, over all pixels (not the sample estimate).
  var deviation: [Double] {
    zip(sums, squares).map { sum, square in
      let mean = Double(sum) / Double(pixels)
      return max(0, Double(square) / Double(pixels) - mean * mean).squareRoot() / 255
    }
  }
}
