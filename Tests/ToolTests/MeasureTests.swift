import Foundation
import Schemas
import TensorStream
import Testing

/// The measures of pmae-evaluate from end to end; that their figures are right is for EvaluationTests.
@Suite struct MeasureTests {
  private func prepare(_ folder: String, models: Bool = false) throws {
    try TaskFiles.writeViews(folder + "/views.stz") { metadata, tensors in
      metadata["size"] = "20"
      var names = RowNames()
      for row in 0..<24 { names.append(Array("pictures/<b>\(row)</b> & more.jpg".utf8)) }
      tensors += names.tensors
    }
    if models {
      try TaskFiles.writeModel(folder + "/model.stz", pool: "mean")
      try TaskFiles.writeModel(folder + "/other.stz", pool: "class")
    }
    let result = try ToolRunner.shell(
      "pmae-export --quiet --output encoder.stz \"\(TaskFiles.checkpoint)\"", in: folder)
    #expect(result.status == 0, "\(result.errors)")
  }

  private func hasInterval(_ line: [String: Any], _ name: String) -> Bool {
    guard let value = line[name] as? Double, let low = line[name + "_low"] as? Double,
      let high = line[name + "_high"] as? Double
    else { return false }
    // Images that are drawn twice agree with themselves: of few images clusters look better drawn than they are.
    return low <= high && (line["task"] as? String == "cluster" ? value <= high : low <= value && value <= high)
  }

  /// Every measure on an encoder and on pixels: the same for any threads, an interval for each figure, none where none is wanted.
  @Test(arguments: [
    ("linear --lambda 1,0.1", 2, ["top1", "top5", "balanced_accuracy", "macro_f1", "mcc"]),
    ("linear --lambda 2 --labels-per-class 1", 2, ["top1", "loss"]), ("retrieve", 2, ["map", "r_precision", "top1"]),
    ("retrieve --exclude-self --standardise", 2, ["map"]), ("cluster --starts 2", 1, ["purity"]),
    ("cluster --clusters 3 --standardise", 1, ["purity"]), ("knn --k 3 --labels-per-class 1", 2, ["top1", "top5"]),
  ])
  func measures(command: String, sets: Int, figures: [String]) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try prepare(folder)
      let views = Array(repeating: "views.stz", count: sets).joined(separator: " ")
      for encoder in ["encoder.stz", "--pixels"] {
        let result = try ToolRunner.shell(
          """
          pmae-evaluate \(command) --quiet --threads 1 \(encoder) \(views) >one
          pmae-evaluate \(command) --quiet --threads 3 \(encoder) \(views)
          pmae-evaluate \(command) --quiet --threads 3 \(encoder) \(views) | cmp - one
          pmae-evaluate \(command) --quiet --resamples 0 \(encoder) \(views)
          """, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let lines = try TaskFiles.lines(result.text)
        try #require(lines.count == 2)
        #expect(lines[0]["encoder"] as? String == (encoder == "--pixels" ? "pixels" : encoder))
        for name in figures {
          #expect(hasInterval(lines[0], name), "\(name): \(lines[0])")
          #expect(lines[1][name] as? Double == lines[0][name] as? Double && lines[1][name + "_low"] == nil)
        }
      }
    }
  }

  /// What learns from all that it is asked about, without much of a penalty, has it right; and half of nothing is chance.
  @Test func linearLearns() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try prepare(folder)
      let result = try ToolRunner.shell(
        "pmae-evaluate linear --quiet --lambda 0.001 --pixels views.stz views.stz", in: folder)
      let line = try #require(try TaskFiles.lines(result.text).first)
      #expect(line["top1"] as? Double == 1 && line["train_images"] as? Int == 24)
      #expect(line["lambda"] as? Double == 0.001 && line["held_out_top1"] == nil)
    }
  }

  @Test func neighboursByName() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try prepare(folder)
      let result = try ToolRunner.shell(
        """
        pmae-evaluate retrieve --quiet --neighbours near.tsv --top 2 --report page.html encoder.stz views.stz - <views.stz
        cat near.tsv
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.text.split(separator: "\n").dropFirst().map { $0.components(separatedBy: "\t") }
      #expect(lines.count == 49 && lines[0].count == 8 && lines[0][1] == "query_name")
      #expect(lines[1][0...5] == ["0", "pictures/<b>0</b> & more.jpg", lines[1][2], "1", "0", lines[1][1]])
      let page = try String(contentsOfFile: folder + "/page.html", encoding: .utf8)
      #expect(page.contains("pictures/&lt;b&gt;0&lt;/b&gt; &amp; more.jpg") && !page.contains("<b>"))
      // Of 24 queries from standard input, which is gone, there are names; of the bank there are pictures.
      #expect(page.components(separatedBy: "<figure>").count == 1 + 24 * 7)
      #expect(page.components(separatedBy: "<img ").count == 1 + 24 * 6)
      #expect(page.contains("pmae-export"))
    }
  }

  /// More lines of a model, which PyTorch fine-tuned; its page has its mistakes, by name.
  @Test func aModelInDetail() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try prepare(folder, models: true)
      let result = try ToolRunner.shell(
        "pmae-evaluate classify --quiet --also classes,bins,confusion --report page.html model.stz views.stz",
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = try TaskFiles.lines(result.text)
      for name in ["top1", "top5", "balanced_accuracy", "macro_f1", "mcc"] { #expect(hasInterval(lines[0], name)) }
      #expect(lines[0]["part"] == nil && lines[0]["ece"] is Double)
      func part(_ name: String) -> [[String: Any]] { lines.filter { $0["part"] as? String == name } }
      func images(_ name: String) -> Int { part(name).compactMap { $0["images"] as? Int }.reduce(0, +) }
      #expect(images("class") == 24 && images("bin") == 24 && images("confusion") == 24)
      #expect(part("class").contains { $0["class"] as? String == "a" && $0["recall"] is Double })
      let wrong = part("confusion").filter { $0["class"] as? String != $0["predicted"] as? String }
      let mistakes = wrong.compactMap { $0["images"] as? Int }.reduce(0, +)
      let page = try String(contentsOfFile: folder + "/page.html", encoding: .utf8)
      // Of the eight images that are looked at, each is there with its attention and its components.
      #expect(page.components(separatedBy: "<img ").count == 1 + mistakes + 3 * 8 && mistakes > 0)
      #expect(page.contains("class=\"matrix\"") && page.contains("<svg ") && !page.contains("<script"))
    }
  }

  /// A model beside itself, and beside another: the accuracies are those that classify prints.
  @Test func compareTwoModels() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try prepare(folder, models: true)
      let result = try ToolRunner.shell(
        """
        for model in model other; do
          pmae-evaluate classify --quiet --resamples 0 $model.stz views.stz
          pmae-evaluate predict --quiet --output $model.p.stz $model.stz views.stz
        done
        pmae-evaluate compare model.p.stz model.p.stz
        pmae-evaluate compare model.p.stz - <other.p.stz
        pmae-evaluate compare --threads 1 other.p.stz model.p.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = try TaskFiles.lines(result.text)
      try #require(lines.count == 5)
      #expect(lines[2]["difference"] as? Double == 0 && lines[2]["p"] as? Double == 1)
      #expect(lines[2]["better"] as? String == "neither")
      for (key, line) in [("first_top1", 0), ("second_top1", 1)] {
        #expect(lines[3][key] as? Double == lines[line]["top1"] as? Double)
      }
      #expect(lines[3]["only_first"] as? Int == lines[4]["only_second"] as? Int)
      #expect(lines[3]["difference"] as? Double == -(lines[4]["difference"] as? Double ?? .nan))
      #expect(hasInterval(lines[3], "difference"))
    }
  }

  /// An array as NumPy's format 1.0 has it, and a table: the numbers of the stream.
  @Test func featuresForOtherPrograms() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try prepare(folder)
      let result = try ToolRunner.shell(
        """
        pmae-evaluate embed --quiet --output f.stz encoder.stz views.stz
        pmae-evaluate embed --quiet --output f.npy encoder.stz views.stz
        pmae-evaluate embed --quiet --output f.tsv encoder.stz views.stz
        pmae-evaluate embed --quiet --format npy encoder.stz views.stz | cmp - f.npy
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let record = try #require(try StreamReader(path: folder + "/f.stz").next())
      let values = try #require(record["features"]).values(of: Float.self)
      let array = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/f.npy")))
      #expect(array.prefix(8) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
      let length = 10 + Int(array[8]) + 256 * Int(array[9])
      #expect(length % 64 == 0 && array[length - 1] == 10)
      #expect(
        String(decoding: array[10..<length], as: UTF8.self).hasPrefix(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (24, 12), }"))
      #expect(Array(array[length...]) == values.withUnsafeBytes { [UInt8]($0) })
      let lines = try String(contentsOfFile: folder + "/f.tsv", encoding: .utf8).split(separator: "\n")
        .map { $0.components(separatedBy: "\t") }
      #expect(lines.count == 25 && lines[0].prefix(4) == ["index", "name", "label", "feature_0"])
      #expect(lines[1][1] == "pictures/<b>0</b> & more.jpg" && lines[24][0] == "23")
      #expect(lines.dropFirst().flatMap { $0.dropFirst(3).compactMap { Float($0) } } == values)
    }
  }

  @Test(arguments: [
    ("linear --lambda 0 encoder.stz views.stz views.stz", 64, "--lambda is 0: expected numbers from 1e-12"),
    ("linear --lambda 1 --held-out 0.5 encoder.stz views.stz views.stz", 64, "--lambda has one"),
    ("linear --held-out 1 encoder.stz views.stz views.stz", 64, "--held-out is 1"),
    ("linear --labels-per-class 20 encoder.stz views.stz views.stz", 65, "fewer than the 20 that are wanted"),
    ("linear --labels-per-class 1 encoder.stz views.stz views.stz", 65, "none can be held out"),
    ("cluster --clusters 25 encoder.stz views.stz", 64, "--clusters is 25, but views.stz has only 24 images"),
    ("cluster --clusters 0 encoder.stz views.stz", 64, "--clusters is 0"),
    ("retrieve --top 3 encoder.stz views.stz views.stz", 64, "--top is of the table, which --neighbours names"),
    ("retrieve --neighbours - encoder.stz views.stz views.stz", 64, "--neighbours is -"),
    ("retrieve --neighbours n --report ./n encoder.stz views.stz views.stz", 64, "--report and --neighbours name one"),
    ("retrieve --overwrite encoder.stz views.stz views.stz", 64, "--overwrite is of what"),
    ("retrieve --neighbours views.stz encoder.stz views.stz views.stz", 73, "views.stz: exists already"),
    ("retrieve --report none/page.html encoder.stz views.stz views.stz", 73, "none/page.html"),
    ("classify --report views.stz model.stz views.stz", 73, "views.stz: exists already"),
    ("classify --also recall model.stz views.stz", 64, "--also is recall: expected classes, bins and confusion"),
    ("classify --resamples -1 model.stz views.stz", 64, "--resamples is -1"),
    ("compare p.stz short.stz", 65, "short.stz: image 1 has the label 1, but in p.stz 3: expected the same"),
    ("compare short.stz p.stz", 65, "which short.stz has not"),
    ("compare p.stz views.stz", 65, "views.stz"), ("compare - -", 64, "only one of the operands"),
    ("compare p.stz unlabelled.stz", 65, "unlabelled.stz: after row 0: no labels"),
    ("embed --format npy --output views.stz encoder.stz views.stz", 73, "views.stz: exists already"),
  ])
  func badInput(_ arguments: String, status: Int32, message: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try prepare(folder, models: true)
      let pixels = try #require(try readTensors(path: TaskFiles.fixtures + "finetune.safetensors")["pixels"])
      let few = Array(try pixels.values(of: UInt8.self).prefix(pixels.count / 24 * 4))
      for (name, labels) in [("few", true), ("bare", false)] {
        try TaskFiles.writeViews("\(folder)/\(name).stz") { metadata, tensors in
          metadata["rows_per_epoch"] = "4"
          tensors = [
            ("simple", StoredTensor(few, shape: [4] + pixels.shape.dropFirst())),
            ("index", StoredTensor([Int64](0..<4), shape: [4])),
          ]
          if labels { tensors.append(("label", StoredTensor([Int32](0..<4), shape: [4]))) }
        }
      }
      let prepared = try ToolRunner.shell(
        """
        pmae-evaluate predict --quiet --output p.stz model.stz views.stz
        pmae-evaluate predict --quiet --output short.stz model.stz few.stz
        pmae-evaluate predict --quiet --output unlabelled.stz model.stz bare.stz
        """, in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let result = try ToolRunner.run(
        "pmae-evaluate", arguments.split(separator: " ").map(String.init), in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(result.output.isEmpty)
    }
  }
}
