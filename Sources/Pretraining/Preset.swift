import TensorStream

/// Settings of a paper under a name: what `--preset` means, with the source of each. An objective declares its own.
public struct Preset: Sendable {
  /// An option of pmae-pretrain, its value, and where that is from.
  public typealias Setting = (option: String, value: String, source: String)

  public let name: String
  public let summary: String
  public let settings: [Setting]
  /// Where sources contradict each other or are silent.
  public let notes: [String]

  public init(name: String, summary: String, settings: [Setting], notes: [String]) {
    (self.name, self.summary, self.settings, self.notes) = (name, summary, settings, notes)
  }

  /// The presets of all objectives.
  public static var all: [Preset] { objectives.flatMap { $0.presets } }

  /// - Throws: `Failure(.usage)` naming those that there are.
  public static func named(_ name: String) throws -> Preset {
    if let preset = all.first(where: { $0.name == name }) { return preset }
    throw Failure(.usage, "no preset is called \(name): expected one of \(all.map(\.name).joined(separator: ", "))")
  }

  /// As `--print-preset` prints it.
  public var text: String {
    let words = settings.map { "\($0.option) \($0.value)" }
    let width = words.map(\.count).max() ?? 0
    let lines = zip(words, settings).map { word, setting in
      "  " + word + String(repeating: " ", count: width + 2 - word.count) + setting.source
    }
    return ([name + ": " + summary] + lines + notes.map { "  note: " + $0 }).joined(separator: "\n")
  }

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
