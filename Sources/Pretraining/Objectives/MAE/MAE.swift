import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022. An encoder sees some patches, and a
/// decoder predicts the pixels of the others, each patch normalised to its own mean and variance. The loss is the mean
/// squared error over masked patches.
public final class MAE: Objective {
  public struct Options: MaskOptions, DecoderOptions {
    public var decoder = DecoderConfiguration()
    public var maskRatio = 0.75

    public init() {}

    public static let settings = [maskSetting] + decoderSettings

    public func validate(for encoder: EncoderConfiguration) throws {
      try decoder.validate()
      try validateMask(patches: encoder.patches)
    }
  }

  /// Some images, which of their patches are masked, and which branches drop path keeps.
  public struct Images {
    public let images: ImageBatch
    public let masks: Masks
    public let keeps: [BranchKeep]?
  }

  public static let name = "mae"
  public static let summary = "normalised pixels"

  public let configuration: Configuration<Options>
  public let student: Encoder
  public let decoder: Decoder
  private let engine: Engine

  public init(_ configuration: Configuration<Options>, engine: Engine) {
    let c = configuration
    self.configuration = c
    self.engine = engine
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true)
    decoder = Decoder(
      c.options.decoder, encoder: c.encoder, output: c.encoder.patchValues, engine: engine, trained: true)
    initialise(student, seed: c.seed, part: 0)
    initialise(decoder, seed: c.seed, part: 1)
  }

  public var parts: [Part] { [Part("student.", student), Part("decoder.", decoder)] }

  public static func approximateWeights(_ c: Configuration<Options>) -> Double {
    c.options.decoder.approximateWeights(output: c.encoder.patchValues)
  }

  public func draw(for rows: BatchRows) throws -> Images {
    let patches = configuration.encoder.patches
    return Images(
      images: rows.images("simple"),
      masks: try rows.masks(patches: patches, visible: configuration.options.visible(of: patches)),
      keeps: student.drawKeeps(rows.random(.dropPath)))
  }

  public func gradients(of batch: [Images], at place: StepPlace) -> StepLosses {
    Training.gradients(parts: batch.count, engine: engine) { tape, part in losses(tape, batch[part]) }
  }

  /// The loss of some images: mean (prediction − normalised pixels)² over the values of masked patches.
  public func losses(_ tape: Tape, _ part: Images) -> LossTerms {
    let masks = part.masks
    let latent = student(tape, part.images, ids: masks.visible, keeps: part.keeps)
    let out = decoder(tape, latent, masks, wanted: masks.predicted(masks.maskedCount, classTokens: false))
    let m = tape.pixelLoss(
      out, of: part.images, ids: masks.masked(masks.maskedCount), patch: configuration.encoder.patch)
    return LossTerms([.init("loss_m", m)])
  }

  public func look(at part: Images) -> [LookPanel] {
    [.groups(title: "mask", of: part.masks.groups(folds: 1), rest: nil)]
  }
}
