import Autodiff
import CKernels
import Compute
import Foundation
import Networks
import TensorStream

/// The loss of a batch, its gradients, and a step with them: what both modes share.
struct TrainingStep {
  let optimizer: AdamW
  /// Names of what the optimizer trains, for errors.
  let names: [String]
  let labelSmoothing: Double
  /// What matrices are multiplied in.
  let precision: Precision

  private static let ending = "fine-tuning stops, nothing is written, and a checkpoint stays as it was"

  /// One step on the logits that `forward` computes.
  /// - Parameters:
  ///   - batch: the labels of its parts, of equal size, which are computed one after the other.
  ///   - mixed: where each image was mixed with another, those of the others, and how much is its own.
  ///   - forward: the logits of a part, by its place in the batch.
  /// - Throws: `Failure(.data)` where the loss or a gradient is not finite; nothing that was trained may be kept then.
  func callAsFunction(
    labels batch: [[Int32]], mixed: (others: [[Int32]], share: Double)? = nil, rate: Double, engine: Engine,
    forward: (_ tape: Tape, _ part: Int) -> Tensor
  ) throws -> (loss: Double, accuracy: Double) {
    let step = optimizer.steps + 1
    let share = 1 / Double(batch.count)
    var (lossSum, correct, count) = (0.0, 0.0, 0)
    for (part, labels) in batch.enumerated() {
      let tape = Tape(engine, precision: precision)
      let logits = forward(tape, part)
      let said = logits.withMatrix { x in labels.indices.map { Int32(pmae_argmax(x.row($0), x.columns)) } }
      func hits(_ labels: [Int32]) -> Double { Double(zip(said, labels).filter { $0 == $1 }.count) }
      correct += mixed.map { $0.share * hits(labels) + (1 - $0.share) * hits($0.others[part]) } ?? hits(labels)
      count += labels.count
      let targets = smoothedLabels(
        labels, mixed: mixed.map { ($0.others[part], $0.share) }, classes: logits.columns, smoothing: labelSmoothing,
        engine: engine)
      let loss = tape.softCrossEntropy(logits, labels: targets)
      guard loss.value.isFinite else {
        throw Failure(.data, "step \(step): the loss is \(loss.value): \(Self.ending)")
      }
      lossSum += loss.value
      // A loss is a mean over rows, and all parts have as many.
      tape.backward([(loss, Float(share))])
    }
    if let place = optimizer.firstNonFiniteGradient() {
      throw Failure(
        .data, "step \(step): the gradient of \(names[place]) is not finite: \(Self.ending)")
    }
    optimizer.step(rate: rate)
    if let place = optimizer.firstNonFiniteParameter {
      throw Failure(.data, "step \(step): \(names[place]), or a moment of it, is not finite: \(Self.ending)")
    }
    return (lossSum / Double(batch.count), correct / Double(count))
  }
}

/// (1 − ε) at the label, and ε / C at every class: [B, C]. Of mixed images, the (1 − ε) are shared out.
public func smoothedLabels(
  _ labels: [Int32], mixed: (others: [Int32], share: Double)?, classes: Int, smoothing: Double, engine: Engine
) -> Tensor {
  let targets = Tensor(rows: labels.count, columns: classes, values: engine.memory.take(labels.count * classes))
  targets.withValues { $0.update(repeating: Float(smoothing / Double(classes))) }
  for (row, label) in labels.enumerated() {
    let share = mixed?.share ?? 1
    targets[row, Int(label)] = Float((1 - smoothing) * share + smoothing / Double(classes))
    if let mixed { targets[row, Int(mixed.others[row])] += Float((1 - smoothing) * (1 - share)) }
  }
  return targets
}

/// Seconds since a moment, never zero, by a clock that nobody can set.
func elapsed(since start: ContinuousClock.Instant) -> Double { max((ContinuousClock.now - start) / .seconds(1), 1e-9) }
