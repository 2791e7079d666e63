import Foundation
import TensorStream

/// One result: named values, and the place that they were read from.
public struct ResultRecord: Sendable {
  /// A value. Text that is a decimal number counts as one.
  public enum Value: Equatable, Sendable {
    case number(Double)
    case text(String)

    /// The number, where it is one.
    public var number: Double? {
      switch self {
      case .number(let value): return value
      case .text(let text):
        guard text.wholeMatch(of: #/[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?/#) != nil else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
      }
    }

    /// As a table names it: `15`, not `15.0`.
    public var text: String {
      switch self {
      case .text(let text): return text
      case .number(let value): return Int(exactly: value).map(String.init) ?? "\(value)"
      }
    }

    /// Whether a person who writes `text` means this value: `0.90` is 0.9.
    public func isMeant(by text: String) -> Bool {
      if self.text == text { return true }
      guard let number, let other = Value.text(text).number else { return false }
      return number == other
    }
  }

  /// What messages call the place: `knn.json: line 3`.
  public let place: String
  public private(set) var fields: [String: Value]
  /// Names that the file has for it without a value: a column's, or a key's whose value is null.
  public let missing: Set<String>

  public init(place: String, fields: [String: Value], missing: Set<String> = []) {
    (self.place, self.fields, self.missing) = (place, fields, missing)
  }

  public subscript(key: String) -> Value? {
    get { fields[key] }
    set { fields[key] = newValue }
  }

  /// Whether the file has the name, with a value or without.
  func knows(_ key: String) -> Bool { fields[key] != nil || missing.contains(key) }
}
