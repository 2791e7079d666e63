import Foundation
import TensorStream
import Testing

@Suite struct InspectTests {
  /// Writes the three samples, runs pmae-inspect beside them.
  private func inspect(_ arguments: String..., input: Data? = nil) throws -> ToolResult {
    try ToolRunner.withTemporaryFolder { folder in
      try Sample.images(folder + "/images.stz")
      try Sample.weights(folder + "/weights.stz")
      try Sample.safetensors(folder + "/plain.safetensors")
      return try ToolRunner.run("pmae-inspect", arguments, input: input, in: folder)
    }
  }

  private func lines(_ result: ToolResult) -> [String] {
    result.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
  }

  @Test func summaryOfAStreamOfRows() throws {
    let result = try inspect("images.stz")
    #expect(result.status == 0)
    #expect(result.errors == "")
    let lines = lines(result)
    #expect(lines[0].hasPrefix("images.stz: images, 7 rows in 3 records"))
    #expect(lines.contains("made by pmae-pack --limit 7 'a b.gz' (0.1.0)"))
    #expect(lines.contains("classes ankle boot, bag"))
    #expect(lines.contains("pixels U8 [7, 2, 3, 1]"))
    #expect(lines.contains("label I32 [7]"))
  }

  @Test(arguments: ["weights.stz", "plain.safetensors"]) func summaryOfWeights(file: String) throws {
    let result = try inspect(file)
    #expect(result.status == 0)
    let lines = lines(result)
    #expect(lines[0].contains("6 tensors, 14 numbers"))
    #expect(lines.contains("proj.weight F32 [2, 3]"))
    #expect(lines.contains("scale F64 []"))
    #expect(lines.contains("empty F32 [0, 4]"))
  }

  /// A pipe can't be sought in, and gives the same facts.
  @Test func aPipeTellsWhatAFileTells() throws {
    for write in [Sample.images, Sample.weights, Sample.safetensors] {
      let bytes = try Sample.bytes(write)
      try ToolRunner.withTemporaryFolder { folder in
        try bytes.write(to: URL(fileURLWithPath: folder + "/file"))
        var facts: [NSDictionary] = []
        for (operand, input) in [("file", nil), ("-", bytes)] {
          let result = try ToolRunner.run("pmae-inspect", ["--json", operand], input: input, in: folder)
          #expect(result.status == 0, "\(result.errors)")
          var object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
          #expect(object.removeValue(forKey: "name") as? String == (input == nil ? "file" : "standard input"))
          #expect(object.removeValue(forKey: "bytes") as? Int == (input == nil ? bytes.count : nil))
          facts.append(object as NSDictionary)
        }
        #expect(facts[0] == facts[1])
      }
    }
  }

  @Test func jsonHasMetadataAsItIsAndLineageAsStructure() throws {
    let result = try inspect("--json", "--lineage", "--check", "weights.stz")
    let object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
    #expect((object["metadata"] as? [String: String])?["config"] == #"{"depth":4,"width":96}"#)
    #expect((object["made_by"] as? [String: Any])?["tool"] as? String == "train")
    #expect((object["made_from"] as? [[String: Any]])?.first?["name"] as? String == "images.stz")
    #expect(object["check"] as? String == "one record of 6 tensors, every checksum right, the seek table agrees")
  }

  @Test func lineageIsTheWholeChain() throws {
    let result = try inspect("--lineage", "weights.stz")
    #expect(result.status == 0)
    let lines = result.text.components(separatedBy: "\n")
    #expect(lines[0].hasPrefix("weights.stz (weights, digest "))
    #expect(
      Array(lines[1...]) == [
        "  made by train images.stz (2)", "  images.stz (images, digest 00ff)",
        "    made by pmae-pack --limit 7 'a b.gz' (0.1.0)", "",
      ])
  }

  /// The digest of a file is the one that whatever is made from it carries.
  @Test func digestIsTheReaders() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try Sample.images(folder + "/images.stz")
      let digest = try IndexedStream(path: folder + "/images.stz").digest
      let result = try ToolRunner.run("pmae-inspect", ["--lineage", "images.stz"], in: folder)
      #expect(result.text.hasPrefix("images.stz (images, digest \(digest))\n"))
    }
  }

  @Test(arguments: [
    ("label", "0\n1\n0\n1\n0\n1\n0\n"), ("pixels", (0..<7).map { r in line(r) }.joined()),
  ])
  func valuesOfAllRows(tensor: String, text: String) throws {
    let result = try inspect("--tensor", tensor, "images.stz")
    #expect(result.text == text)
    #expect(result.errors == "")
    #expect(try inspect("--tensor", tensor, "--rows", "all", input: Sample.bytes(Sample.images)).text == text)
  }

  @Test(arguments: [("5", 5...5), ("2-3", 2...3), ("0-0", 0...0), ("4-", 4...6), ("6", 6...6), ("0-6", 0...6)])
  func valuesOfSomeRows(range: String, rows: ClosedRange<Int>) throws {
    let text = rows.map { Self.line($0) }.joined()
    #expect(try inspect("--tensor", "pixels", "--rows", range, "images.stz").text == text)
    #expect(try inspect("--tensor", "pixels", "--rows", range, input: Sample.bytes(Sample.images)).text == text)
  }

  @Test(arguments: ["7", "7-", "0-7", "5-1000"]) func aRowThatIsNotThereIsAnError(range: String) throws {
    for input in [nil, try Sample.bytes(Sample.images)] {
      let result = try inspect("--tensor", "label", "--rows", range, input == nil ? "images.stz" : "-", input: input)
      #expect(result.status == 65)
      #expect(result.errors.contains("label has 7 rows"))
    }
  }

  /// Numbers read back as the same numbers.
  @Test(arguments: [
    ("proj.weight", "0.1\t-2.0\t3e-10\ninf\t1e+20\t0.0\n"), ("scale", "0.1\n"),
    ("count", "9223372036854775807\n-9223372036854775808\n"), ("half", "1.0\n-0.5\n0.1\n"), ("brain", "1.0\n-3.0\n"),
    ("empty", ""),
  ])
  func valuesOfEveryType(tensor: String, text: String) throws {
    for file in ["weights.stz", "plain.safetensors"] {
      let result = try inspect("--tensor", tensor, file)
      #expect(result.status == 0)
      #expect(result.text == text)
    }
  }

  @Test func aTensorThatIsNotThereIsAnErrorThatNamesThoseThatAre() throws {
    let result = try inspect("--tensor", "piksels", "images.stz")
    #expect(result.status == 65)
    #expect(result.errors == "pmae-inspect: images.stz: no tensor \"piksels\"; there are: label, pixels\n")
  }

  /// A big tensor is not poured out unless asked for, and what is left out is said.
  @Test func bigTensorsAreCutAndSaidToBe() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let tensor = StoredTensor((0..<3000).map(Int32.init), shape: [30, 100])
      try writeSafetensors(path: folder + "/big", metadata: [:], tensors: [(name: "x", tensor: tensor)])
      let cut = try ToolRunner.run("pmae-inspect", ["--tensor", "x", "big"], in: folder)
      #expect(cut.text.split(separator: "\n").count == 10)
      #expect(cut.errors.contains("the first 1,000 values, 10 rows of 30"))
      let whole = try ToolRunner.run("pmae-inspect", ["--tensor", "x", "--rows", "all", "big"], in: folder)
      #expect(whole.text.split(separator: "\n").count == 30)
      #expect(whole.errors == "")
    }
  }

  /// What a file says of itself must not drive the terminal.
  @Test func controlCharactersAreShownAndNotSent() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeSafetensors(
        path: folder + "/evil", metadata: ["a\u{1B}[2Jb": "\u{1B}]0;title\u{7}\u{202E}"],
        tensors: [(name: "x\u{9B}y", tensor: StoredTensor([UInt8(1)], shape: [1]))])
      let result = try ToolRunner.run("pmae-inspect", ["evil"], in: folder)
      #expect(result.status == 0)
      #expect(result.text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 32 && $0.value < 127) })
    }
  }

  @Test func oneBadFileDoesNotHideTheOthers() throws {
    let result = try inspect("--check", "nosuch.stz", "images.stz")
    #expect(result.status == 66)
    #expect(result.text.hasPrefix("images.stz: whole"))
    #expect(result.errors == "pmae-inspect: nosuch.stz: No such file or directory\n")
  }

  @Test(arguments: [
    ["--tensor", "x", "--check"], ["--rows", "1"], ["--tensor", "x", "--rows", "5-3"], ["-", "-"], ["--nosuch"],
    ["--tensor", "x", "--rows", "-3"],
  ])
  func nonsenseIsAUsageError(arguments: [String]) throws {
    let result = try ToolRunner.run("pmae-inspect", arguments, input: Data())
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(result.errors.hasPrefix("pmae-inspect: "))
    #expect(result.errors.contains("Usage: pmae-inspect [options] [file ...]"))
  }

  private static func line(_ row: Int) -> String {
    (0..<6).map { String(row * 6 + $0) }.joined(separator: "\t") + "\n"
  }
}
