import Foundation
import Schemas
import TensorStream
import Testing

/// pmae-evaluate predict, and the names that go through it.
@Suite struct PredictTests {
  /// The fixture's views with names, of which row 3 has none.
  private func writeNamedViews(_ path: String) throws {
    try TaskFiles.writeViews(path) { _, tensors in
      var names = RowNames()
      for row in 0..<24 { names.append(row == 3 ? [] : Array("photos/\(row).jpg".utf8)) }
      tensors += names.tensors
    }
  }

  private func evaluate(_ arguments: String, in folder: String) throws -> ToolResult {
    try ToolRunner.run("pmae-evaluate", arguments.split(separator: " ").map(String.init), in: folder)
  }

  /// PyTorch's logits of PyTorch's model, and numpy's softmax of them in float64.
  @Test(arguments: ["class", "mean"]) func predictionsAgreeWithPyTorchAndNumpy(pool: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeModel(folder + "/model.stz", pool: pool)
      try writeNamedViews(folder + "/views.stz")
      let result = try ToolRunner.shell(
        """
        pmae-evaluate predict --quiet --top 3 --threads 1 --output p.stz model.stz views.stz
        pmae-evaluate predict --quiet --top 3 --threads 2 --output p.tsv model.stz - <views.stz
        pmae-evaluate predict --quiet --top 3 --threads 1 --format tsv model.stz views.stz | cmp - p.tsv
        pmae-evaluate classify --quiet model.stz views.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let expected = try readTensors(path: TaskFiles.fixtures + "predictions.safetensors")
      let classes = try #require(expected[pool + ".prediction"]).values(of: Int32.self)
      let shares = try #require(expected[pool + ".probability"]).values(of: Double.self)

      let reader = try StreamReader(path: folder + "/p.stz", kinds: ["predictions"])
      let header = try PredictionsHeader(reader.header, source: "p.stz")
      let letters = ["a", "b", "c", "d", "e", "f", "g"]
      #expect(header == PredictionsHeader(top: 3, classCount: 7, classes: letters))
      #expect(reader.header.metadata["made_from"]?.contains("views.stz") == true)
      let record = try #require(try reader.next())
      #expect(try reader.next() == nil)
      #expect(try PredictionTensors.classes(of: record, header, place: "p.stz") == classes)
      let mine = try #require(record["probability"])
      #expect(mine.shape == [24, 3])
      for (a, b) in zip(try mine.values(of: Float.self), shares) { #expect(abs(Double(a) - b) < 1e-6) }
      #expect(try #require(record["index"]).values(of: Int64.self) == (0..<24).map { Int64($0) })
      let labels = try #require(record["label"]).values(of: Int32.self)
      let names = try #require(try RowNames(record, what: "p.stz"))

      // What classify counts.
      let hits = (0..<24).filter { classes[3 * $0] == labels[$0] }.count
      let top1 = try #require(try TaskFiles.lines(result.text).first?["top1"] as? Double)
      #expect(abs(top1 - Double(hits) / 24) < 1e-9)

      let lines = try String(contentsOfFile: folder + "/p.tsv", encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 25)
      #expect(lines[0] == "index\tname\tlabel\tclass\tprobability\tclass_2\tprobability_2\tclass_3\tprobability_3")
      for row in 0..<24 {
        let cells = lines[row + 1].split(separator: "\t", omittingEmptySubsequences: false)
        #expect(cells.count == 9)
        let name = row == 3 ? "-" : "photos/\(row).jpg"
        #expect(names.known(row) ?? "-" == name)
        #expect(cells[0...2] == [Substring("\(row)"), Substring(name), Substring(letters[Int(labels[row])])])
        for k in 0..<3 {
          #expect(cells[3 + 2 * k] == letters[Int(classes[3 * row + k])])
          #expect(abs(try #require(Double(cells[4 + 2 * k])) - shares[3 * row + k]) < 1e-6)
        }
      }
    }
  }

  /// Neither labels nor names nor class names: numbers, and `-` for what is not known.
  @Test func viewsThatSayNothing() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeModel(folder + "/model.stz", pool: "mean")
      try TaskFiles.writeViews(folder + "/views.stz") { metadata, tensors in
        metadata["classes"] = nil
        tensors.removeLast()
      }
      let table = try evaluate("predict --quiet --format tsv model.stz views.stz", in: folder)
      #expect(table.status == 0, "\(table.errors)")
      let cells = table.text.split(separator: "\n").map { $0.split(separator: "\t") }
      #expect(cells.count == 25 && cells.allSatisfy { $0.count == 13 })
      #expect(cells[5][0...2] == ["4", "-", "-"] && Int(cells[5][3]).map { (0..<7).contains($0) } == true)
      // Of all classes, the sum is one.
      let all = try evaluate("predict --quiet --top 7 --output p.stz model.stz views.stz", in: folder)
      #expect(all.status == 0, "\(all.errors)")
      let record = try #require(try StreamReader(path: folder + "/p.stz", kinds: ["predictions"]).next())
      #expect(record["label"] == nil && record["name.bytes"] == nil)
      let shares = try #require(record["probability"]).values(of: Float.self)
      for row in 0..<24 { #expect(abs(shares[7 * row..<7 * row + 7].reduce(0, +) - 1) < 1e-5) }
      let listed = try ToolRunner.run("pmae-inspect", ["--names", "p.stz"], in: folder)
      #expect(listed.status == 65 && listed.errors.contains("p.stz: record 1: its rows have no names"))
    }
  }

  @Test(arguments: [
    ("predict --format tsv encoder.stz views.stz", 65, "encoder.stz: an encoder without a head"),
    ("predict --top 0 model.stz views.stz", 64, "--top is 0: expected 1 or more"),
    ("predict --top 8 model.stz views.stz", 64, "--top is 8, but model.stz tells only 7 classes apart"),
    ("predict --format csv model.stz views.stz", 64, "csv"),
    ("predict --output p.tsv model.stz cut.stz", 65, "cut.stz"),
    ("predict --output p.stz model.stz cut.stz", 65, "cut.stz"),
    ("predict --output p.tsv model.stz epochs.stz", 65, "epochs.stz: holds 2 epochs"),
    ("predict --output taken.tsv model.stz views.stz", 73, "taken.tsv: exists already"),
    (
      "predict --output p.tsv named.stz renamed.stz", 65,
      "renamed.stz: class 1 is \"z\", but that of named.stz is \"b\": pack both with the same classes (pmae-pack "
        + "--class-names) (pmae-augment --no-labels leaves labels out)"
    ),
    ("predict --output p.stz monstrous.stz views.stz", 65, "the logit of image 0 (photos/0.jpg) holds"),
    ("classify monstrous.stz views.stz", 65, "the logit of image 0 (photos/0.jpg) holds"),
    ("embed --output p.stz monstrous.stz views.stz", 65, "the feature of image 0 (photos/0.jpg) holds"),
  ])
  func badInput(_ arguments: String, status: Int32, message: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeNamedViews(folder + "/views.stz")
      try TaskFiles.writeViews(folder + "/epochs.stz", epochs: 2)
      try TaskFiles.writeViews(folder + "/renamed.stz") { metadata, _ in
        metadata["classes"] = #"["a","z","c","d","e","f","g"]"#
      }
      try TaskFiles.writeModel(folder + "/model.stz", pool: "class")
      let prepared = try ToolRunner.shell(
        """
        pmae-export --quiet --output encoder.stz "\(TaskFiles.checkpoint)"
        head -c 9000 views.stz >cut.stz
        echo mine >taken.tsv
        """, in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let model = try readTensors(path: folder + "/model.stz")
      func write(_ name: String, classes: String? = nil, monstrous: String? = nil) throws {
        var metadata = model.metadata
        metadata["classes"] = classes
        let tensors = model.tensors.map { tensor -> NamedTensor in
          guard tensor.name == monstrous else { return tensor }
          return (
            tensor.name,
            StoredTensor([Float](repeating: 3e38, count: tensor.tensor.count), shape: tensor.tensor.shape)
          )
        }
        try StreamWriter.writeOneRecord(
          path: "\(folder)/\(name).stz", kind: "weights", metadata: metadata, tensors: tensors)
      }
      try write("named", classes: #"["a","b","c","d","e","f","g"]"#)
      // Weights that are not finite are not taken; the product of these overflows.
      try write("monstrous", monstrous: "norm.weight")
      let result = try evaluate(arguments, in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(result.output.isEmpty)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(!left.contains { $0.hasPrefix("p.") || $0.contains("partial") }, "\(left)")
      #expect(try String(contentsOfFile: folder + "/taken.tsv", encoding: .utf8) == "mine\n")
    }
  }
}
