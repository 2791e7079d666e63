import Autodiff
import Compute
import Ranks

/// A number with the name that it has in metrics.jsonl, in TensorBoard and on curves.
public struct Figure: Equatable, Sendable {
  public let name: String
  public let value: Double

  public init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
}

/// What a step's forward pass found.
public struct StepLosses: Sendable {
  /// What is minimised: the weighted sum of the terms of the loss.
  public var loss: Double
  /// The terms without their weights, and what else a progress line shows.
  public var terms: [Figure]
  /// What shows how the run is, for metrics alone.
  public var watched: [Figure]

  public init(loss: Double, terms: [Figure] = [], watched: [Figure] = []) {
    (self.loss, self.terms, self.watched) = (loss, terms, watched)
  }

  /// Those of a whole batch from those of its parts, of equal size and with the same terms.
  public init(meanOf parts: [StepLosses]) {
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    func means(_ figures: (StepLosses) -> [Figure]) -> [Figure] {
      figures(parts[0]).indices.map { i in
        Figure(figures(parts[0])[i].name, mean(parts.map { figures($0)[i].value }))
      }
    }
    self.init(loss: mean(parts.map(\.loss)), terms: means(\.terms), watched: means(\.watched))
  }
}

/// The weighted terms of a loss at the end of a tape: L = Σ weight · term.
public struct LossTerms {
  public struct Term {
    /// As metrics have it; nil for a term that is the whole loss.
    public let name: String?
    public let loss: Loss
    public let weight: Double

    public init(_ name: String?, _ loss: Loss, weight: Double = 1) {
      (self.name, self.loss, self.weight) = (name, loss, weight)
    }
  }

  public let terms: [Term]
  /// What else a progress line shows.
  public let shown: [Figure]
  /// What else was found on the way, for metrics alone.
  public let watched: [Figure]

  public init(_ terms: [Term], shown: [Figure] = [], watched: [Figure] = []) {
    (self.terms, self.shown, self.watched) = (terms, shown, watched)
  }

  public var losses: StepLosses {
    StepLosses(
      loss: terms.reduce(0) { $0 + $1.weight * $1.loss.value },
      terms: terms.compactMap { term in term.name.map { Figure($0, term.loss.value) } } + shown, watched: watched)
  }

  /// - Parameter share: of the images in the whole batch.
  public func backward(_ tape: Tape, share: Double = 1) {
    tape.backward(terms.map { ($0.loss, Float($0.weight * share)) })
  }
}

/// The losses of a batch; adds their gradients to the parameters' own. The parts of the batch have equal sizes and are
/// computed one after the other, so only one needs memory at a time. Of several ranks each computes its own parts; the
/// losses are those of all, and the gradients become so with `Optimizer.joinGradients`.
/// - Parameters:
///   - parts: of this rank.
///   - precision: what matrices are multiplied in; the engine's unless given.
///   - terms: the loss of a part, by its place in the batch.
public func gradients(
  parts: Int, engine: Engine, precision: Precision? = nil, terms: (_ tape: Tape, _ part: Int) throws -> LossTerms
) rethrows -> StepLosses {
  let ranks = engine.ranks
  let all = parts * ranks.count
  let each = parts / ranks.shardsHere
  let losses = try (0..<parts).map { part in
    let tape = Tape(engine, precision: precision)
    let endsShard = (part + 1).isMultiple(of: each)
    if endsShard { tape.follower = ranks.follower }
    let terms = try terms(tape, part)
    terms.backward(tape, share: 1 / Double(all))
    if endsShard { ranks.shardEnded?() }
    return terms.losses
  }
  return StepLosses(meanOf: losses.ofAllRanks(ranks))
}

extension [StepLosses] {
  /// Those of the parts of all ranks, in their order. Each part has the same figures.
  fileprivate func ofAllRanks(_ ranks: Ranks) -> [StepLosses] {
    if ranks.count == 1 { return self }
    let model = self[0]
    let numbers = flatMap { [$0.loss] + ($0.terms + $0.watched).map(\.value) }
    let size = numbers.count / count
    let all = ranks.gather(numbers)
    return stride(from: 0, to: all.count, by: size).map { start in
      func named(_ figures: [Figure], from first: Int) -> [Figure] {
        figures.enumerated().map { Figure($1.name, all[start + first + $0]) }
      }
      return StepLosses(
        loss: all[start], terms: named(model.terms, from: 1), watched: named(model.watched, from: 1 + model.terms.count)
      )
    }
  }
}
