import Settings

extension Preset {
  /// The presets of all objectives.
  public static var all: [Preset] { objectives.flatMap { $0.presets } }

  /// What the commands of two methods of self-distillation share.
  static func distillation(_ source: String) -> [Setting] {
    [
      ("--head-hidden", "2048", source), ("--head-bottleneck", "256", source), ("--teacher-momentum", "0.996", source),
      ("--teacher-momentum-end", "1", source), ("--drop-path", "0.1", source),
      ("--epochs", "100", "shorter, for comparisons"), ("--warmup-epochs", "10", source), ("--base-lr", "5e-4", source),
      ("--min-lr", "1e-6", source), ("--weight-decay", "0.04", source), ("--weight-decay-end", "0.4", source),
      ("--clip", "3", source),
    ]
  }

  /// What the commands of two methods share that predict visual tokens.
  static func tokens(_ source: String) -> [Setting] {
    [
      ("--image", "224", source), ("--patch", "16", source), ("--mask-least", "16", source),
      ("--vocabulary", "8192", source), ("--drop-path", "0.1", source), ("--batch", "2048", source),
      ("--epochs", "100", "shorter, for comparisons"), ("--base-lr", "1.875e-4", "\(source): 1.5e-3 for 2048"),
      ("--min-lr", "1e-5", source), ("--weight-decay", "0.05", source), ("--clip", "3", source),
    ]
  }

  /// MAE's decoder, which other methods took over.
  static let decoder: [Setting] = [
    ("--decoder-width", "512", "MAE"), ("--decoder-depth", "8", "MAE"), ("--decoder-heads", "16", "MAE"),
  ]
}
