import Foundation

/// Structure inside a metadata value, which is a string: the structure's JSON.
public enum JSONText {
  /// The JSON of a value on one line, keys sorted, so that equal values give equal text.
  /// - Throws: `Failure(.software)` for what JSON cannot say: a number that is not finite.
  /// - Parameter pretty: for people, on several lines.
  public static func encode<T: Encodable>(_ value: T, pretty: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw Failure(.software, "cannot write \(T.self) as JSON: \(error)")
    }
  }

  /// The value that a JSON text holds.
  /// - Parameter what: what a message calls the text, such as `images.stz: metadata "classes"`.
  /// - Throws: `Failure(.data)` where the text is not JSON or holds something else.
  public static func decode<T: Decodable>(_ type: T.Type, from text: String, what: String) throws -> T {
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch {
      throw Failure(.data, "\(what): expected JSON for \(type), found \(quoted(text))")
    }
  }
}
