import ArgumentParser
import Settings
import TensorStream

/// The options that objectives or tasks declare themselves: on the command line, in `--help`, and as values.
public struct DeclaredArguments {
  /// The option that chooses one of them.
  let chooser: String
  /// Which one it is without that option.
  let usual: String
  let owners: [any OptionOwner.Type]
  let presets: [Preset]

  public init(
    _ chooser: String, usual: String, among owners: [any OptionOwner.Type], presets: [Preset]
  ) {
    (self.chooser, self.usual, self.owners, self.presets) = (chooser, usual, owners, presets)
  }

  /// The command line as the parser reads it: a preset's options come before the others, and each option of the chosen
  /// one becomes `--set NAME=VALUE`, since the parser knows none of them. Where an option comes twice, the last one
  /// counts, so the command line overrides a preset.
  /// - Throws: `ValidationError` for an option of another one; `CleanExit` for `--print-preset`.
  public func expand(_ arguments: [String]) throws -> [String] {
    if let name = Preset.values(of: "--print-preset", in: arguments).last {
      throw CleanExit.message(try preset(name).text)
    }
    var all = arguments
    if let name = Preset.values(of: "--preset", in: arguments).last { all = try preset(name).before(arguments) }
    let name = Preset.values(of: chooser, in: all).last ?? usual
    // The tool refuses a name that nobody knows.
    guard let chosen = owners.first(where: { $0.name == name }) else { return all }
    return try replacing(all, typed: arguments, by: chosen)
  }

  private func preset(_ name: String) throws -> Preset {
    guard let preset = presets.named(name) else { throw ValidationError(presets.unknown(name)) }
    return preset
  }

  private func replacing(_ arguments: [String], typed: [String], by chosen: any OptionOwner.Type) throws -> [String] {
    let known = Set(chosen.settingNames)
    var result: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return result + [argument] + rest }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let name = parts[0].hasPrefix("--") ? String(parts[0].dropFirst(2)) : ""
      if known.contains(name) {
        guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
          throw ValidationError("Missing value for '--\(name) <\(name)>'")
        }
        result += ["--set", "\(name)=\(value)"]
      } else if let owner = owners.first(where: { $0.settingNames.contains(name) }) {
        let origin = Preset.values(of: "--" + name, in: typed).isEmpty ? ", which the preset sets," : ""
        throw ValidationError(
          "--\(name)\(origin) is an option of \(chooser) \(owner.name): it has no meaning with \(chooser) \(chosen.name)"
        )
      } else {
        result.append(argument)
      }
    }
    return result
  }

  /// What `--help` says of all of them.
  public var help: String { owners.map { $0.help(chooser) }.joined(separator: "\n\n") }
}

extension DeclaredOptions {
  /// Options from the words `NAME=VALUE` after `--set`, those of a command line after the other.
  /// - Returns: besides, the names of those that were given.
  /// - Throws: `ValidationError` for a value that cannot be, and an option without the other that it needs.
  public static func parsed(_ words: [String]) throws -> (options: Self, given: Set<String>) {
    var options = Self()
    var given: Set<String> = []
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let setting = settings.first(where: { $0.name == parts[0] }) else {
        throw ValidationError("--set \(word): expected NAME=VALUE of an option of what was chosen")
      }
      guard setting.parse(parts[1], into: &options) else {
        throw ValidationError("--\(setting.name) is \(parts[1]): expected \(setting.expected)")
      }
      given.insert(setting.name)
    }
    let acting = Set(settings.filter { $0.acts(in: options) }.map(\.name))
    for setting in settings where given.contains(setting.name) {
      for others in setting.needs where acting.isDisjoint(with: others) {
        throw ValidationError("--\(setting.name) needs \(others.map { "--" + $0 }.joined(separator: " or "))")
      }
    }
    return (options, given)
  }
}

extension OptionOwner {
  fileprivate static var settingNames: [String] { Options.settings.map(\.name) }

  fileprivate static func help(_ chooser: String) -> String {
    let defaults = Options()
    let rows = Options.settings.map { setting in
      let values = setting.words.isEmpty ? "" : "values: \(setting.words.joined(separator: ", ")); "
      let usual = setting.usual ?? setting.get(defaults)?.text ?? "none"
      let text = "\(setting.help) (\(values)default: \(usual))"
      return wrapped("--\(setting.name) <\(setting.name)>", text)
    }
    return "OPTIONS OF \(chooser) \(name) (\(summary)):\n" + rows.joined(separator: "\n")
  }

  /// As the parser sets its own: a text column from the 26th place on, lines of 80.
  private static func wrapped(_ label: String, _ text: String) -> String {
    var lines = ["  " + label]
    if lines[0].count < 25 { lines[0] += String(repeating: " ", count: 26 - lines[0].count) }
    var isOpen = lines[0].count == 26
    for word in text.split(separator: " ") {
      if isOpen, lines[lines.count - 1].count + 1 + word.count <= 80 {
        lines[lines.count - 1] += (lines[lines.count - 1].count == 26 ? "" : " ") + word
      } else {
        lines.append(String(repeating: " ", count: 26) + word)
        isOpen = true
      }
    }
    return lines.joined(separator: "\n")
  }
}
