import Foundation

/// A profile as text: a row for each kind of operation, one for what none of them covers, and their total.
struct ProfileTable {
  private let rows: [StepProfile.Part]
  private let seconds: Double
  private let steps: Double
  private let peak: Double

  init(_ profile: StepProfile) {
    var total = Profile.Entry()
    total.seconds = profile.seconds
    for part in profile.operations {
      total.calls += part.calls
      total.flop += part.gflop * 1e9
      total.bytes += part.gigabytes * 1e9
    }
    rows = profile.operations + [StepProfile.Part("total", total)]
    (seconds, steps, peak) = (profile.seconds, Double(profile.steps), profile.peakGflopPerSecond)
  }

  private static let widths = [8, 10, 7, 10, 10, 9, 8, 7, 9, 10, 9]

  /// Lines without an end after the last.
  var text: String {
    let groups = Self.line("", ["a step:", "", "", "", "", "rate:", "", "", "in total:", "", ""])
    let head = Self.line(
      "operation", ["calls", "ms", "share", "GFLOP", "MB", "GFLOP/s", "of peak", "GB/s", "s", "GFLOP", "GB"])
    return ([groups, head] + rows.map { Self.line($0.name, columns($0)) }).joined(separator: "\n")
  }

  private func columns(_ part: StepProfile.Part) -> [String] {
    let own = max(part.seconds, 1e-9)
    func known(_ amount: Double, _ text: String) -> String { amount > 0 ? text : "-" }
    let (calls, gflop, gigabytes) = (Double(part.calls), part.gflop, part.gigabytes)
    return [
      known(calls, fixed(calls / steps, 1)), fixed(1e3 * part.seconds / steps, 3),
      fixed(100 * part.seconds / max(seconds, 1e-9), 1) + "%",
      known(gflop, fixed(gflop / steps, 3)), known(gigabytes, fixed(1e3 * gigabytes / steps, 2)),
      known(gflop, fixed(gflop / own, 1)), known(gflop, fixed(100 * gflop / own / peak, 0) + "%"),
      known(gigabytes, fixed(gigabytes / own, 1)),
      fixed(part.seconds, 3), known(gflop, fixed(gflop, 2)), known(gigabytes, fixed(gigabytes, 3)),
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
