import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// Xie et al., "SimMIM: A Simple Framework for Masked Image Modeling", CVPR 2022. The encoder reads all patches, with a
/// mask token in the places of those in some square units. A linear head predicts the pixels of these. The loss is their
/// mean absolute error: Σ|prediction − pixel| / (pixels + 1e-5) / channels.
public final class SimMIM: Objective {
  public struct Options: MaskOptions {
    public var maskRatio = 0.6
    /// The side of a unit in patches.
    public var maskUnit = 2
    /// The share of the run after which the rate is a tenth; 0: it follows a cosine.
    public var dropAt = 0.875

    public init() {}

    public static let settings: [Setting<Self>] = [
      maskSetting, .whole("mask-unit", \.maskUnit, "Side of a masked unit, in patches."),
      .number("drop-at", \.dropAt, .share, "Share of the run after which the rate is a tenth; 0 for a cosine."),
    ]

    public func validate(for encoder: EncoderConfiguration) throws {
      guard maskUnit >= 1 && maskUnit <= encoder.grid else {
        throw Failure(
          .usage, "mask-unit must be from 1 to the \(encoder.grid) patches along a side, not \(maskUnit)")
      }
      let side = (encoder.grid + maskUnit - 1) / maskUnit
      let hidden = DrawnMask.unitCount(grid: encoder.grid, unit: maskUnit, ratio: maskRatio)
      if hidden >= side * side {
        throw Failure(
          .usage, "a mask-ratio of \(maskRatio) masks all \(hidden) units of an image: at least one must be visible")
      }
    }

    public static func validate(_ c: Configuration<Self>) throws {
      if c.options.dropAt > 0, c.minLearningRate > 0 {
        throw Failure(
          .usage, "simmim's rate ends at a tenth: expected no --min-lr, or --drop-at 0 for a cosine that ends there")
      }
    }
  }

  /// Some images, which of their patches are hidden, and which branches drop path keeps.
  public struct Images {
    let images: ImageBatch
    let hidden: HiddenPatches
    let keeps: [BranchKeep]?
  }

  public static let name = "simmim"
  public static let summary = "pixels of masked patches, from the encoder itself"
  public static let draws = ["mask"]
  public static let beta2 = 0.999
  public static let figures = [FigureDeclaration("contrast", panel: "contrast of predictions over that of pixels")]

  public let configuration: Configuration<Options>
  private let student: Encoder
  private let maskToken: Token
  private let head: LinearHead
  private let engine: Engine

  public init(_ configuration: Configuration<Options>, engine: Engine) {
    let c = configuration
    self.configuration = c
    self.engine = engine
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true)
    maskToken = Token("mask_token", width: c.encoder.width, engine: engine, trained: true)
    head = LinearHead(width: c.encoder.width, outputs: c.encoder.patchValues, engine: engine, trained: true)
    FreshWeights.residualScaled(student, seed: c.seed, part: 0)
    initialise(maskToken, seed: c.seed, part: 1) { _ in FreshWeights.small }
    initialise(head, seed: c.seed, part: 2) { _ in .torch(inputs: c.encoder.width) }
  }

  public var parts: [Part] { [Part("student.", student), Part("", maskToken), Part("", head)] }

  /// The mask token decays.
  public func decays(_ name: String, _ parameter: Parameter) -> Bool { parameter.decays || name == "mask_token" }

  public static func schedule(_ c: Configuration<Options>) -> RateSchedule {
    var schedule = c.schedule
    schedule.dropAt = c.options.dropAt
    return schedule
  }

  public static func approximateWeights(_ c: Configuration<Options>) -> Double {
    Double(c.encoder.width) * Double(c.encoder.patchValues)
  }

  public func draw(for rows: BatchRows) throws -> Images {
    let (grid, o) = (configuration.encoder.grid, configuration.options)
    let hidden = try rows.hidden("mask", grid: grid) {
      DrawnMask.units(&$0, grid: grid, unit: o.maskUnit, ratio: o.maskRatio)
    }
    return Images(
      images: rows.images("simple"), hidden: hidden, keeps: student.drawKeeps(rows.random(.dropPath)))
  }

  public func gradients(of batch: [Images], at place: StepPlace) -> StepLosses {
    let c = configuration.encoder
    // Masks need not be of equal size, so the loss is a sum over the batch, not a mean of its parts.
    let pixels = engine.ranks.total(batch.reduce(0) { $0 + $1.hidden.count }) * c.patch * c.patch
    let share = (Double(pixels) + 1e-5) * Double(c.channels) / Double(engine.ranks.total(batch.count))
    return Training.gradients(parts: batch.count, engine: engine) { tape, part in
      losses(tape, batch[part], over: share)
    }
  }

  private func losses(_ tape: Tape, _ part: Images, over count: Double) -> LossTerms {
    if part.hidden.count == 0 { return LossTerms([.init("loss_m", .nothing)], watched: [Figure("contrast", 0)]) }
    let tokens = student(
      tape, part.images, hidden: (part.hidden, maskToken.tensor), keeps: part.keeps, wanted: part.hidden.rows)
    let predicted = head(tape, tokens)
    let pixels = patchRows(
      part.images, places: part.hidden.places, patch: configuration.encoder.patch, order: .channelsLast, engine: engine)
    let loss = tape.absoluteError(predicted, target: pixels, over: count)
    let contrast = engine.spread(predicted) / max(engine.spread(pixels), 1e-12)
    return LossTerms([.init("loss_m", loss)], watched: [Figure("contrast", contrast)])
  }

  public func look(at part: Images) -> [LookPanel] { [.groups(title: "mask", of: part.hidden.groups, rest: nil)] }
}
