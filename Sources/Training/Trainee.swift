/// What a training loop trains: an objective of pretraining, a task of fine-tuning, a probe.
public protocol Trainee: AnyObject {
  /// The input of a step.
  associatedtype Batch

  /// All that a checkpoint holds beside the optimiser's moments: networks under their names.
  var parts: [Part] { get }
  var optimizer: any Optimizer { get }

  /// The losses of a batch; adds their gradients to the parameters that are trained.
  func gradients(of batch: Batch, at place: StepPlace) throws -> StepLosses

  /// How the optimiser takes the step, its rate aside.
  func update(at place: StepPlace) -> StepUpdate

  /// What happens once the optimiser has taken the step: teachers follow, centres move.
  /// - Returns: what metrics say of it.
  func follow(at place: StepPlace) throws -> [Figure]
}

extension Trainee {
  public func update(at place: StepPlace) -> StepUpdate { StepUpdate() }
  public func follow(at place: StepPlace) -> [Figure] { [] }

  /// All that a run goes on from.
  public var state: TrainingState { TrainingState(parts: parts, optimizer: optimizer) }
}

/// Where a loop's batches come from, one after the other.
public protocol BatchSource {
  associatedtype Batch

  /// What messages call it.
  var name: String { get }
  /// Images of an epoch.
  var rowsPerEpoch: Int { get }

  /// Goes to where the next step's batch begins. Called once, before the first step that is taken.
  /// - Parameter end: the step after the last that will be asked for.
  /// - Throws: `Failure(.data)` where it does not hold all of these steps.
  func seek(to place: StepPlace, end: Int) throws
  func take(_ place: StepPlace) throws -> Batch
  /// Passes over what is left of an epoch after its last whole batch.
  func finishEpoch(_ place: StepPlace) throws
  /// Reads what is left where all rows were used, to know that the input is whole.
  func finish() throws
}

/// What a trainer asks between steps.
public struct TrainingSignals {
  /// Whether to stop after this step, with a checkpoint.
  public var stopRequested: () -> Bool
  /// Whether a checkpoint was asked for since this was asked last.
  public var checkpointRequested: () -> Bool

  public init(
    stopRequested: @escaping () -> Bool = { false }, checkpointRequested: @escaping () -> Bool = { false }
  ) {
    self.stopRequested = stopRequested
    self.checkpointRequested = checkpointRequested
  }
}
