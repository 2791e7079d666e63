import TensorStream

/// What connects the ranks of a run: as fast in both directions, between any two of them at once.
public struct Interconnect: Equatable, Sendable {
  /// Of one direction of a rank's line.
  public let bitsPerSecond: Double
  /// Seconds from one rank to another.
  public let latency: Double

  public init(bitsPerSecond: Double, latency: Double) {
    (self.bitsPerSecond, self.latency) = (bitsPerSecond, latency)
  }

  /// The bits a second of a text: `25Gbit`, `2.5 Gbit/s`, `500mbit`.
  public static func bitsPerSecond(_ text: String) -> Double? {
    var word = text.lowercased().replacing(" ", with: "")
    if word.hasSuffix("/s") { word.removeLast(2) }
    for (unit, factor) in [("gbit", 1e9), ("mbit", 1e6)] where word.hasSuffix(unit) {
      guard let number = Double(word.dropLast(unit.count)), number > 0, (number * factor).isFinite else { return nil }
      return number * factor
    }
    return nil
  }

  /// As people write it.
  public var speed: String {
    let (unit, factor) = bitsPerSecond < 1e9 ? ("Mbit/s", 1e6) : ("Gbit/s", 1e9)
    let number = bitsPerSecond / factor
    return "\(number == number.rounded() ? String(Int(number)) : String(number)) \(unit)"
  }
}
