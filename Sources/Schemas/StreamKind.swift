/// What a stream holds: the value of `kind` in its first record. Each kind has a type of its own here, which the tool that writes it
/// and the tools that read it share.
public enum StreamKind: String, CaseIterable, Sendable {
  /// `ImagesHeader`
  case images
  /// `ViewsHeader`
  case views
  /// `WeightsHeader`
  case weights
  /// `CheckpointHeader`
  case checkpoint
  /// `FeaturesHeader`
  case features
  /// `PredictionsHeader`
  case predictions
  /// `TokenizerHeader`
  case tokenizer
}
