import Compute

/// Records differentiable operations as they are computed, and runs their backward passes in reverse order. A tape that
/// does not record (teachers, evaluation) keeps nothing, so memory that is no longer needed is free at once.
///
/// Every operation is a method of the tape in a file of its own, forward and backward side by side.
///
///     let engine = Engine(threads: 2)
///     let weight = Parameter("weight", shape: [2, 3], engine: engine, trained: true)
///     let bias = Parameter("bias", shape: [2], engine: engine, trained: true)
///     let input = Tensor(rows: 4, columns: 3, values: engine.memory.take(12))
///     input.withValues { $0.update(repeating: 1) }
///     let target = Tensor(rows: 4, columns: 2, values: engine.memory.take(8))
///     target.withValues { $0.update(repeating: 0.5) }
///     let tape = Tape(engine)
///     let loss = tape.meanSquaredError(tape.linear(input, weight.tensor, bias.tensor), target: target)
///     tape.backward([(loss, 1)])
///     print(loss.value, weight.tensor.gradient?.values(ofRow: 0) ?? [])
public final class Tape {
  public let engine: Engine
  public let isRecording: Bool
  /// What its matrices are multiplied in.
  public let precision: Precision
  private var steps: [() -> Void] = []
  /// Called where the backward pass begins, with the parameters that it will give gradients. What it returns is called with each of them,
  /// once nothing more will be added to its gradient. It is set before anything is recorded.
  public var follower: ((_ parameters: [ObjectIdentifier]) -> (_ parameter: ObjectIdentifier) -> Void)?
  /// Tensors that nothing computed, with the first step that may be about them.
  private var leaves: [(tensor: Tensor, step: Int)] = []
  private var known: Set<ObjectIdentifier> = []

  /// - Parameter precision: the engine's unless given.
  public init(_ engine: Engine, recording: Bool = true, precision: Precision? = nil) {
    self.engine = engine
    self.precision = precision ?? engine.precision
    isRecording = recording
  }

  /// A new tensor computed from `parents`, its values not yet set.
  func tensor(rows: Int, columns: Int, from parents: [Tensor]) -> Tensor {
    // What was let go of comes back here, before several threads ask for it.
    for parent in parents { _ = parent.values }
    return Tensor(rows: rows, columns: columns, engine: engine, tracksGradient: tracks(parents))
  }

  func tensor(rows: Int, columns: Int, from parents: Tensor...) -> Tensor {
    tensor(rows: rows, columns: columns, from: parents)
  }

  /// Whether a loss can reach something that is computed from these.
  func tracks(_ parents: [Tensor]) -> Bool {
    guard isRecording else { return false }
    if follower != nil {
      for parent in parents where parent.isLeaf && known.insert(ObjectIdentifier(parent)).inserted {
        leaves.append((parent, steps.count))
      }
    }
    return parents.contains { $0.tracksGradient }
  }

  /// Notes how the gradient of `output` goes on to what it was computed from. Skipped where no loss reached the output.
  /// - Parameter step: must not change the gradient that it is given: another tensor may share it.
  func record(_ output: Tensor, _ step: @escaping (_ gradient: Tensor) -> Void) {
    guard output.tracksGradient else { return }
    steps.append {
      guard let gradient = output.gradient else { return }
      output.gradient = nil
      step(gradient)
    }
  }

  /// The gradients of the weighted sum of losses for all parameters. Losses of weight 0 cost nothing.
  public func backward(_ losses: [(loss: Loss, weight: Float)]) {
    let ended = follower?(leaves.map { ObjectIdentifier($0.tensor) })
    for (loss, weight) in losses { loss.start(weight) }
    // Each step is released as soon as it has run, and with it the activations that only it needed.
    while let step = steps.popLast() {
      step()
      // The steps that are left were recorded before the parameter was met.
      while let last = leaves.last, last.step >= steps.count {
        leaves.removeLast()
        ended?(ObjectIdentifier(last.tensor))
      }
    }
  }
}

/// A scalar at the end of the tape.
public final class Loss {
  /// The mean over its rows, summed in double precision.
  public let value: Double
  /// Sets the gradient of what it was computed from, times a weight.
  private var seed: ((Float) -> Void)?

  init(value: Double, seed: @escaping (Float) -> Void) {
    self.value = value
    self.seed = seed
  }

  /// The loss of no rows.
  public static var nothing: Loss { Loss(value: 0) { _ in } }

  /// The loss times a factor.
  public func scaled(by factor: Double) -> Loss {
    Loss(value: factor * value) { [self] weight in start(Float(factor) * weight) }
  }

  /// Starts the backward pass, once, and lets go of the labels or targets, which may be as large as the logits.
  func start(_ weight: Float) {
    guard let seed = seed.take(), weight != 0 else { return }
    seed(weight)
  }
}
