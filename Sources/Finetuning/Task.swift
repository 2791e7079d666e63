import Autodiff
import Compute
import Networks
import Training

/// What a pretrained encoder is fine-tuned for. A task is a folder under `Tasks`, and one line in `tasks`. The loop,
/// checkpoints, metrics and the tool work from what it declares here.
///
///     let engine = Engine(threads: 2)
///     let file = try WeightsFile(path: "encoder.stz")
///     let encoder = Encoder(file.encoder, engine: engine, trained: true)
///     try file.load(into: encoder)
///     let configuration = FinetuningConfiguration(
///       mode: .full, pooling: .mean, epochs: 20, learningRate: 1e-3, weightDecay: 0.05)
///     let run = try FinetuningRun<Classification>(encoder, classes: 10, configuration: configuration, engine: engine)
///     let views = try LabelledViews(
///       StreamReader(path: "views.stz"), preferred: ["simple"], encoder: file.encoder, normalisation: file.normalisation,
///       labels: .below(10))
///     _ = try run.train(on: views) { report in report.step == 100 }
public protocol Task: AnyObject, SendableMetatype {
  /// Some images and what each is to be: a part of a batch.
  associatedtype Examples

  /// The word after `--task`.
  static var name: String { get }
  /// Whether `augmented` mixes images with each other as the configuration's `mixup` and `cutmix` say.
  static var mixesImages: Bool { get }

  /// A model of an encoder and a fresh head.
  /// - Parameter encoder: trained: its weights take gradients.
  init(_ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration, engine: Engine)

  var encoder: Encoder { get }
  /// The encoder and the head, as a model's file names them.
  var model: any Network { get }

  /// The next rows of the views, their targets checked.
  func take(_ count: Int, from views: LabelledViews) throws -> Examples
  /// Each image's number in the set.
  func index(of examples: Examples) -> [Int64]
  /// What is done to a batch as a whole before it is computed.
  func augmented(_ batch: [Examples], at place: StepPlace) -> [Examples]
  /// The loss of some images, and its figures.
  /// - Parameter keeps: for drop path; nil where nothing is dropped.
  func losses(_ tape: Tape, _ examples: Examples, keeps: [BranchKeep]?) -> LossTerms
}

extension Task {
  public static var mixesImages: Bool { false }

  public func augmented(_ batch: [Examples], at place: StepPlace) -> [Examples] { batch }
}

/// Every task there is. A new one is added here, and nowhere else.
public let tasks: [any Task.Type] = [Classification.self]
