import Settings

extension SimMIM {
  /// Xie et al., section 4, and configs/vit_base__800ep, with a smaller model.
  public static let presets = [
    Preset(
      name: "simmim-vit-small-100", summary: "SimMIM with ViT-S/16, for 100 epochs",
      settings: [
        ("--objective", "simmim", "SimMIM"), ("--model", "vit-small", "a smaller model"), ("--image", "224", "SimMIM"),
        ("--patch", "16", "SimMIM"), ("--mask-ratio", "0.6", "SimMIM"), ("--mask-unit", "2", "SimMIM: 32 pixels"),
        ("--drop-path", "0.1", "SimMIM"), ("--batch", "2048", "SimMIM"),
        ("--epochs", "100", "shorter, for comparisons"),
        ("--warmup-epochs", "10", "SimMIM"), ("--base-lr", "5e-5", "SimMIM: 1e-4 for 512"),
        ("--warmup-lr", "2e-6", "SimMIM: 5e-7 for 512"), ("--drop-at", "0.875", "SimMIM: epoch 700 of 800"),
        ("--weight-decay", "0.05", "SimMIM"), ("--clip", "5", "SimMIM"),
      ], notes: ["its own runs have 100 epochs (ablations) and 800"])
  ]
}
