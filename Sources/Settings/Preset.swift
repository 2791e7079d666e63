/// Settings of a paper under a name: what `--preset` means, with the source of each.
public struct Preset: Sendable {
  /// An option of the tool, its value, and where that is from.
  public typealias Setting = (option: String, value: String, source: String)

  public let name: String
  public let summary: String
  public let settings: [Setting]
  /// Where sources contradict each other or are silent.
  public let notes: [String]

  public init(name: String, summary: String, settings: [Setting], notes: [String]) {
    (self.name, self.summary, self.settings, self.notes) = (name, summary, settings, notes)
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

  /// A command line with the settings in front: where an option comes twice, the last one counts.
  public func before(_ arguments: [String]) -> [String] {
    // These two say the same thing in two ways.
    let givesRate = !Self.values(of: "--lr", in: arguments).isEmpty
    let settings = settings.filter { !(givesRate && $0.option == "--base-lr") }
    return settings.flatMap { [$0.option, $0.value] } + arguments
  }

  /// The values that an option has on a command line.
  public static func values(of option: String, in arguments: [String]) -> [String] {
    let options = arguments.prefix { $0 != "--" }
    return options.indices.compactMap { i in
      if options[i].hasPrefix(option + "=") { return String(options[i].dropFirst(option.count + 1)) }
      return options[i] == option && i + 1 < options.endIndex ? options[i + 1] : nil
    }
  }
}

extension [Preset] {
  /// The preset of this name; nil where there is none.
  public func named(_ name: String) -> Preset? { first { $0.name == name } }

  /// What is wrong with a name that no preset has.
  public func unknown(_ name: String) -> String {
    "no preset is called \(name): expected one of \(map(\.name).joined(separator: ", "))"
  }
}
