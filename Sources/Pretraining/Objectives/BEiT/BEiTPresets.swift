import Settings

extension BEiT {
  /// Bao et al., appendix, and the command that their README gives, with a smaller model.
  public static let presets = [
    Preset(
      name: "beit-vit-small-100", summary: "BEiT with ViT-S/16, for 100 epochs",
      settings: [
        ("--objective", "beit", "BEiT"), ("--model", "vit-small", "a smaller model"),
        ("--mask-ratio", "0.3826530612244898", "BEiT: 75 of 196 patches"),
      ] + Preset.tokens("BEiT") + [("--warmup-epochs", "10", "BEiT")],
      notes: [
        "--tokenizer names the tokens' file; BEiT's own are those of DALL-E's network", "its own runs have 800 epochs",
      ])
  ]
}
