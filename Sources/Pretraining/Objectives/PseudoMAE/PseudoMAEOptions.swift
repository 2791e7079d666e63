import Networks
import Settings
import TensorStream

/// The options of Pseudo MAE. Its ablations are options; SdAE is λ_c = λ_p = 0.
public struct PseudoMAEOptions: MaskOptions, DecoderOptions {
  /// Whether reconstruction targets have a teacher of their own (Table 6).
  public enum Teachers: String, CaseIterable, Sendable { case disentangled, single }
  /// When the labelling teacher moves (Table 6).
  public enum LabelUpdate: String, CaseIterable, Sendable { case iteration, epoch }
  /// How a masked patch finds the teacher token whose label it takes (§3.3).
  public enum Match: String, CaseIterable, Sendable { case nearest, position }
  /// The view that labels are made from (Table 9).
  public enum LabelView: String, CaseIterable, Sendable { case complex, simple }

  public var decoder = DecoderConfiguration()
  public var head = HeadConfiguration()
  public var maskRatio = 0.75
  public var reconstructionFolds = 3
  public var labelFolds = 3
  public var match = Match.nearest
  public var labelView = LabelView.complex
  public var teachers = Teachers.disentangled
  public var labelUpdate = LabelUpdate.iteration
  public var labelMomentum = 0.996
  public var labelMomentumEnd = 1.0
  public var reconstructionMomentum = 0.96
  public var reconstructionMomentumEnd = 0.99
  public var lambdaM = 1.0
  public var lambdaC = 1.0
  public var lambdaP = 1.0
  /// Not the paper's: the weight of predicting normalised pixels beside features, as MAE does.
  public var lambdaPixels = 0.0
  /// Epochs over which λ_c and λ_p rise from 0 in a line; 0 is the paper's, none.
  public var lambdaWarmupEpochs = 0.0
  public var studentTemperature = 0.1
  public var teacherTemperature = 0.05
  /// The labels' temperature at the start, where it moves in a line to `teacherTemperature` over some epochs. With 0
  /// epochs it does not move, as in the paper.
  public var teacherTemperatureStart = 0.04
  public var teacherTemperatureEpochs = 0.0
  public var sinkhornIterations = 3

  public init() {}

  /// Below 0.012 the range of exp between two cosines leaves float32.
  private static let temperature = Bounds.atLeast(0.012)

  public static let settings: [Setting<Self>] =
    [
      maskSetting,
      .whole(
        "reconstruction-folds", \.reconstructionFolds,
        "Folds in which the reconstruction teacher sees the masked patches."),
      .whole("label-folds", \.labelFolds, "Folds in which the labelling teacher sees them."),
      .word("match", \.match, "Where a masked patch's label comes from."),
      .word("label-view", \.labelView, "The view that labels are made from."),
      .word("teachers", \.teachers, "One teacher for both tasks, or one each."),
      .word("label-update", \.labelUpdate, "When the labelling teacher moves."),
      .number("label-momentum", \.labelMomentum, .share, "Momentum of the labelling teacher at the start."),
      .number("label-momentum-end", \.labelMomentumEnd, .share, "Momentum of the labelling teacher at the end."),
      .number(
        "reconstruction-momentum", \.reconstructionMomentum, .share,
        "Momentum of the reconstruction teacher at the start."),
      .number(
        "reconstruction-momentum-end", \.reconstructionMomentumEnd, .share,
        "Momentum of the reconstruction teacher at the end."),
      .number("lambda-m", \.lambdaM, .atLeast(0), "Weight of the reconstruction loss."),
      .number("lambda-c", \.lambdaC, .atLeast(0), "Weight of the class token's label loss."),
      .number("lambda-p", \.lambdaP, .atLeast(0), "Weight of the patches' label loss."),
      .number("lambda-pixels", \.lambdaPixels, .atLeast(0), "Weight of a loss of normalised pixels beside the others."),
      .number(
        "lambda-warmup-epochs", \.lambdaWarmupEpochs, .atLeast(0),
        "Epochs over which the weights of both label losses rise from 0."),
      .number("student-temperature", \.studentTemperature, temperature, "Temperature of the student's predictions."),
      .number("teacher-temperature", \.teacherTemperature, temperature, "Temperature of the labels."),
      .number(
        "teacher-temperature-start", \.teacherTemperatureStart, temperature,
        "Temperature of the labels at the start, where it moves."
      ).needing("teacher-temperature-epochs"),
      .number(
        "teacher-temperature-epochs", \.teacherTemperatureEpochs, .atLeast(0),
        "Epochs over which the labels' temperature moves from its start."),
      .whole("sinkhorn-iterations", \.sinkhornIterations, "Rounds of Sinkhorn-Knopp."),
      .whole("head-hidden", at: ["head", "hidden"], \.head.hidden, "Hidden width of the projection head."),
      .whole(
        "head-bottleneck", at: ["head", "bottleneck"], \.head.bottleneck, "Output width of the projection head's MLP."),
      .whole(
        "prototypes", at: ["head", "prototypes"], \.head.prototypes,
        "Prototypes for class tokens, and as many for patches."),
    ] + decoderSettings

  public func validate(for encoder: EncoderConfiguration) throws {
    try decoder.validate()
    try head.validate()
    try validateMask(patches: encoder.patches)
    let masked = encoder.patches - visible(of: encoder.patches)
    for (name, folds) in [("reconstruction-folds", reconstructionFolds), ("label-folds", labelFolds)] {
      guard folds >= 1 && folds <= masked else {
        throw Failure(.usage, "\(name) must be from 1 to the \(masked) masked patches, not \(folds)")
      }
    }
    if lambdaM + lambdaC + lambdaP + lambdaPixels == 0 {
      throw Failure(
        .usage, "lambda-m, lambda-c, lambda-p and lambda-pixels are 0: nothing is to be learnt; expected one above 0")
    }
    if sinkhornIterations < 1 {
      throw Failure(.usage, "sinkhorn-iterations must be at least 1, not \(sinkhornIterations)")
    }
  }
}
