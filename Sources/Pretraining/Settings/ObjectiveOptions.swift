import Networks
import TensorStream

/// What an objective can be told, with its defaults.
public protocol ObjectiveOptions: Equatable, Sendable {
  /// The defaults.
  init()
  /// Every option, in the order of `--help`.
  static var settings: [Setting<Self>] { get }
  /// Throws `Failure(.usage)` for what the bounds of single settings do not cover.
  func validate(for encoder: EncoderConfiguration) throws
  /// Throws `Failure(.usage)` for what does not go together with a run's other options.
  static func validate(_ configuration: Configuration<Self>) throws
}

extension ObjectiveOptions {
  public func validate(for encoder: EncoderConfiguration) throws {}
  public static func validate(_ configuration: Configuration<Self>) throws {}

  /// The options of a JSON object. It is flat, except where a setting's path has several keys.
  /// - Throws: `Failure(.data)` naming the key whose value cannot be.
  init(_ object: [String: Any], source: String) throws {
    self.init()
    for setting in Self.settings {
      let parent = setting.path.dropLast().reduce(object as [String: Any]?) { $0?[$1] as? [String: Any] }
      guard let found = parent?[setting.path.last ?? ""] else { continue }
      let value: SettingValue? =
        (found as? String).map { .word($0) } ?? (found as? Int).map { .whole($0) }
        ?? (found as? Double).map { .number($0) }
      guard let value, setting.set(&self, value) else {
        let expected = setting.words.isEmpty ? "a number" : setting.words.joined(separator: " or ")
        throw Failure(
          .data,
          "\(source): its configuration has \"\(setting.path.joined(separator: "."))\" \(found): expected \(expected)")
      }
    }
  }

  /// Puts every option into a JSON object.
  func write(to object: inout [String: Any]) {
    for setting in Self.settings {
      let value: Any =
        switch setting.get(self) {
        case .number(let number): number
        case .whole(let number): number
        case .word(let text): text
        }
      Self.put(value, at: setting.path[...], in: &object)
    }
  }

  private static func put(_ value: Any, at path: ArraySlice<String>, in object: inout [String: Any]) {
    guard let key = path.first else { return }
    if path.count == 1 {
      object[key] = value
    } else {
      var inner = object[key] as? [String: Any] ?? [:]
      put(value, at: path.dropFirst(), in: &inner)
      object[key] = inner
    }
  }
}

/// Options that have MAE's decoder.
public protocol DecoderOptions: ObjectiveOptions {
  var decoder: DecoderConfiguration { get set }
}

extension DecoderOptions {
  /// The decoder's settings.
  public static var decoderSettings: [Setting<Self>] {
    [
      .whole("decoder-width", at: ["decoder", "width"], \.decoder.width, "Width of the decoder."),
      .whole("decoder-depth", at: ["decoder", "depth"], \.decoder.depth, "Blocks of the decoder."),
      .whole("decoder-heads", at: ["decoder", "heads"], \.decoder.heads, "Attention heads of the decoder."),
    ]
  }
}

/// Options that mask patches.
public protocol MaskOptions: ObjectiveOptions {
  /// The share of the patches that is masked.
  var maskRatio: Double { get set }
}

extension MaskOptions {
  public static var maskSetting: Setting<Self> {
    .number("mask-ratio", \.maskRatio, .part, "Share of the patches that is masked.")
  }

  /// V, patches that the student sees: ⌊N (1 − mask ratio)⌋ (§3.1).
  public func visible(of patches: Int) -> Int { Int(Double(patches) * (1 - maskRatio)) }

  /// Throws `Failure(.usage)` where no patch is visible, or none masked.
  public func validateMask(patches: Int) throws {
    let visible = visible(of: patches)
    if visible < 1 || visible >= patches {
      throw Failure(
        .usage,
        "a mask-ratio of \(maskRatio) leaves \(visible) of \(patches) patches visible and masks \(patches - visible): both must be at least 1"
      )
    }
  }
}
