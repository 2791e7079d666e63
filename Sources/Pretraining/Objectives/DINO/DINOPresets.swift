import Settings

extension DINO {
  /// Caron et al., appendix A and main_dino.py, for ViT-S/16.
  public static let presets = [
    Preset(
      name: "dino-vit-small-100", summary: "DINO with ViT-S/16, for 100 epochs",
      settings: [
        ("--objective", "dino", "DINO"), ("--model", "vit-small", "DINO"), ("--image", "224", "DINO"),
        ("--patch", "16", "DINO"), ("--prototypes", "65536", "DINO"), ("--student-temperature", "0.1", "DINO"),
        ("--teacher-temperature", "0.04", "main_dino.py"), ("--teacher-temperature-epochs", "0", "main_dino.py"),
        ("--centre-momentum", "0.9", "DINO"), ("--freeze-epochs", "1", "main_dino.py"),
      ] + Preset.distillation("DINO") + [("--batch", "512", "main_dino.py, eight times 64")],
      notes: ["its longer runs have a teacher's temperature that rises to 0.07 in 30 epochs, and other crops"])
  ]
}
