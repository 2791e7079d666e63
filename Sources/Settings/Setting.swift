import TensorStream

/// A value of a setting, as a command line and a configuration file write it.
public enum SettingValue: Equatable, Sendable {
  case number(Double)
  case whole(Int)
  case word(String)
  /// Whole numbers, with commas between.
  case list([Int])

  /// As it is written after its option.
  public var text: String {
    switch self {
    case .number(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    case .whole(let value): String(value)
    case .word(let text): text
    case .list(let values): values.map(String.init).joined(separator: ",")
    }
  }

  /// Of a value as `ExactJSON` reads it; nil where no setting has such a one.
  init?(json: Any) {
    switch json {
    case let text as String: self = .word(text)
    case let value as Int: self = .whole(value)
    case let value as Double: self = .number(value)
    case let values as [Int]: self = .list(values)
    default: return nil
    }
  }
}

/// One setting of an objective or of a task, declared once. It is an option of the command line, a key of `config.json` and of
/// checkpoints, a row of `--help`, and a bound that is checked. A setting that a file lacks is newer than the file, and
/// has its default.
///
///     struct Options: DeclaredOptions {
///       enum Target: String, CaseIterable { case pixels, features }
///       var target = Target.pixels
///       var temperature = 0.1
///       static let settings: [Setting<Options>] = [
///         .word("target", \.target, "What is predicted."),
///         .number("temperature", \.temperature, .part, "What logits are divided by."),
///       ]
///     }
public struct Setting<Options: Sendable>: Sendable {
  /// The option's without the dashes: `mask-ratio`.
  public let name: String
  public let help: String
  /// What a word may be; empty for numbers.
  public let words: [String]
  /// What its values are.
  public let kind: Kind
  /// Where it is in a configuration: `["maskRatio"]`, `["decoder", "width"]`.
  public let path: [String]
  /// What its default is where that depends on others; nil where the defaults say it.
  public let usual: String?
  /// Groups of options: where all of one have no value, or 0, it means nothing.
  public private(set) var needs: [[String]] = []
  /// Nil where it has no value.
  public let get: @Sendable (Options) -> SettingValue?
  /// False where the value is of another type, or is not one of the words.
  public let set: @Sendable (inout Options, SettingValue) -> Bool
  /// What it must be where it is not: `0 or more`.
  private let broken: @Sendable (Options) -> String?

  public enum Kind: Sendable {
    case number, whole, word, text, list

    /// What a value must be.
    var expected: String {
      switch self {
      case .number, .whole: "a number"
      case .word, .text: "a word"
      case .list: "whole numbers with commas between"
      }
    }
  }

  private init(
    _ name: String, _ kind: Kind, path: [String]?, help: String, words: [String] = [], usual: String? = nil,
    get: @escaping @Sendable (Options) -> SettingValue?,
    set: @escaping @Sendable (inout Options, SettingValue) -> Bool,
    broken: @escaping @Sendable (Options) -> String? = { _ in nil }
  ) {
    (self.name, self.kind, self.path, self.help) = (name, kind, path ?? [Self.key(name)], help)
    (self.words, self.usual) = (words, usual)
    (self.get, self.set, self.broken) = (get, set, broken)
  }

  /// A number within bounds.
  /// - Parameters:
  ///   - path: where it is in a configuration, if that is not its name.
  ///   - usual: what the default is, in words.
  public static func number(
    _ name: String, at path: [String]? = nil, _ place: WritableKeyPath<Options, Double> & Sendable, _ bounds: Bounds,
    _ help: String, usual: String? = nil
  ) -> Setting {
    Setting(
      name, .number, path: path, help: help, usual: usual, get: { .number($0[keyPath: place]) },
      set: { options, value in
        guard let number = value.asNumber else { return false }
        options[keyPath: place] = number
        return true
      },
      broken: { bounds.message(name, $0[keyPath: place]) })
  }

  /// The same of a number that may be absent, which is its default.
  public static func number(
    _ name: String, at path: [String]? = nil, _ place: WritableKeyPath<Options, Double?> & Sendable, _ bounds: Bounds,
    _ help: String
  ) -> Setting {
    Setting(
      name, .number, path: path, help: help, usual: "none", get: { $0[keyPath: place].map { .number($0) } },
      set: { options, value in
        guard let number = value.asNumber else { return false }
        options[keyPath: place] = number
        return true
      },
      broken: { $0[keyPath: place].flatMap { bounds.message(name, $0) } })
  }

  /// A whole number. `validate` says what it may be.
  public static func whole(
    _ name: String, at path: [String]? = nil, _ place: WritableKeyPath<Options, Int> & Sendable, _ help: String,
    usual: String? = nil
  ) -> Setting {
    Setting(
      name, .whole, path: path, help: help, usual: usual, get: { .whole($0[keyPath: place]) },
      set: { options, value in
        guard let whole = value.asWhole else { return false }
        options[keyPath: place] = whole
        return true
      })
  }

  /// Whole numbers. `validate` says what they may be.
  public static func list(
    _ name: String, at path: [String]? = nil, _ place: WritableKeyPath<Options, [Int]> & Sendable, _ help: String,
    usual: String? = nil
  ) -> Setting {
    Setting(
      name, .list, path: path, help: help, usual: usual, get: { .list($0[keyPath: place]) },
      set: { options, value in
        guard case .list(let values) = value else { return false }
        options[keyPath: place] = values
        return true
      })
  }

  /// One of some words.
  public static func word<Word: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, at path: [String]? = nil, _ place: WritableKeyPath<Options, Word> & Sendable, _ help: String,
    usual: String? = nil
  ) -> Setting where Word.RawValue == String {
    Setting(
      name, .word, path: path, help: help, words: Word.allCases.map(\.rawValue), usual: usual,
      get: { .word($0[keyPath: place].rawValue) },
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
    Setting(
      name, .text, path: nil, help: help, get: { .word($0[keyPath: place]) },
      set: { options, value in
        guard case .word(let text) = value else { return false }
        options[keyPath: place] = text
        return true
      })
  }

  /// The same setting, which has no meaning without one of these others.
  public func needing(_ others: String...) -> Setting {
    var copy = self
    copy.needs.append(others)
    return copy
  }

  /// Whether it has a value other than 0.
  public func acts(in options: Options) -> Bool { get(options).map { $0.text != "0" } ?? false }

  /// Throws `Failure(.usage)` where its value is out of its bounds.
  public func validate(_ options: Options) throws {
    if let message = broken(options) { throw Failure(.usage, message) }
  }

  /// Sets it from the text after an option; false where the text is not a possible value.
  public func parse(_ text: String, into options: inout Options) -> Bool {
    switch kind {
    case .word, .text: return set(&options, .word(text))
    case .list:
      let values = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      return !values.contains(nil) && set(&options, .list(values.compactMap(\.self)))
    case .number, .whole:
      if let whole = Int(text) { return set(&options, .whole(whole)) }
      return Double(text).map { set(&options, .number($0)) } ?? false
    }
  }

  /// What a value must be, for messages.
  public var expected: String { words.isEmpty ? kind.expected : "one of " + words.joined(separator: ", ") }

  /// `mask-ratio` as a key: `maskRatio`.
  private static func key(_ name: String) -> String {
    let words = name.split(separator: "-")
    return words.dropFirst().reduce(words.first.map(String.init) ?? "") {
      $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
  }
}

extension SettingValue {
  fileprivate var asNumber: Double? {
    switch self {
    case .number(let value): value
    case .whole(let value): Double(value)
    case .word, .list: nil
    }
  }

  fileprivate var asWhole: Int? {
    switch self {
    case .number(let value): Int(exactly: value)
    case .whole(let value): value
    case .word, .list: nil
    }
  }
}

/// What a number may be.
public struct Bounds: Sendable {
  let text: String
  let hold: @Sendable (Double) -> Bool

  /// What is wrong with a value; nil where nothing is.
  func message(_ name: String, _ value: Double) -> String? {
    hold(value) ? nil : "\(name) must be \(text), not \(SettingValue.number(value).text)"
  }

  /// `least` or more.
  public static func atLeast(_ least: Double) -> Bounds {
    let text = SettingValue.number(least).text
    return Bounds(text: least == 0 ? "0 or more" : "at least \(text)") { $0 >= least && $0.isFinite }
  }

  /// From 0 to 1, both included.
  public static let share = Bounds(text: "from 0 to 1") { $0 >= 0 && $0 <= 1 }
  /// Between 0 and 1.
  public static let part = Bounds(text: "between 0 and 1") { $0 > 0 && $0 < 1 }
  /// From 0 to below 1.
  public static let belowOne = Bounds(text: "from 0 to below 1") { $0 >= 0 && $0 < 1 }
  /// Above 0.
  public static let positive = Bounds(text: "above 0") { $0 > 0 && $0.isFinite }
}
