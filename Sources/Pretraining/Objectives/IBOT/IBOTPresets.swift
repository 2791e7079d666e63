import Settings

extension IBOT {
  /// Zhou et al., appendix, and the command for ViT-S/16 that their README gives.
  public static let presets = [
    Preset(
      name: "ibot-vit-small-100", summary: "iBOT with ViT-S/16, for 100 epochs",
      settings: [
        ("--objective", "ibot", "iBOT"), ("--model", "vit-small", "iBOT"), ("--image", "224", "iBOT"),
        ("--patch", "16", "iBOT"), ("--prototypes", "8192", "iBOT"), ("--mask-ratio", "0.3", "iBOT"),
        ("--lambda-c", "1", "iBOT"), ("--lambda-p", "1", "iBOT"), ("--student-temperature", "0.1", "DINO"),
        ("--teacher-temperature", "0.07", "iBOT"), ("--teacher-temperature-start", "0.04", "iBOT"),
        ("--teacher-temperature-epochs", "30", "iBOT"), ("--centre-momentum", "0.9", "iBOT"),
        ("--freeze-epochs", "1", "main_ibot.py"),
      ] + Preset.distillation("iBOT") + [("--batch", "1024", "iBOT")],
      notes: ["its own run has 800 epochs"])
  ]
}
