import Settings

extension PseudoMAE {
  private typealias Setting = Preset.Setting

  public static let presets = [
    Preset(
      name: "imagenet-vit-base-300", summary: "Pseudo MAE on ImageNet-1K, as in appendix A",
      settings: paper(model: "vit-base", epochs: "300", epochsSource: "appendix A", warmup: "60"),
      notes: [conflict]),
    Preset(
      name: "imagenet-vit-base-800", summary: "Pseudo MAE on ImageNet-1K, as in section 4",
      settings: paper(
        model: "vit-base", epochs: "800", epochsSource: "section 4", warmup: "60", warmupSource: "section 4"),
      notes: [conflict]),
    Preset(
      name: "ablation-vit-small-100", summary: "the same with ViT-S, for 100 epochs",
      settings: paper(
        model: "vit-small", epochs: "100", epochsSource: "section 5", warmup: "20",
        warmupSource: "a fifth, as in appendix A"),
      notes: ["all but model, epochs and warm-up is the ImageNet run's"]),
    Preset(
      name: "sdae-vit-base-300", summary: "SdAE: the method without labels",
      settings: paper(
        model: "vit-base", epochs: "300", epochsSource: "SdAE", warmup: "60", warmupSource: "SdAE", labels: "0"),
      notes: ["with the cosine of equation 1; SdAE's code takes it over tokens"]),
  ]

  private static let conflict = "section 4 has 800 epochs, appendix A and tables 4 to 6 have 300"

  private static func paper(
    model: String, epochs: String, epochsSource: String, warmup: String, warmupSource: String = "appendix A",
    labels: String = "1"
  ) -> [Preset.Setting] {
    let labelSource = labels == "0" ? "SdAE: no labels" : "equation 5"
    let shape = [
      ("--model", model, model == "vit-base" ? "section 4" : "section 5"), ("--image", "224", "section 4"),
      ("--patch", "16", "section 4"),
    ]
    return shape + Preset.decoder + [
      ("--mask-ratio", "0.75", "section 4"), ("--reconstruction-folds", "3", "appendix A"),
      ("--label-folds", "3", "appendix A"), ("--teachers", "disentangled", "section 3.2"),
      ("--reconstruction-momentum", "0.96", "section 4"), ("--reconstruction-momentum-end", "0.99", "section 4"),
      ("--label-momentum", "0.996", "section 4"), ("--label-momentum-end", "1", "section 4"),
      ("--lambda-m", "1", "equation 5"), ("--lambda-c", labels, labelSource), ("--lambda-p", labels, labelSource),
      ("--head-hidden", "2048", "DINO"), ("--head-bottleneck", "256", "DINO"), ("--prototypes", "4096", "section 3.3"),
      ("--student-temperature", "0.1", "DINO"), ("--teacher-temperature", "0.05", "SwAV"),
      ("--sinkhorn-iterations", "3", "SwAV"), ("--drop-path", "0.25", "appendix A"),
      ("--batch", "768", "appendix A"), ("--epochs", epochs, epochsSource), ("--warmup-epochs", warmup, warmupSource),
      ("--base-lr", "2.666e-4", "appendix A, SdAE"), ("--weight-decay", "0.05", "appendix A"),
    ]
  }
}
