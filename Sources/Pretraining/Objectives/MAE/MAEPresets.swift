import Settings

extension MAE {
  public static let presets = [
    Preset(
      name: "mae-vit-base-800", summary: "MAE, as in its ablations", settings: mae(epochs: "800"),
      notes: ["the paper compares at equal epochs: --epochs 300"]),
    Preset(
      name: "mae-vit-base-1600", summary: "MAE, as in its main results", settings: mae(epochs: "1600"), notes: []),
  ]

  /// He et al., "Masked Autoencoders Are Scalable Vision Learners", appendix A.1, table 8.
  private static func mae(epochs: String) -> [Preset.Setting] {
    [
      ("--objective", "mae", "MAE"), ("--model", "vit-base", "MAE, appendix A.2"), ("--image", "224", "MAE"),
      ("--patch", "16", "MAE"),
    ] + Preset.decoder + [
      ("--mask-ratio", "0.75", "MAE"), ("--drop-path", "0", "MAE"), ("--batch", "4096", "MAE, table 8"),
      ("--epochs", epochs, "MAE"), ("--warmup-epochs", "40", "MAE, table 8"), ("--base-lr", "1.5e-4", "MAE, table 8"),
      ("--weight-decay", "0.05", "MAE, table 8"),
    ]
  }
}
