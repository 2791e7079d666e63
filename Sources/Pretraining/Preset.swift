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

  /// MAE's decoder, which other methods took over.
  static let decoder: [Setting] = [
    ("--decoder-width", "512", "MAE"), ("--decoder-depth", "8", "MAE"), ("--decoder-heads", "16", "MAE"),
  ]
}
