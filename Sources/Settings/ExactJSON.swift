import Foundation

/// A value of a JSON text whose numbers are read to the last bit. `JSONSerialization` does not promise that, and a run would not go
/// on where one of its numbers comes back as its neighbour.
struct ExactJSON: Decodable {
  let value: Any

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      value = NSNull()
    } else if let object = try? container.decode([String: ExactJSON].self) {
      value = object.mapValues(\.value)
    } else if let list = try? container.decode([ExactJSON].self) {
      value = list.map(\.value)
    } else if let text = try? container.decode(String.self) {
      value = text
    } else if let isTrue = try? container.decode(Bool.self) {
      value = isTrue
    } else if let whole = try? container.decode(Int.self) {
      value = whole
    } else {
      value = try container.decode(Double.self)
    }
  }

  /// The object that a text is; nil where it is none.
  static func object(_ json: String) -> [String: Any]? {
    (try? JSONDecoder().decode([String: ExactJSON].self, from: Data(json.utf8)))?.mapValues(\.value)
  }
}
