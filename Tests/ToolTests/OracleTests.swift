// The oracle's committed runs are those that its README makes, and a fresh one agrees where there is a Python for it.

import Foundation
import Testing

@Suite struct OracleTests {
  private static let oracle = ToolRunner.checkout + "/Tests/Oracle/"
  private static let fixtures = ToolRunner.checkout + "/Tests/PretrainingTests/Fixtures/oracle/"

  /// The README's commands: of each run its name and the fields that are not the oracle's defaults.
  private static func commands() throws -> [String: [String: String]] {
    let text = try String(contentsOfFile: oracle + "README.md", encoding: .utf8)
    let lines = text.replacingOccurrences(of: "\\\n", with: " ").split(separator: "\n")
    var found: [String: [String: String]] = [:]
    for line in lines where line.hasPrefix("python take_apart.py ") {
      let words = line.split(separator: " ").dropFirst(2).filter { !$0.hasPrefix("--") }.map(String.init)
      found[words[0]] = fields(words.dropFirst())
    }
    return found
  }

  private static func fields(_ words: some Sequence<String>) -> [String: String] {
    var value: [String: String] = [:]
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      if parts.count == 2 { value[parts[0]] = parts[1] }
    }
    return value
  }

  /// What the oracle takes where a command says nothing: `Config`, then `TINY` and `RUN` over it.
  private static func defaults() throws -> [String: String] {
    let network = try String(contentsOfFile: oracle + "pseudo_mae.py", encoding: .utf8)
    let run = try String(contentsOfFile: oracle + "fixtures.py", encoding: .utf8)
    var value: [String: String] = [:]
    for match in network.matches(of: /\n    (\w+): (?:int|float|str) = "?([\w.-]+)/) {
      value[String(match.1)] = String(match.2)
    }
    for name in ["TINY", "RUN"] {
      let match = try #require(
        try run.firstMatch(of: Regex("\n\(name) = dict\\(([^)]*)\\)", as: (Substring, Substring).self)))
      value.merge(fields(match.1.split(separator: ",").map(String.init))) { $1 }
    }
    return value
  }

  /// The options that an objective has, and the field of each.
  private static func words(of objective: String?) throws -> [String: String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: oracle + "options.json"))
    let table = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
    let objective = try #require(objective)
    let groups = try #require(table["objectives"]?[objective] as? [String], "\(objective)")
    var field: [String: String] = [:]
    for group in groups {
      for (key, word) in try #require(table[group] as? [String: String]) { field["--" + word] = key }
    }
    return field
  }

  private func same(_ a: String, _ b: String?) -> Bool {
    if let x = Double(a), let y = b.flatMap(Double.init) { return x == y }
    return a == b
  }

  @Test func everyCommittedRunHasACommand() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures)
    let names = files.filter { $0.hasSuffix(".options") }.map { String($0.dropLast(".options".count)) }
    #expect(!names.isEmpty)
    #expect(names.sorted() == (try Self.commands().keys.sorted()))
  }

  @Test func theOptionsOfEachCommittedRunAreThoseOfItsCommand() throws {
    let defaults = try Self.defaults()
    for (name, given) in try Self.commands() {
      let asked = defaults.merging(given) { $1 }
      let text = try String(contentsOfFile: Self.fixtures + name + ".options", encoding: .utf8)
      let lines = text.split(separator: "\n").map(String.init)
      try #require(lines.count % 2 == 0)
      let committed = Dictionary(
        stride(from: 0, to: lines.count, by: 2).map { (lines[$0], lines[$0 + 1]) }, uniquingKeysWith: { $1 })
      let all = try Self.words(of: "pseudo-mae")
      let own = try Self.words(of: asked["objective"])
      for (option, field) in own {
        let value = try #require(committed[option], "\(name): no \(option)")
        #expect(
          same(value, asked[field]), "\(name): \(option) is \(value); its command says \(asked[field] ?? "nothing")")
      }
      // An option of another objective says what is true of that, or is not there.
      for (option, value) in committed where own[option] == nil {
        let field = try #require(all[option], "\(name): \(option)")
        #expect(
          same(value, asked[field]), "\(name): \(option) is \(value); its command says \(asked[field] ?? "nothing")")
      }
    }
  }

  /// Of the other objectives, whose defaults are methods.py's: what a command gives is what was committed.
  @Test func theOtherObjectivesRunsAreTheirCommands() throws {
    let folder = ToolRunner.checkout + "/Tests/PretrainingTests/Fixtures/methods/"
    let text = try String(contentsOfFile: folder + "README.md", encoding: .utf8)
    var names: [String] = []
    for line in text.split(separator: "\n") where line.hasPrefix("python take_apart.py ") {
      let words = line.split(separator: " ").dropFirst(2).map(String.init)
      names.append(words[0])
      let given = Self.fields(words.dropFirst())
      let lines = try String(contentsOfFile: folder + words[0] + ".options", encoding: .utf8).split(separator: "\n")
      let committed = Dictionary(
        stride(from: 0, to: lines.count, by: 2).map { (String(lines[$0]), String(lines[$0 + 1])) },
        uniquingKeysWith: { $1 })
      let own = try Self.words(of: given["objective"])
      #expect(Set(committed.keys) == Set(own.keys), "\(words[0])")
      for (option, field) in own {
        if let value = given[field] { #expect(same(value, committed[option]), "\(words[0]): \(option)") }
      }
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(names.sorted() == files.filter { $0.hasSuffix(".options") }.map { String($0.dropLast(8)) }.sorted())
    #expect(names.count == 6)
  }

  private static let python = ProcessInfo.processInfo.environment["PMAE_PYTHON"]
  private static let canRunPython: Bool = {
    guard let python else { return false }
    return (try? ToolRunner.run(python, ["-c", "import numpy, safetensors, torch, zstandard"]).status) == 0
  }()

  @Test(
    .enabled(
      if: canRunPython,
      "PMAE_PYTHON names no Python with numpy, safetensors, torch and zstandard (Tests/Oracle/README.md)"),
    arguments: [
      ["fresh", "seed=1"], ["fresh-mae", "objective=mae", "seed=2"], ["fresh-dino", "objective=dino", "locals=1"],
      ["fresh-ibot", "objective=ibot", "seed=3"], ["fresh-moco-v3", "objective=moco-v3"],
      ["fresh-beit", "objective=beit"], ["fresh-cae", "objective=cae"], ["fresh-simmim", "objective=simmim"],
    ])
  func aFreshRunIsReplayed(arguments: [String]) throws {
    let result = try ToolRunner.run(
      try #require(Self.python), [Self.oracle + "replay.py"] + arguments + ["--tools", ToolRunner.folder])
    #expect(result.status == 0, "\(result.text)\(result.errors)")
    #expect(result.text.hasSuffix(": agrees\n"))
  }
}
