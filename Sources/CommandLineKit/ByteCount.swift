import ArgumentParser

/// A number of bytes, written as 1000000, 500M or 8G (powers of 1024).
public struct ByteCount: ExpressibleByArgument {
  public let bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  public init?(argument: String) {
    let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    let shift = argument.last.flatMap { units[Character($0.uppercased())] }
    guard let number = Int(shift == nil ? argument[...] : argument.dropLast()), number > 0,
      number <= Int.max >> (shift ?? 0)
    else { return nil }
    bytes = number << (shift ?? 0)
  }

  public var defaultValueDescription: String { bytes % (1 << 30) == 0 ? "\(bytes >> 30)G" : "\(bytes)" }
}
