import TensorStream

/// A value of a setting, as a command line and a configuration file write it.
public enum SettingValue: Equatable, Sendable {
  case number(Double)
  case whole(Int)
  case word(String)

  /// As it is written after its option.
  public var text: String {
    switch self {
    case .number(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    case .whole(let value): String(value)
    case .word(let text): text
    }
  }
}

/// One setting of an objective, declared once. It is an option of the command line, a key of `config.json` and of
/// checkpoints, a row of `--help`, and a bound that is checked. A setting that a file lacks is newer than the file, and
/// has its default.
///
///     struct Options: ObjectiveOptions {
///       enum Target: String, CaseIterable { case pixels, features }
///       var target = Target.pixels
///       var temperature = 0.1
///       static let settings: [Setting<Options>] = [
///         .word("target", \.target, "What is predicted."),
///         .number("temperature", \.temperature, .part, "What logits are divided by."),
///       ]
///       func validate(for encoder: EncoderConfiguration) throws {}
///     }
public struct Setting<Options: ObjectiveOptions>: Sendable {
  /// The option's without the dashes: `mask-ratio`.
  public let name: String
  public let help: String
  /// What a word may be; empty for numbers.
  public let words: [String]
  /// Whether it takes any text.
  public private(set) var isText = false
  /// Where it is in a configuration: `["maskRatio"]`, `["decoder", "width"]`.
  public let path: [String]
  /// The option without which it means nothing.
  public private(set) var needs: String?
  public let get: @Sendable (Options) -> SettingValue
  /// False where the value is of another type, or is not one of the words.
  public let set: @Sendable (inout Options, SettingValue) -> Bool
  /// What it must be where it is not: `0 or more`.
  private let broken: @Sendable (Options) -> String?

  private init(
    _ name: String, path: [String]? = nil, help: String, words: [String] = [],
    get: @escaping @Sendable (Options) -> SettingValue,
    set: @escaping @Sendable (inout Options, SettingValue) -> Bool,
    broken: @escaping @Sendable (Options) -> String? = { _ in nil }
  ) {
    (self.name, self.path, self.help, self.words) = (name, path ?? [Self.key(name)], help, words)
    (self.get, self.set, self.broken) = (get, set, broken)
  }

  /// A number within bounds.
  public static func number(
    _ name: String, _ place: WritableKeyPath<Options, Double> & Sendable, _ bounds: Bounds, _ help: String
  ) -> Setting {
    Setting(
      name, help: help, get: { .number($0[keyPath: place]) },
      set: { options, value in
        switch value {
        case .number(let number): options[keyPath: place] = number
        case .whole(let number): options[keyPath: place] = Double(number)
        case .word: return false
        }
        return true
      },
      broken: { options in
        let value = options[keyPath: place]
        return bounds.hold(value) ? nil : "\(name) must be \(bounds.text), not \(SettingValue.number(value).text)"
      })
  }

  /// A whole number. `validate` says what it may be.
  /// - Parameter path: where it is in a configuration, if that is not its name.
  public static func whole(
    _ name: String, at path: [String]? = nil, _ place: WritableKeyPath<Options, Int> & Sendable, _ help: String
  ) -> Setting {
    Setting(
      name, path: path, help: help, get: { .whole($0[keyPath: place]) },
      set: { options, value in
        switch value {
        case .whole(let number): options[keyPath: place] = number
        case .number(let number):
          guard let whole = Int(exactly: number) else { return false }
          options[keyPath: place] = whole
        case .word: return false
        }
        return true
      })
  }

  /// One of some words.
  public static func word<Word: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ place: WritableKeyPath<Options, Word> & Sendable, _ help: String
  ) -> Setting where Word.RawValue == String {
    Setting(
      name, help: help, words: Word.allCases.map(\.rawValue), get: { .word($0[keyPath: place].rawValue) },
      set: { options, value in
        guard case .word(let text) = value, let word = Word(rawValue: text) else { return false }
        options[keyPath: place] = word
        return true
      })
  }

  /// Any text, such as a file's name.
  public static func text(
    _ name: String, _ place: WritableKeyPath<Options, String> & Sendable, _ help: String
  ) -> Setting {
    var setting = Setting(
      name, help: help, get: { .word($0[keyPath: place]) },
      set: { options, value in
        guard case .word(let text) = value else { return false }
        options[keyPath: place] = text
        return true
      })
    setting.isText = true
    return setting
  }

  /// The same setting, which has no meaning without another.
  public func needing(_ other: String) -> Setting {
    var copy = self
    copy.needs = other
    return copy
  }

  /// Throws `Failure(.usage)` where its value is out of its bounds.
  public func validate(_ options: Options) throws {
    if let message = broken(options) { throw Failure(.usage, message) }
  }

  /// Sets it from the text after an option; false where the text is not a possible value.
  public func parse(_ text: String, into options: inout Options) -> Bool {
    if isText || !words.isEmpty { return set(&options, .word(text)) }
    if let whole = Int(text) { return set(&options, .whole(whole)) }
    return Double(text).map { set(&options, .number($0)) } ?? false
  }

  /// `mask-ratio` as a key: `maskRatio`.
  private static func key(_ name: String) -> String {
    let words = name.split(separator: "-")
    return words.dropFirst().reduce(words.first.map(String.init) ?? "") {
      $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
  }
}

/// What a number may be.
public struct Bounds: Sendable {
  let text: String
  let hold: @Sendable (Double) -> Bool

  /// `least` or more.
  public static func atLeast(_ least: Double) -> Bounds {
    let text = SettingValue.number(least).text
    return Bounds(text: least == 0 ? "0 or more" : "at least \(text)") { $0 >= least && $0.isFinite }
  }

  /// From 0 to 1, both included.
  public static let share = Bounds(text: "from 0 to 1") { $0 >= 0 && $0 <= 1 }
  /// Between 0 and 1.
  public static let part = Bounds(text: "between 0 and 1") { $0 > 0 && $0 < 1 }
}
