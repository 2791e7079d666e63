import Autodiff
import Compute
import Networks
import Schemas
import Settings
import TensorStream
import Training

/// What a pretrained encoder is fine-tuned for. A task is a folder under `Tasks`, and one line in `tasks`. The loop,
/// checkpoints, metrics and the tool work from what it declares here.
///
///     let engine = Engine(threads: 2)
///     let file = try WeightsFile(path: "encoder.stz")
///     let encoder = Encoder(file.encoder, engine: engine, trained: true)
///     try file.load(into: encoder)
///     let configuration = FinetuningConfiguration<Classification>(
///       mode: .full, epochs: 20, learningRate: 1e-3, weightDecay: 0.05)
///     let run = try FinetuningRun<Classification>(encoder, classes: 10, configuration: configuration, engine: engine)
///     let views = try LabelledViews(
///       StreamReader(path: "views.stz"), preferred: ["simple"], encoder: file.encoder, normalisation: file.normalisation,
///       labels: .below(10))
///     _ = try run.train(on: views) { report in report.step == 100 }
public protocol Task: AnyObject, OptionOwner {
  /// Some images and what each is to be: a part of a batch.
  associatedtype Examples
  /// Where they come from.
  associatedtype Views: ModelViews = LabelledViews

  /// Settings of papers, under names.
  static var presets: [Preset] { get }
  /// What holds where neither an option nor a run that goes on says anything else.
  static var usual: UsualRecipe { get }
  /// What of a model may be trained: all of it, or a linear probe too.
  static var modes: [FinetuningMode] { get }
  /// Why a batch must be computed at once, after the task's name in a message; nil: it may be in parts, one after the other.
  static var wholeBatch: String? { get }
  /// Fills in the options that depend on others and that nobody gave.
  /// - Parameter given: the names of those that were given.
  static func complete(
    _ options: inout Options, given: Set<String>, for known: Circumstances<Self>
  ) throws
  /// Throws `Failure(.usage)` for what does not go together, by the options' names.
  static func validate(_ configuration: FinetuningConfiguration<Self>) throws
  /// How the learning rate moves.
  static func schedule(_ configuration: FinetuningConfiguration<Self>) -> RateSchedule
  /// The whole model of this task that a file holds, to go on from it; nil where it holds none.
  static func saved(_ stored: StoredWeights) throws -> SavedModel<Options>?

  /// A model of an encoder and a fresh head.
  /// - Parameter encoder: trained: its weights take gradients.
  init(_ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<Self>, engine: Engine)

  var encoder: Encoder { get }
  /// The encoder and the head, under their names in a model's file.
  var model: [Part] { get }
  /// The same as a checkpoint names them.
  var parts: [Part] { get }
  /// Whether a parameter of the model is trained.
  func isTrained(_ parameter: Parameter) -> Bool

  /// The names of the classes that a stream of views has; nil where it names none.
  static func classNames(_ header: Record, source: String) throws -> [String]?
  /// The views of a stream.
  static func views(_ reader: StreamReader, _ asked: AskedViews) throws -> Views
  /// What a model's file says of itself, provenance aside.
  /// - Parameter classNames: as many as there are classes; nil where they are not known.
  static func metadata(
    _ encoder: EncoderConfiguration, _ configuration: FinetuningConfiguration<Self>, classes: Int,
    classNames: [String]?, views: Views
  ) throws -> [String: String]

  /// The next rows of the views, their targets checked.
  func take(_ count: Int, from views: Views) throws -> Examples
  /// Each image's number in the set.
  func index(of examples: Examples) -> [Int64]
  /// Height and width of the views, where these may differ from batch to batch; nil where they never do.
  func size(of examples: Examples) -> (height: Int, width: Int)?
  /// What is done to a batch as a whole before it is computed. Of several ranks each gives its parts.
  func augmented(_ batch: [Examples], at place: StepPlace) -> [Examples]
  /// The loss of some images, and its figures.
  /// - Parameter keeps: for drop path; nil where nothing is dropped.
  func losses(_ tape: Tape, _ examples: Examples, keeps: [BranchKeep]?) -> LossTerms

  /// Figures of held-out views, for the metrics. The file is looked at at once, and read from its beginning each time.
  /// - Parameters:
  ///   - views: those that are trained on.
  /// - Throws: `Failure` where the file does not fit.
  func heldOut(_ path: String, beside views: Views, engine: Engine) throws -> () throws -> [Figure]

  /// A linear probe; nil where `modes` has none.
  static func probe(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<Self>, engine: Engine
  ) throws -> LinearProbe?
}

extension Task {
  public static var presets: [Preset] { [] }
  public static var usual: UsualRecipe { UsualRecipe() }
  public static var modes: [FinetuningMode] { [.full] }
  public static var wholeBatch: String? { nil }
  public static func complete(
    _ options: inout Options, given: Set<String>, for known: Circumstances<Self>
  ) throws {}
  public static func validate(_ configuration: FinetuningConfiguration<Self>) throws {}
  public static func schedule(_ configuration: FinetuningConfiguration<Self>) -> RateSchedule {
    configuration.cosineSchedule
  }
  public static func saved(_ stored: StoredWeights) throws -> SavedModel<Options>? { nil }
  public static func probe(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<Self>, engine: Engine
  ) throws -> LinearProbe? { nil }
  public func heldOut(_ path: String, beside views: Views, engine: Engine) throws -> () throws -> [Figure] {
    throw Failure(.usage, "--task \(Self.name) measures no held-out views: --validate has no meaning with it")
  }

  public var parts: [Part] { model.map { Part("classifier." + $0.prefix, $0.network) } }
  public func isTrained(_ parameter: Parameter) -> Bool { true }
  public static func classNames(_ header: Record, source: String) throws -> [String]? {
    try ClassNames.of(header, source: source)
  }

  public func size(of examples: Examples) -> (height: Int, width: Int)? { nil }
  public func augmented(_ batch: [Examples], at place: StepPlace) -> [Examples] { batch }
}

/// What a task is to read of a stream.
public struct AskedViews {
  /// The recipe; nil for the only one, or the task's usual one.
  public let view: String?
  public let encoder: EncoderConfiguration
  /// The model's; nil for that of the views.
  public let normalisation: Normalisation?
  public let classes: Int
  /// Whether the stream may begin in the middle of an epoch.
  public let mayBeginWithin: Bool

  public init(
    view: String?, encoder: EncoderConfiguration, normalisation: Normalisation?, classes: Int, mayBeginWithin: Bool
  ) {
    (self.view, self.encoder, self.normalisation) = (view, encoder, normalisation)
    (self.classes, self.mayBeginWithin) = (classes, mayBeginWithin)
  }
}

/// Every task there is. A new one is added here, and nowhere else.
public let tasks: [any Task.Type] = [Classification.self, Segmentation.self]
