import Autodiff

/// The terms of Equation 5 at the end of a tape.
public struct Losses {
  private let terms: [(loss: Loss, weight: Double)]
  public let values: LossValues

  init(
    m: Loss, weightM: Double, c: Loss? = nil, weightC: Double = 0, p: Loss? = nil, weightP: Double = 0,
    cosine: Double? = nil
  ) {
    terms = [(m, weightM)] + (c.map { [($0, weightC)] } ?? []) + (p.map { [($0, weightP)] } ?? [])
    values = LossValues(
      total: terms.reduce(0) { $0 + $1.weight * $1.loss.value }, m: m.value, c: c?.value, p: p?.value, cosine: cosine)
  }

  /// - Parameter share: of the images in the whole batch.
  public func backward(_ tape: Tape, share: Double) {
    tape.backward(terms.map { ($0.loss, Float($0.weight * share)) })
  }
}

/// The values of a batch's losses.
public struct LossValues: Sendable {
  /// The weighted sum.
  public let total: Double
  public let m: Double
  /// nil where no labels were made.
  public let c: Double?
  public let p: Double?
  /// Between the student's tokens and the labelling teacher's whose labels they take, the mean over masked patches.
  public let cosine: Double?
  /// nil where no labels were made, and for a part of a batch.
  public var health: LabelHealth?
}

extension LossValues {
  /// Those of a whole batch from those of its parts, of equal size.
  init(meanOf parts: [LossValues]) {
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    func meanIfAny(_ values: [Double]) -> Double? { values.isEmpty ? nil : mean(values) }
    self.init(
      total: mean(parts.map(\.total)), m: mean(parts.map(\.m)), c: meanIfAny(parts.compactMap(\.c)),
      p: meanIfAny(parts.compactMap(\.p)), cosine: meanIfAny(parts.compactMap(\.cosine)))
  }
}
