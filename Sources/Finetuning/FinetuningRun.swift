import Compute
import Foundation
import Networks
import Parallel
import Runs
import Settings
import TensorStream
import Training

/// Trains all weights of a model for a task, as MAE and BEiT fine-tune: with AdamW (β 0.9 and 0.999), layer-wise decay
/// of the learning rate, drop path, and where asked for an average of the weights and a limit for gradients.
public final class FinetuningRun<T: Task>: Trainee {
  public let task: T
  public let optimizer: any Optimizer
  public let configuration: FinetuningConfiguration<T>
  /// What is measured after some steps, for the metrics.
  public var measurement: Measurement?
  private let engine: Engine
  private let share: BatchShare
  /// Steps of the whole run after which it stops.
  private var limit: Int?

  /// Figures of the model as it stands, after every so many steps and after the last.
  public struct Measurement {
    public let steps: Int
    public let figures: () throws -> [Figure]

    public init(every steps: Int, _ figures: @escaping () throws -> [Figure]) {
      (self.steps, self.figures) = (steps, figures)
    }
  }

  /// - Parameter encoder: its drop path is set and its weights are trained; they must have been made with `trained: true`.
  public init(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<T>, engine: Engine
  ) throws {
    try configuration.validate()
    precondition(configuration.mode == .full)
    self.configuration = configuration
    self.engine = engine
    share = try BatchShare(
      batch: configuration.batch, accumulate: configuration.accumulate, ranks: engine.ranks,
      whole: configuration.wholeBatch)
    var encoder = encoder
    encoder.setDropPath(configuration.dropPath)
    let task = T(encoder, classes: classes, configuration: configuration, engine: engine)
    self.task = task
    if configuration.ema != nil, task.model.count > 1 {
      throw Failure(.usage, "--task \(T.name) has no average of its weights: --ema has no meaning with it")
    }
    let depth = encoder.configuration.depth
    let trained = [TrainedParameter](
      task.model.flatMap { part in
        part.network.parameters.filter(task.isTrained).map { parameter in
          let name = part.prefix + parameter.name
          return TrainedParameter(
            name, parameter, rateScale: rateScale(of: name, depth: depth, decay: configuration.layerDecay))
        }
      })
    optimizer = AdamW(trained, weightDecay: configuration.weightDecay, beta2: 0.999, engine: engine)
  }

  /// The average of the weights; nil without. Until it is asked for, the start's weights may be set.
  public private(set) lazy var average: AveragedWeights? = configuration.ema.map {
    AveragedWeights(of: task.model[0].network, decay: $0, engine: engine)
  }

  public var parts: [Part] { task.parts + (average.map { [Part("average.", $0)] } ?? []) }

  public func update(at place: StepPlace) -> StepUpdate {
    StepUpdate(clip: configuration.clip.map { .whole($0) })
  }

  /// Trains for the configuration's epochs, the rows in the order of the stream (`TrainingLoop.run`).
  /// - Parameters:
  ///   - limit: stop after that many steps of the whole run.
  ///   - record: where the run is kept; its epochs are then those of the stream by their numbers. Without, they count from
  ///     the stream's first.
  ///   - onStep: called after each step; returning true stops after it.
  public func train(
    on views: T.Views, limit: Int? = nil, keeping record: RunRecord? = nil,
    signals: TrainingSignals = TrainingSignals(), onStep: (StepReport) throws -> Bool
  ) throws -> TrainingLoop.Outcome {
    let c = configuration
    let loop = TrainingLoop(
      batch: c.batch, epochs: c.epochs, schedule: T.schedule(c), limit: limit, engine: engine)
    self.limit = limit
    try engine.ranks.agree { try share.check(views.batches) }
    // A copy of the start's weights.
    _ = average
    let source = ViewSource(views.batches, batch: c.batch, countsFromFirst: record == nil) { [self] _ in
      try take(from: views)
    }
    return try loop.run(self, on: source, keeping: record, signals: signals, onStep: onStep)
  }

  /// This rank's rows of the next batch.
  private func take(from views: T.Views) throws -> [T.Examples] {
    let taken = Result { try share.take(from: views.batches) { try task.take($0, from: views) } }
    if engine.ranks.count > 1 {
      // All ranks come here, whatever became of their rows: 0 where they could not be read.
      let size = (try? taken.get()).flatMap { task.size(of: $0[0]) } ?? (0, 0)
      let sizes = engine.ranks.gather([size.height, size.width])
      let shapes = Set(stride(from: 0, to: sizes.count, by: 2).map { "\(sizes[$0]) × \(sizes[$0 + 1])" })
      if shapes.subtracting(["0 × 0"]).count > 1 {
        throw Failure(
          .data,
          "\(views.batches.reader.name): before row \(views.batches.position): ranks have views of "
            + shapes.sorted().joined(separator: " and ") + ": a batch needs pictures of one size")
      }
    }
    return try taken.get()
  }

  public func gradients(of batch: [T.Examples], at place: StepPlace) -> StepLosses {
    let batch = task.augmented(batch, at: place)
    let draws = ownNumbers(batch.map { task.index(of: $0) }, epoch: place.epoch)
    return Training.gradients(parts: batch.count, engine: engine) { tape, part in
      return task.losses(tape, batch[part], keeps: task.encoder.drawKeeps(draws[part]))
    }
  }

  /// Each image's random numbers for drop path, in the parts of a batch. Several views of one image in the whole batch have
  /// numbers of their own.
  private func ownNumbers(_ index: [[Int64]], epoch: Int) -> [[CounterRandom]] {
    var seen: [Int64: Int] = [:]
    let ranks = engine.ranks
    if ranks.count > 1 {
      let all = ranks.gather(index.flatMap { $0 })
      for image in all[..<(ranks.rank * all.count / ranks.count)] { seen[image, default: 0] += 1 }
    }
    return index.map { part in
      part.flatMap { image in
        let view = seen[image, default: 0]
        seen[image] = view + 1
        return randomNumbers([image], seed: configuration.seed, epoch: epoch, .dropPath, view: view & 0xFF)
      }
    }
  }

  public func follow(at place: StepPlace) throws -> [Figure] {
    average?.follow()
    guard let measurement else { return [] }
    let step = place.step + 1
    let isLast = step == min(limit ?? .max, place.steps)
    return isLast || step.isMultiple(of: measurement.steps) ? try measurement.figures() : []
  }
}

/// BEiT's layer-wise decay. Tokens and patches are layer 0, and block i is layer i + 1. Norm and head are the layer
/// above the last block, which has the whole rate.
public func rateScale(of name: String, depth: Int, decay: Double) -> Double {
  let parts = (name.hasPrefix("backbone.") ? name.dropFirst("backbone.".count) : name[...]).split(separator: ".")
  let layer: Int
  switch parts[0] {
  case "cls_token", "pos_embed", "patch_embed": layer = 0
  case "blocks": layer = (parts.count > 1 ? Int(parts[1]) : nil).map { $0 + 1 } ?? depth + 1
  default: layer = depth + 1
  }
  return pow(decay, Double(depth + 1 - layer))
}
