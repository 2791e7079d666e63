import Evaluation
import Foundation
import TensorStream
import Testing

/// What files of results may look like.
@Suite struct ResultFileTests {
  private func read(_ text: String, name: String = "knn.json", pattern: String? = nil) throws -> [ResultRecord] {
    let root = FileManager.default.temporaryDirectory.path + "/pmae-results-\(UUID().uuidString)"
    let folder = root + "/mae/seed7"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    return try ResultFile.read(path: "\(folder)/\(name)", pattern: pattern.map { try PathPattern($0) })
  }

  @Test(arguments: [
    "{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[true,2.5]}}\n\n{\"a\":\"3\"}\n",
    "\u{FEFF}[{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[true,2.5]}},\n {\"a\":\"3\",\"n\":null}]",
    "# a comment\na\tb.c\tb.d.0\tb.d.1\r\n1\tx\ttrue\t2.5\r\n3\t-\t\t-\r\n",
  ])
  func formsOfTheSameResults(_ text: String) throws {
    let records = try read(text)
    #expect(records.count == 2)
    #expect(
      records[0].fields.mapValues(\.text) == ["a": "1", "b.c": "x", "b.d.0": "true", "b.d.1": "2.5", "file": "knn"])
    #expect(records[1].fields.mapValues(\.text) == ["a": "3", "file": "knn"])
    #expect(records[1]["a"]?.number == 3)
  }

  @Test func onePrettyObjectIsOneResult() throws {
    #expect(try read("{\n  \"top1\": 0.5\n}\n").map { $0["top1"]?.number } == [0.5])
  }

  @Test func keysOfThePath() throws {
    let records = try read(
      #"{"measure":"other","v":1}"#, name: "epoch15.a.b.json", pattern: "{cell}/seed{seed}/epoch{epoch}.{measure}.json")
    #expect(["cell", "seed", "epoch", "measure"].map { records[0][$0]?.text } == ["mae", "7", "15", "a.b"])
    let failure = #expect(throws: Failure.self) { try read("{}", pattern: "epoch{e}.json") }
    #expect(failure?.message.contains("knn.json: its name does not end as the pattern \"epoch{e}.json\" says") == true)
  }

  @Test(arguments: ["{a", "a}", "{}", "{a}{a}", "plain"]) func patternsThatAreNone(_ text: String) {
    #expect(throws: Failure.self) { try PathPattern(text) }
  }

  @Test(arguments: [
    ("", "holds no results"), ("a\tb\n", "holds no results"), ("{\"a\":1}\n{\"a\":", "line 2: expected a JSON object"),
    ("{\"a\":1}\n7\n", "line 2: expected a JSON object"), ("[1]", "item 1: expected a JSON object"),
    ("a\tb\n1\n", "line 2: expected 2 columns with tabs between, found 1"),
    ("a\ta\n1\t2\n", "line 1: column 2 is called \"a\": expected a name of its own"),
    ("\0\u{1}", "bytes that are no text"),
  ])
  func damageIsNamed(_ text: String, message: String) throws {
    let failure = #expect(throws: Failure.self) { try read(text) }
    #expect(failure?.kind == .data)
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
  }
}
