import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// A way to pretrain an encoder without labels. An objective is a folder under `Objectives`, and one line in
/// `objectives`. The tools, metrics, curves, `--look`, export and warnings of a collapse work from what it declares
/// here.
///
/// B is the number of images in a part of a batch. An objective keeps its networks. What it draws for an image depends
/// on the run's seed, the epoch and the image's number alone.
///
///     print(objectives.map { "\($0.name): \($0.summary)" })
///     let chosen: any Objective.Type = try objective(named: "mae")
///     print(chosen.encoders.map(\.name))
public protocol Objective: AnyObject, OptionOwner where Options: ObjectiveOptions {
  /// Some images, and what was drawn for them.
  associatedtype Drawn

  /// Why a rank must compute its share of a batch at once, after the objective's name in a message; nil: it may be in
  /// several parts, one after the other.
  static var wholeBatch: String? { get }
  /// Encoders that can be taken out of a checkpoint, the best first.
  static var encoders: [EncoderPart] { get }
  /// Its figures beside the terms of the loss.
  static var figures: [FigureDeclaration] { get }
  /// Settings of papers, under names.
  static var presets: [Preset] { get }
  /// The views that it reads.
  static func views(_ configuration: Configuration<Options>) -> [ViewNeed]
  /// What it draws that a stream may carry: integers for each patch of each row, by the names of tensors. Such draws are
  /// taken in place of its own.
  static var draws: [String] { get }
  /// AdamW's β₂.
  static var beta2: Double { get }
  /// What `--clip` limits.
  static func clip(_ limit: Double) -> GradientClip
  /// The learning rate of a run.
  static func schedule(_ configuration: Configuration<Options>) -> RateSchedule
  /// About how many weights it has beside the encoder's, to recognise a configuration that is impossible.
  static func approximateWeights(_ configuration: Configuration<Options>) -> Double

  /// Fresh weights from the configuration's seed.
  init(_ configuration: Configuration<Options>, engine: Engine)

  var configuration: Configuration<Options> { get }
  /// Networks under their names in a checkpoint. Those that take gradients are trained.
  var parts: [Part] { get }

  /// Reads what the options name, for a fresh run.
  func prepare() throws
  /// Whether weight decay applies to a parameter that it trains.
  func decays(_ name: String, _ parameter: Parameter) -> Bool
  /// The parameters that are not trained in the first steps of the run, by name, with how many steps these are.
  func frozenSteps(at place: StepPlace) -> [String: Int]
  /// The input of one computation, made of some rows of the views.
  func draw(for rows: BatchRows) throws -> Drawn
  /// The losses of a batch in equal parts; adds their gradients to the parameters' own.
  func gradients(of batch: [Drawn], at place: StepPlace) -> StepLosses
  /// What happens once the optimiser has taken the step.
  /// - Returns: what metrics say of it.
  func follow(at place: StepPlace) -> [Figure]
  /// What `--look` shows of some images, in addition to their views and the encoder's attention.
  func look(at drawn: Drawn) -> [LookPanel]
}

extension Objective {
  public static var wholeBatch: String? { nil }
  public static var encoders: [EncoderPart] { [EncoderPart("student")] }
  public static var figures: [FigureDeclaration] { [] }
  public static var presets: [Preset] { [] }
  public static func views(_ configuration: Configuration<Options>) -> [ViewNeed] {
    [ViewNeed("simple", side: configuration.encoder.image)]
  }
  public static var draws: [String] { [] }
  public static var beta2: Double { 0.95 }
  public static func clip(_ limit: Double) -> GradientClip { .whole(limit) }
  public static func schedule(_ configuration: Configuration<Options>) -> RateSchedule { configuration.schedule }
  public static func approximateWeights(_ configuration: Configuration<Options>) -> Double { 0 }
  public func prepare() throws {}
  public func decays(_ name: String, _ parameter: Parameter) -> Bool { parameter.decays }
  public func frozenSteps(at place: StepPlace) -> [String: Int] { [:] }
  public func follow(at place: StepPlace) -> [Figure] { [] }
  public func look(at drawn: Drawn) -> [LookPanel] { [] }
}

/// Every objective there is. A new one is added here, and nowhere else.
public let objectives: [any Objective.Type] = [
  PseudoMAE.self, MAE.self, DINO.self, IBOT.self, MoCoV3.self, BEiT.self, CAE.self, SimMIM.self,
]

/// The objective of a name.
/// - Parameter source: the file whose configuration names it; nil for a command line.
/// - Throws: `Failure` naming those that there are.
public func objective(named name: String, source: String? = nil) throws -> any Objective.Type {
  if let found = objectives.first(where: { $0.name == name }) { return found }
  let known = objectives.map { $0.name }.joined(separator: ", ")
  if let source {
    throw Failure(
      .data,
      "\(source): is of the objective \(quoted(name)), which this program does not have: expected one of \(known)")
  }
  throw Failure(.usage, "--objective is \(name): expected one of \(known)")
}

/// The objective that a run's configuration names.
/// - Throws: `Failure(.data)` where it names none, or one that this program does not have.
public func objective(ofConfiguration json: String, source: String) throws -> any Objective.Type {
  guard let name = try objectiveName(ofConfiguration: json, source: source) else {
    throw Failure(.data, "\(source): its configuration names no objective: it is no pretraining run's")
  }
  return try objective(named: name, source: source)
}

/// The name of the objective in a run's configuration; nil where it is a run of fine-tuning.
public func objectiveName(ofConfiguration json: String, source: String) throws -> String? {
  try configurationObject(json, source: source)["objective"] as? String
}

/// An encoder of an objective.
public struct EncoderPart: Equatable, Sendable {
  /// As a command line has it: `labelling-teacher`.
  public let name: String
  /// What the names of its tensors start with in a checkpoint: `labelling_teacher.`.
  public let prefix: String

  public init(_ name: String) {
    self.name = name
    prefix = name.replacing("-", with: "_") + "."
  }
}
