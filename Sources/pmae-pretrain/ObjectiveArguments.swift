import ArgumentParser
import Training
import Foundation
import Pretraining
import TensorStream

/// The options of objectives, which they declare themselves: on the command line, in `--help`, and as values.
enum ObjectiveArguments {
  /// The command line as the parser reads it: a preset's options come before the others, and each option of the chosen
  /// objective becomes `--set NAME=VALUE`, since the parser knows none of them. Where an option comes twice, the last
  /// one counts, so the command line overrides a preset.
  /// - Throws: `ValidationError` for an option of another objective; `CleanExit` for `--print-preset`.
  static func expand(_ arguments: [String]) throws -> [String] {
    if let name = values(of: "--print-preset", in: arguments).last {
      throw CleanExit.message(try preset(name).text)
    }
    let all = try withPreset(arguments)
    let name = values(of: "--objective", in: all).last ?? PseudoMAE.name
    // The tool refuses a name that nobody knows.
    guard let chosen = objectives.first(where: { $0.name == name }) else { return all }
    return try replacing(all, typed: arguments, by: chosen)
  }

  private static func preset(_ name: String) throws -> Preset {
    do {
      return try Preset.named(name)
    } catch let failure as Failure {
      throw ValidationError(failure.message)
    }
  }

  private static func withPreset(_ arguments: [String]) throws -> [String] {
    guard let name = values(of: "--preset", in: arguments).last else { return arguments }
    return try preset(name).before(arguments)
  }

  private static func values(of option: String, in arguments: [String]) -> [String] {
    Preset.values(of: option, in: arguments)
  }

  private static func replacing<O: Objective>(_ arguments: [String], typed: [String], by chosen: O.Type) throws
    -> [String]
  {
    let known = Set(O.Options.settings.map(\.name))
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
      } else if let owner = objectives.first(where: { $0.settingNames.contains(name) }) {
        let origin = values(of: "--" + name, in: typed).isEmpty ? ", which the preset sets," : ""
        throw ValidationError(
          "--\(name)\(origin) is an option of --objective \(owner.name): it has no meaning with --objective \(O.name)")
      } else {
        result.append(argument)
      }
    }
    return result
  }

  /// Options from words `NAME=VALUE`, those of a command line after the other.
  static func options<Options: ObjectiveOptions>(_ words: [String], as _: Options.Type) throws -> Options {
    var options = Options()
    var given: Set<String> = []
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let setting = Options.settings.first(where: { $0.name == parts[0] }) else {
        throw ValidationError("--set \(word): expected NAME=VALUE of an option of the objective")
      }
      guard setting.parse(parts[1], into: &options) else {
        let expected = setting.words.isEmpty ? "a number" : "one of " + setting.words.joined(separator: ", ")
        throw ValidationError("--\(setting.name) is \(parts[1]): expected \(expected)")
      }
      given.insert(setting.name)
    }
    for setting in Options.settings where given.contains(setting.name) {
      if let other = setting.needs, !given.contains(other) {
        throw ValidationError("--\(setting.name) needs --\(other)")
      }
    }
    return options
  }

  /// What `--help` says of every objective.
  static var help: String { objectives.map { $0.help }.joined(separator: "\n\n") }
}

extension Objective {
  fileprivate static var settingNames: [String] { Options.settings.map(\.name) }

  fileprivate static var help: String {
    let defaults = Options()
    let rows = Options.settings.map { setting in
      let values = setting.words.isEmpty ? "" : "values: \(setting.words.joined(separator: ", ")); "
      let text = "\(setting.help) (\(values)default: \(setting.get(defaults).text))"
      return wrapped("--\(setting.name) <\(setting.name)>", text)
    }
    return "OPTIONS OF --objective \(name) (\(summary)):\n" + rows.joined(separator: "\n")
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
