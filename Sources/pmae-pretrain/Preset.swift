// The settings of papers under a name: what --preset stands for, and where each comes from.

import ArgumentParser
import Foundation

/// Options of pmae-pretrain, each with its source.
struct Preset {
  typealias Setting = (option: String, value: String, source: String)

  let name: String
  let summary: String
  let settings: [Setting]
  /// Where sources contradict each other or are silent.
  let notes: [String]

  static func named(_ name: String) throws -> Preset {
    guard let preset = all.first(where: { $0.name == name }) else {
      throw ValidationError("no preset is called \(name): expected one of \(all.map(\.name).joined(separator: ", "))")
    }
    return preset
  }

  /// As --print-preset prints it.
  var text: String {
    let words = settings.map { "\($0.option) \($0.value)" }
    let width = words.map(\.count).max() ?? 0
    let lines = zip(words, settings).map { word, setting in
      "  " + word.padding(toLength: width + 2, withPad: " ", startingAt: 0) + setting.source
    }
    return ([name + ": " + summary] + lines + notes.map { "  note: " + $0 }).joined(separator: "\n")
  }

  /// The command line with a preset's options before the others: of an option that comes twice the last counts, so that
  /// those of the command line win. Throws `CleanExit` for --print-preset.
  static func expand(_ arguments: [String]) throws -> [String] {
    let options = arguments.prefix { $0 != "--" }
    func values(_ option: String) -> [String] {
      options.indices.compactMap { i in
        if options[i].hasPrefix(option + "=") { return String(options[i].dropFirst(option.count + 1)) }
        return options[i] == option && i + 1 < options.endIndex ? options[i + 1] : nil
      }
    }
    if let name = values("--print-preset").last { throw CleanExit.message(try named(name).text) }
    guard let name = values("--preset").last else { return arguments }
    // These two say the same thing in two ways.
    let givesRate = options.contains { $0 == "--lr" || $0.hasPrefix("--lr=") }
    let settings = try named(name).settings.filter { !(givesRate && $0.option == "--base-lr") }
    return settings.flatMap { [$0.option, $0.value] } + arguments
  }
}

extension Preset {
  static let all = [
    Preset(
      name: "imagenet-vit-base-300", summary: "Pseudo MAE on ImageNet-1K, as in appendix A",
      settings: paper(model: "vit-base", epochs: "300", epochsSource: "appendix A", warmup: "60"),
      notes: [conflict]),
    Preset(
      name: "imagenet-vit-base-800", summary: "Pseudo MAE on ImageNet-1K, as in section 4",
      settings: paper(model: "vit-base", epochs: "800", epochsSource: "section 4", warmup: "60"),
      notes: [conflict, "the warm-up is that of appendix A, for its 300 epochs"]),
    Preset(
      name: "ablation-vit-small-100", summary: "the same with ViT-S, for 100 epochs",
      settings: paper(
        model: "vit-small", epochs: "100", epochsSource: "shorter, for comparisons", warmup: "20",
        warmupSource: "a fifth, as in appendix A"),
      notes: ["all but model, epochs and warm-up is the ImageNet run's"]),
    Preset(
      name: "sdae-vit-base-300", summary: "SdAE: the method without labels",
      settings: paper(
        model: "vit-base", epochs: "300", epochsSource: "SdAE", warmup: "60", warmupSource: "SdAE", labels: "0"),
      notes: ["with the cosine of equation 1; SdAE's code takes it over tokens"]),
    Preset(
      name: "mae-vit-base-800", summary: "MAE, as in its ablations", settings: mae(epochs: "800"),
      notes: ["the paper compares at equal epochs: --epochs 300"]),
    Preset(
      name: "mae-vit-base-1600", summary: "MAE, as in its main results", settings: mae(epochs: "1600"), notes: []),
  ]

  private static let conflict = "section 4 has 800 epochs, appendix A and tables 4 to 6 have 300"

  private static func paper(
    model: String, epochs: String, epochsSource: String, warmup: String, warmupSource: String = "appendix A",
    labels: String = "1"
  ) -> [Setting] {
    let labelSource = labels == "0" ? "SdAE: no labels" : "equation 5"
    let shape = [
      ("--model", model, model == "vit-base" ? "section 4" : "a smaller model"), ("--image", "224", "section 4"),
      ("--patch", "16", "section 4"),
    ]
    return shape + decoder + [
      ("--mask-ratio", "0.75", "section 3.1"), ("--reconstruction-folds", "3", "section 3.1"),
      ("--label-folds", "3", "section 3.3"), ("--teachers", "disentangled", "section 3.2"),
      ("--reconstruction-momentum", "0.96", "section 3.2"), ("--reconstruction-momentum-end", "0.99", "section 3.2"),
      ("--label-momentum", "0.996", "section 3.2"), ("--label-momentum-end", "1", "section 3.2"),
      ("--lambda-m", "1", "equation 5"), ("--lambda-c", labels, labelSource), ("--lambda-p", labels, labelSource),
      ("--head-hidden", "2048", "DINO"), ("--head-bottleneck", "256", "DINO"), ("--prototypes", "4096", "chosen here"),
      ("--student-temperature", "0.1", "DINO"), ("--teacher-temperature", "0.05", "SwAV"),
      ("--sinkhorn-iterations", "3", "SwAV"), ("--drop-path", "0.25", "appendix A"),
      ("--batch", "768", "appendix A"), ("--epochs", epochs, epochsSource), ("--warmup-epochs", warmup, warmupSource),
      ("--base-lr", "2.666e-4", "appendix A, SdAE"), ("--weight-decay", "0.05", "appendix A"),
    ]
  }

  private static let decoder: [Setting] = [
    ("--decoder-width", "512", "MAE"), ("--decoder-depth", "8", "MAE"), ("--decoder-heads", "16", "MAE"),
  ]

  /// He et al., "Masked Autoencoders Are Scalable Vision Learners", appendix A.1, table 8.
  private static func mae(epochs: String) -> [Setting] {
    [
      ("--objective", "mae", "MAE"), ("--model", "vit-base", "MAE, appendix A.2"), ("--image", "224", "MAE"),
      ("--patch", "16", "MAE"),
    ] + decoder + [
      ("--mask-ratio", "0.75", "MAE"), ("--drop-path", "0", "MAE"), ("--batch", "4096", "MAE, table 8"),
      ("--epochs", epochs, "MAE"), ("--warmup-epochs", "40", "MAE, table 8"), ("--base-lr", "1.5e-4", "MAE, table 8"),
      ("--weight-decay", "0.05", "MAE, table 8"),
    ]
  }
}
