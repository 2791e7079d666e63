// What the tests need to know of a page in mdoc.

import Foundation

struct ManPage {
  let path: String
  private let lines: [String]

  /// Errors: where it can't be read.
  init(_ name: String) throws {
    path = "\(ToolRunner.checkout)/man/\(name)"
    lines = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n")
  }

  /// The long options that have an item: `.It Fl -output Ar file` gives `--output`.
  var options: Set<String> {
    Set(
      lines.filter { $0.hasPrefix(".It ") }.flatMap { line in
        line.matches(of: #/Fl (?:-|Fl )([a-z][a-z0-9-]*)/#).map { "--" + String($0.1) }
      })
  }

  /// The scripts in the displays that a `.\" run` comment stands before.
  var runnableExamples: [String] {
    var examples: [String] = []
    for (i, line) in lines.enumerated() where line == ".\\\" run" {
      let block = lines[(i + 1)...].drop { !$0.hasPrefix(".Bd") }.dropFirst().prefix { $0 != ".Ed" }
      examples.append(block.map(Self.unescaped).joined(separator: "\n"))
    }
    return examples
  }

  /// A line of a literal display as roff shows it.
  private static func unescaped(_ line: String) -> String {
    var text = line.hasPrefix("\\&") ? String(line.dropFirst(2)) : line
    for (escape, character) in [
      ("\\(aq", "'"), ("\\(dq", "\""), ("\\(ti", "~"), ("\\-", "-"), ("\\&", ""), ("\\e", "\\"),
    ] {
      text = text.replacingOccurrences(of: escape, with: character)
    }
    return text
  }
}
