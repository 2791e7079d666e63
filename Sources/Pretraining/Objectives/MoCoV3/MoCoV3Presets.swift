import Settings

extension MoCoV3 {
  /// Chen, Xie, He, section 5, and main_moco.py's commands for ViT-S/16.
  public static let presets = [
    Preset(
      name: "mocov3-vit-small-100", summary: "MoCo v3 with ViT-S/16, for 100 epochs",
      settings: [
        ("--objective", "moco-v3", "MoCo v3"), ("--model", "vit-small", "MoCo v3"), ("--heads", "12", "MoCo v3"),
        ("--image", "224", "MoCo v3"), ("--patch", "16", "MoCo v3"), ("--head-hidden", "4096", "MoCo v3"),
        ("--head-bottleneck", "256", "MoCo v3"), ("--student-temperature", "0.2", "MoCo v3"),
        ("--teacher-momentum", "0.99", "MoCo v3"), ("--teacher-momentum-end", "1", "MoCo v3"),
        ("--drop-path", "0", "main_moco.py"), ("--batch", "4096", "MoCo v3"),
        ("--epochs", "100", "shorter, for comparisons"),
        ("--warmup-epochs", "13", "MoCo v3's 40 of 300, in proportion"),
        ("--base-lr", "1.5e-4", "MoCo v3"), ("--weight-decay", "0.1", "MoCo v3"),
      ], notes: ["its own runs have 300 epochs"])
  ]
}
