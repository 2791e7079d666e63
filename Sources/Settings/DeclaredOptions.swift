import TensorStream

/// Options that are declared as settings, with their defaults.
public protocol DeclaredOptions: Equatable, Sendable {
  /// The defaults.
  init()
  /// Every option, in the order of `--help`.
  static var settings: [Setting<Self>] { get }
}

/// What is chosen by its name on a command line, and has options of its own: an objective, or a task.
public protocol OptionOwner: SendableMetatype {
  associatedtype Options: DeclaredOptions

  /// The word that chooses it.
  static var name: String { get }
  /// For `--help`: one line.
  static var summary: String { get }
}

extension DeclaredOptions {
  /// The options of a JSON object. It is flat, except where a setting's path has several keys.
  /// - Throws: `Failure(.data)` naming the key whose value cannot be.
  public init(_ object: [String: Any], source: String) throws {
    self.init()
    for setting in Self.settings {
      let parent = setting.path.dropLast().reduce(object as [String: Any]?) { $0?[$1] as? [String: Any] }
      guard let found = parent?[setting.path.last ?? ""] else { continue }
      guard let value = SettingValue(json: found), setting.set(&self, value) else {
        throw Failure(
          .data,
          "\(source): its configuration has \"\(setting.path.joined(separator: "."))\" \(found): expected \(setting.expected)"
        )
      }
    }
  }

  /// Of a configuration's text, read to the last bit.
  public init(json: String, source: String) throws {
    guard let object = ExactJSON.object(json) else {
      throw Failure(.data, "\(source): its configuration is not a JSON object")
    }
    try self.init(object, source: source)
  }

  /// Writes every option beside what else an object holds.
  public func encode(to encoder: any Encoder) throws {
    for setting in Self.settings {
      guard let value = setting.get(self) else { continue }
      var container = encoder.container(keyedBy: SettingKey.self)
      for key in setting.path.dropLast() {
        container = container.nestedContainer(keyedBy: SettingKey.self, forKey: SettingKey(key))
      }
      let key = SettingKey(setting.path.last ?? "")
      switch value {
      case .number(let number): try container.encode(number, forKey: key)
      case .whole(let number): try container.encode(number, forKey: key)
      case .word(let text): try container.encode(text, forKey: key)
      case .list(let values): try container.encode(values, forKey: key)
      }
    }
  }

  /// These options as far as they were given, by the settings' names, and others elsewhere.
  public func over(_ others: Self, given: Set<String>) -> Self {
    var result = others
    for setting in Self.settings where given.contains(setting.name) {
      if let value = setting.get(self) { _ = setting.set(&result, value) }
    }
    return result
  }

  /// Throws `Failure(.usage)` naming the first setting that is out of its bounds.
  public func validateSettings() throws { for setting in Self.settings { try setting.validate(self) } }
}

private struct SettingKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ text: String) { stringValue = text }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}
