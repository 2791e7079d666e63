import Foundation
import TensorStream

/// Keys in the end of a file's path. From `cells/mae/seed0/epoch15.knn.json` the pattern
/// `{cell}/seed{seed}/epoch{epoch}.{measure}.json` takes four.
public struct PathPattern: Sendable {
  private let text: String
  private let expression: String
  private let names: [String]

  /// - Parameter text: path components; `{NAME}` stands for one character or more of a component, as few as will do.
  /// - Throws: `Failure(.usage)` where a brace is not closed, or a name is empty or comes twice.
  public init(_ text: String) throws {
    var expression = ""
    var names: [String] = []
    var rest = text[...]
    while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      guard rest[brace] == "{", let end = rest[brace...].firstIndex(of: "}") else {
        throw Failure(.usage, "the pattern \(quoted(text)) has a brace that is alone: expected {NAME}")
      }
      let name = String(rest[rest.index(after: brace)..<end])
      guard !name.isEmpty, !name.contains("{"), !names.contains(name) else {
        throw Failure(.usage, "the pattern \(quoted(text)) has {\(name)}: expected a name that comes once")
      }
      names.append(name)
      expression += NSRegularExpression.escapedPattern(for: String(rest[..<brace])) + "([^/]+?)"
      rest = rest[rest.index(after: end)...]
    }
    guard !names.isEmpty else {
      throw Failure(.usage, "the pattern \(quoted(text)) names no key: expected a {NAME} in it")
    }
    self.text = text
    self.names = names
    self.expression = "(?:^|/)" + expression + NSRegularExpression.escapedPattern(for: String(rest)) + "$"
  }

  /// - Throws: `Failure(.data)` where a path does not end so.
  func keys(of path: String) throws -> [(key: String, value: String)] {
    let whole = NSRange(path.startIndex..., in: path)
    guard let match = try NSRegularExpression(pattern: expression).firstMatch(in: path, range: whole) else {
      throw Failure(.data, "\(path): its name does not end as the pattern \(quoted(text)) says")
    }
    return names.enumerated().compactMap { i, name in
      Range(match.range(at: i + 1), in: path).map { (name, String(path[$0])) }
    }
  }
}
