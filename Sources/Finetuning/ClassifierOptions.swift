import Networks
import Schemas
import Settings
import TensorStream
import Training

/// Options of a task whose model is an encoder, its tokens pooled, and a linear layer.
public protocol ClassifierOptions: DeclaredOptions {
  var pooling: Pooling { get set }
  /// The share of the label that is spread over all classes.
  var labelSmoothing: Double { get set }
}

extension ClassifierOptions {
  /// These settings.
  public static var classifierSettings: [Setting<Self>] {
    [
      .word(
        "pool", at: ["pooling"], \.pooling,
        "What the classifier sees: class token, mean of the patches, or their means in 3 x 3 parts of the picture.",
        usual: "mean; class in linear mode"),
      .number(
        "label-smoothing", \.labelSmoothing, .belowOne, "Share of a label that is spread over all classes.",
        usual: "0.1; 0 in linear mode"),
    ]
  }

  /// MAE's: in linear mode the class token, and labels as they are.
  public mutating func completeClassifier(given: Set<String>, mode: FinetuningMode) {
    if mode == .full { return }
    if !given.contains("pool") { pooling = .classToken }
    if !given.contains("label-smoothing") { labelSmoothing = 0 }
  }
}

/// Of a task with a class for each image.
extension Task where Views == LabelledViews {
  public static func views(_ reader: StreamReader, _ asked: AskedViews) throws -> LabelledViews {
    try LabelledViews(
      reader, view: asked.view, preferred: ["simple"], encoder: asked.encoder, normalisation: asked.normalisation,
      labels: .below(asked.classes), mayBeginWithin: asked.mayBeginWithin)
  }
}

extension Task where Views == LabelledViews, Options: ClassifierOptions {
  public static func metadata(
    _ encoder: EncoderConfiguration, _ configuration: FinetuningConfiguration<Self>, classes: Int,
    classNames: [String]?, views: LabelledViews
  ) throws -> [String: String] {
    try WeightsFile.metadata(
      encoder: encoder, head: WeightsFile.Head(classes: classes, pooling: configuration.options.pooling),
      normalisation: views.normalisation, classNames: classNames)
  }
}
