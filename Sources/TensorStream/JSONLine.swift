import Foundation

/// One line of JSON: an object whose keys keep the order in which they were added.
///
/// Numbers have nine digits, which tell any two float32 values apart.
///
///     var line = JSONLine()
///     line.add("k", 20)
///     line.add("top1", 0.75)
///     print(line.text)  // {"k":20,"top1":0.75}
public struct JSONLine: Sendable {
  private var fields: [String] = []

  public init() {}

  /// - Throws: nothing that text can cause; `JSONText.encode` escapes what JSON wants escaped.
  public mutating func add(_ key: String, _ value: String) throws {
    fields.append("\"\(key)\":" + (try JSONText.encode(value)))
  }
  public mutating func add(_ key: String, _ value: Int) { fields.append("\"\(key)\":\(value)") }
  public mutating func add(_ key: String, _ values: [Int]) {
    fields.append("\"\(key)\":[" + values.map(String.init).joined(separator: ",") + "]")
  }
  /// A value that is not finite is `null`: JSON has no such numbers.
  public mutating func add(_ key: String, _ value: Double) {
    fields.append("\"\(key)\":" + (value.isFinite ? Self.number(value) : "null"))
  }

  /// The object, without an end of line.
  public var text: String { "{" + fields.joined(separator: ",") + "}" }

  /// A number as these lines hold it.
  public static func number(_ value: Double) -> String { String(format: "%.9g", value) }
}
