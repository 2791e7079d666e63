import Settings

extension CAE {
  /// Chen et al., section 4, and the command that their README gives, with a smaller model.
  public static let presets = [
    Preset(
      name: "cae-vit-small-100", summary: "CAE with ViT-S/16, for 100 epochs",
      settings: [
        ("--objective", "cae", "CAE"), ("--model", "vit-small", "a smaller model"),
        ("--mask-ratio", "0.5", "CAE: 98 of 196 patches"), ("--regressor-depth", "4", "CAE"),
        ("--decoder-depth", "4", "CAE"), ("--lambda-a", "2", "CAE"),
      ] + Preset.tokens("CAE") + [("--warmup-epochs", "10", "shorter than CAE's 20 of 800")],
      notes: [
        "--tokenizer names the tokens' file; CAE's own are those of DALL-E's network",
        "its own runs have 300 to 1600 epochs",
      ])
  ]
}
