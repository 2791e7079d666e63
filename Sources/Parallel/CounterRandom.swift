import Foundation

/// Random numbers that depend on their use and on nothing else: Philox 4×32-10 (Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011), keyed by the seed, counting within (epoch, sample, purpose). No order of
/// calls, no thread and no record size changes what a sample draws.
public struct CounterRandom: Sendable {
  private let key: (UInt32, UInt32)
  private var counter: (UInt32, UInt32, UInt32, UInt32)
  private var block: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  private var used = 4

  /// - Parameters:
  ///   - seed: the run's seed.
  ///   - epoch: which pass over the data; at most 2³² of them, further ones wrap.
  ///   - sample: which sample, up to 2³² of them, further ones wrap.
  ///   - purpose: what the numbers are for (a recipe, the mask, drop path …), so that two uses never share numbers.
  ///     Each has 2³⁴ of them before they repeat.
  public init(seed: UInt64, epoch: Int, sample: Int, purpose: UInt32) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = (0, UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: epoch), purpose)
  }

  /// Philox's ten rounds on one counter.
  public static func philox(
    _ counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = UInt64(0xD251_1F53) &* UInt64(c.0)
      let p1 = UInt64(0xCD9E_8D57) &* UInt64(c.2)
      c = (
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c.3 ^ k.1, UInt32(truncatingIfNeeded: p0)
      )
      k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
    }
    return c
  }

  /// 32 uniform bits.
  public mutating func next32() -> UInt32 {
    if used == 4 {
      block = Self.philox(counter, key: key)
      counter.0 &+= 1
      used = 0
    }
    used += 1
    switch used {
    case 1: return block.0
    case 2: return block.1
    case 3: return block.2
    default: return block.3
    }
  }

  /// Uniform in [0, 1), 53 bits.
  public mutating func uniform() -> Double {
    let high = UInt64(next32())
    let low = UInt64(next32())
    return Double((high << 32 | low) >> 11) * 0x1p-53
  }

  /// Uniform in the range; its upper end is reached only by rounding.
  public mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Uniform in 0 ..< n, without bias (Lemire's rejection). n from 1 to 2³² − 1.
  public mutating func below(_ n: Int) -> Int {
    precondition(n >= 1 && n <= Int(UInt32.max))
    let bound = UInt32(n)
    let threshold = (0 &- bound) % bound
    while true {
      let product = UInt64(next32()) &* UInt64(bound)
      if UInt32(truncatingIfNeeded: product) >= threshold { return Int(product >> 32) }
    }
  }

  /// A standard normal number (Box–Muller, its cosine half).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A uniform permutation of 0 ..< n (Fisher–Yates).
  public mutating func permutation(_ n: Int) -> [Int] {
    var order = Array(0..<n)
    if n > 1 {
      for i in stride(from: n - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
    }
    return order
  }
}
