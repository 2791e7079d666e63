// --mean and --std: a number for each channel.

import ArgumentParser

/// Numbers with commas between them: one for all channels, or one for each.
struct ChannelValues: ExpressibleByArgument {
  let values: [Double]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double($0.trimmingPrefix(while: \.isWhitespace)) }
    guard values.count == parts.count, values.allSatisfy(\.isFinite) else { return nil }
    self.values = values
  }

  /// Throws for another number of values, or values that no pixels have.
  func check(_ name: String, channels: Int) throws {
    guard values.count == 1 || values.count == channels else {
      throw ValidationError(
        "\(name) has \(values.count) numbers: expected one, or one for each of \(channels) channels")
    }
    for value in values where !(value <= 1 && (name == "--std" ? value > 0 : value >= 0)) {
      throw ValidationError(
        "\(name) has \(value): expected \(name == "--std" ? "more than 0" : "at least 0") and at most 1: pixels count from 0 to 1"
      )
    }
  }

  func of(channels: Int) -> [Double] { values.count == 1 ? Array(repeating: values[0], count: channels) : values }
}
