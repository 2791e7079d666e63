import Autodiff
import Compute

/// (1 − ε) at the label, and ε / C at every class: [B, C]. Of mixed images, the (1 − ε) are shared out.
public func smoothedLabels(
  _ labels: [Int32], mixed: (others: [Int32], share: Double)?, classes: Int, smoothing: Double, engine: Engine
) -> Tensor {
  let targets = Tensor(rows: labels.count, columns: classes, values: engine.memory.take(labels.count * classes))
  targets.values.values.update(repeating: Float(smoothing / Double(classes)))
  for (row, label) in labels.enumerated() {
    let share = mixed?.share ?? 1
    targets.row(row)[Int(label)] = Float((1 - smoothing) * share + smoothing / Double(classes))
    if let mixed { targets.row(row)[Int(mixed.others[row])] += Float((1 - smoothing) * (1 - share)) }
  }
  return targets
}
