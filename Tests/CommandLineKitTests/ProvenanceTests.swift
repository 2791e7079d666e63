import CommandLineKit
import Foundation
import Runs
import Schemas
import TensorStream
import Testing

@Suite struct ProvenanceTests {
  private func json(_ text: String?) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(try #require(text).utf8), options: [.fragmentsAllowed])
  }

  @Test func madeByNamesToolVersionAndArguments() throws {
    let metadata = Provenance.metadata(tool: "pmae-pack", arguments: ["--limit", "7", "a \"b\"/ü.jpg"], inputs: [])
    let madeBy = try #require(try json(metadata["made_by"]) as? [String: Any])
    #expect(madeBy["tool"] as? String == "pmae-pack")
    #expect(madeBy["version"] as? String == pmaeVersion)
    #expect(madeBy["arguments"] as? [String] == ["--limit", "7", "a \"b\"/ü.jpg"])
    #expect(metadata["made_from"] == "[]")
  }

  /// Grandparents are inside parents, so one file tells the whole chain.
  @Test func historyNests() throws {
    var metadata: [String: String] = ["kind": "images"]
    metadata.merge(Provenance.metadata(tool: "pmae-pack", arguments: ["photos"], inputs: [])) { $1 }
    for tool in ["pmae-augment", "pmae-pretrain"] {
      let input = (name: "before-\(tool)", header: Record(metadata: metadata, tensors: []), digest: "abc")
      metadata = ["kind": tool]
      metadata.merge(Provenance.metadata(tool: tool, arguments: [], inputs: [input])) { $1 }
    }
    let parent = try #require((try json(metadata["made_from"]) as? [[String: Any]])?.first)
    #expect(parent["name"] as? String == "before-pmae-pretrain")
    #expect(parent["kind"] as? String == "pmae-augment")
    let grandparent = try #require((parent["made_from"] as? [[String: Any]])?.first)
    #expect(grandparent["name"] as? String == "before-pmae-augment")
    #expect((grandparent["made_by"] as? [String: Any])?["arguments"] as? [String] == ["photos"])
    #expect((grandparent["made_from"] as? [Any])?.isEmpty == true)
  }

  /// The rest of a stream counts as the stream that it is the rest of; another input is added.
  @Test func whatIsGoneOnWithKeepsWhatItWasBegunWith() throws {
    func made(of arguments: [String], digest: String) -> [String: String] {
      var metadata = ["kind": "views"]
      metadata.merge(Provenance.metadata(tool: "pmae-augment", arguments: arguments, inputs: [])) { $1 }
      return Provenance.metadata(
        tool: "pmae-pretrain", arguments: ["--resume"],
        inputs: [(name: "standard input", header: Record(metadata: metadata, tensors: []), digest: digest)])
    }
    let start = made(of: ["--seed", "1"], digest: "a")
    #expect(Provenance.continued(made(of: ["--seed", "1"], digest: "b"), from: start) == start)
    let other = Provenance.continued(made(of: ["--seed", "2"], digest: "b"), from: start)
    let inputs = try #require(try json(other["made_from"]) as? [[String: Any]])
    #expect(inputs.map { $0["digest"] as? String } == ["a", "b"])
    #expect(Provenance.continued(start, from: [:]) == start)
  }

  @Test func historyThatIsNotJSONIsKeptAsText() throws {
    let header = Record(metadata: ["kind": "images", "made_by": "by hand"], tensors: [])
    let metadata = Provenance.metadata(tool: "t", arguments: [], inputs: [(name: "x", header: header, digest: "d")])
    let parent = try #require((try json(metadata["made_from"]) as? [[String: Any]])?.first)
    #expect(parent["made_by"] as? String == "by hand")
    #expect(parent["made_from"] == nil)
  }
}
