import Foundation

/// A profile as text: a row for each kind of operation, one for what none of them covers, and their total.
struct ProfileTable {
  let total: Profile.Entry
  private let rows: [(name: String, entry: Profile.Entry)]
  private let steps: Double
  private let peak: Double

  /// - Parameters:
  ///   - steps: how many there were.
  ///   - seconds: what they took together.
  ///   - peak: the machine's rate, FLOP a second.
  init(_ entries: [(name: String, entry: Profile.Entry)], steps: Int, seconds: Double, peak: Double) {
    var rows = entries
    var rest = Profile.Entry()
    // Two clocks may differ by the time that it takes to read them.
    rest.seconds = max(0, seconds - entries.reduce(0) { $0 + $1.entry.seconds })
    rows.append(("all else", rest))
    var total = Profile.Entry()
    total.seconds = seconds
    for (_, entry) in entries {
      total.calls += entry.calls
      total.flop += entry.flop
      total.bytes += entry.bytes
    }
    rows.append(("total", total))
    self.rows = rows
    self.total = total
    self.steps = Double(steps)
    self.peak = peak
  }

  private static let widths = [8, 10, 7, 10, 10, 9, 8, 7, 9, 10, 9]

  /// Lines without an end after the last.
  var text: String {
    let groups = Self.line("", ["a step:", "", "", "", "", "rate:", "", "", "in total:", "", ""])
    let head = Self.line(
      "operation", ["calls", "ms", "share", "GFLOP", "MB", "GFLOP/s", "of peak", "GB/s", "s", "GFLOP", "GB"])
    return ([groups, head] + rows.map { Self.line($0.name, columns($0.entry)) }).joined(separator: "\n")
  }

  private func columns(_ entry: Profile.Entry) -> [String] {
    let seconds = max(entry.seconds, 1e-9)
    func known(_ amount: Double, _ text: String) -> String { amount > 0 ? text : "-" }
    let (flop, bytes) = (entry.flop, entry.bytes)
    return [
      known(Double(entry.calls), fixed(Double(entry.calls) / steps, 1)), fixed(1e3 * entry.seconds / steps, 3),
      fixed(100 * entry.seconds / max(total.seconds, 1e-9), 1) + "%",
      known(flop, fixed(flop / steps * 1e-9, 3)), known(bytes, fixed(bytes / steps * 1e-6, 2)),
      known(flop, fixed(flop / seconds * 1e-9, 1)), known(flop, fixed(100 * flop / seconds / peak, 0) + "%"),
      known(bytes, fixed(bytes / seconds * 1e-9, 1)),
      fixed(entry.seconds, 3), known(flop, fixed(flop * 1e-9, 2)), known(bytes, fixed(bytes * 1e-9, 3)),
    ]
  }

  private static func line(_ name: String, _ columns: [String]) -> String {
    let cells = zip(columns, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }
    let text = "  " + name.padding(toLength: 24, withPad: " ", startingAt: 0) + cells.joined(separator: " ")
    return text.replacing(#/ +$/#, with: "")
  }
}

/// Four digits at least that count, commas between thousands.
func significant(_ value: Double) -> String {
  fixed(value, value > 0 ? min(max(3 - Int(log10(value).rounded(.down)), 0), 9) : 0)
}

/// Digits after the point, commas between thousands.
func fixed(_ value: Double, _ digits: Int) -> String {
  let plain = String(format: "%.\(digits)f", value)
  let whole = plain.prefix { $0 != "." }
  var grouped = ""
  for (i, digit) in whole.enumerated() {
    if i > 0 && (whole.count - i) % 3 == 0 && whole.first != "-" { grouped += "," }
    grouped.append(digit)
  }
  return grouped + plain.dropFirst(whole.count)
}
