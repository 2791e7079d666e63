import Foundation

/// Tells a collapse from the labels' figures: all tokens alike, so that few prototypes are used or all labels are uniform; or
/// labels of a single prototype each. Labels count as uniform where their entropy is within a tenth of the floor of the most.
///
/// It looks at moving averages, a twentieth a step, so that one odd batch is no alarm, and not at the first hundred steps that it
/// sees: labels of random weights look collapsed. Once an epoch it speaks at most.
public struct CollapseWatch: Sendable {
  private let floor: Double
  private var steps = 0
  private var averages: [Double] = []
  private var lastEpoch: Int?

  /// - Parameter floor: the least that is healthy, of a share from 0 to 1; 0 never speaks.
  public init(floor: Double) { self.floor = floor }

  /// Takes in a step's figures; returns what should be said.
  public mutating func note(_ health: LabelHealth, epoch: Int) -> String? {
    let figures: [(name: String, value: Double)] = [
      ("entropy_c", health.entropyC), ("entropy_p", health.entropyP), ("used_c", health.usedC),
      ("used_p", health.usedP),
    ]
    steps += 1
    averages =
      averages.isEmpty ? figures.map(\.value) : zip(averages, figures).map { $0 + ($1.value - $0) / 20 }
    if steps <= 100 || lastEpoch == epoch { return nil }
    let low = zip(figures, averages).filter { $1 < floor }.map { "\($0.name) " + String(format: "%.4f", $1) }
    let uniform = zip(figures, averages).prefix(2).filter { $1 > 1 - floor / 10 }.map {
      "\($0.name) " + String(format: "%.4f", $1)
    }
    if low.isEmpty && uniform.isEmpty { return nil }
    lastEpoch = epoch
    let reasons = [(low, "below \(floor)"), (uniform, "above \(1 - floor / 10)")].filter { !$0.0.isEmpty }
    return "the labels look collapsed: "
      + reasons.map { "\($0.0.joined(separator: ", ")), \($0.1)" }.joined(separator: "; ")
  }
}
