import Foundation
import Training

/// Finds a collapse in a run's figures, by what the objective declares of them. A share may be too small, as where few
/// prototypes are in use. Or it may be too near to 1, as where all labels are uniform; "too near" is within a tenth of
/// the floor.
///
/// It looks at moving averages, a twentieth a step, so that one odd batch is no alarm. It passes over the first hundred
/// steps that it sees, since labels of random weights look collapsed. It warns at most once an epoch.
public struct CollapseWatch: Sendable {
  private let floor: Double
  private let watched: [FigureDeclaration]
  private var steps = 0
  private var averages: [String: Double] = [:]
  private var lastEpoch: Int?

  /// - Parameters:
  ///   - floor: the least that is healthy, of a share from 0 to 1; 0 never warns.
  ///   - figures: what the objective declares.
  public init(floor: Double, figures: [FigureDeclaration]) {
    self.floor = floor
    watched = figures.filter { $0.collapse != .never }
  }

  /// Takes in a step's figures; returns the warning, if there is one.
  public mutating func note(_ figures: [Figure], epoch: Int) -> String? {
    let values = watched.compactMap { declared in
      figures.first { $0.name == declared.name }.map { (declared: declared, value: $0.value) }
    }
    if values.isEmpty { return nil }
    steps += 1
    for (declared, value) in values {
      let average = averages[declared.name] ?? value
      averages[declared.name] = average + (value - average) / 20
    }
    if steps <= 100 || lastEpoch == epoch { return nil }
    func named(_ isBad: (FigureDeclaration, Double) -> Bool) -> [String] {
      values.map(\.declared).compactMap { declared in
        guard let average = averages[declared.name], isBad(declared, average) else { return nil }
        return "\(declared.name) " + String(format: "%.4f", average)
      }
    }
    let low = named { $1 < floor }
    let full = named { $0.collapse == .lowOrFull && $1 > 1 - floor / 10 }
    if low.isEmpty && full.isEmpty { return nil }
    lastEpoch = epoch
    let reasons = [(low, "below \(floor)"), (full, "above \(1 - floor / 10)")].filter { !$0.0.isEmpty }
    return "the run looks collapsed: "
      + reasons.map { "\($0.0.joined(separator: ", ")), \($0.1)" }.joined(separator: "; ")
  }
}
