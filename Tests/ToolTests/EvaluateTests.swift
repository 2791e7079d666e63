import Foundation
import TensorStream
import Testing

@Suite struct EvaluateTests {
  /// PyTorch's scores of PyTorch's model on the same pictures.
  @Test(arguments: ["class", "mean"]) func classifyAgreesWithPyTorch(pool: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeModel(folder + "/model.stz", pool: pool)
      try TaskFiles.writeViews(folder + "/views.stz")
      let result = try ToolRunner.run("pmae-evaluate", ["classify", "--quiet", "model.stz", "views.stz"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.isEmpty)
      let line = try #require(try TaskFiles.lines(result.text).first)
      let expected = try readTensors(path: TaskFiles.fixtures + "finetune.safetensors")
      let scores = try #require(expected[pool + ".scores"]).values(of: Float.self).map(Double.init)
      for (key, score) in zip(["top1", "top5", "loss"], scores) {
        let mine = try #require(line[key] as? Double)
        #expect(abs(mine - score) < 1e-5, "\(key)")
      }
      #expect(line["images"] as? Int == 24)
    }
  }

  @Test(arguments: ["class", "mean"]) func embedAgreesWithTimm(pool: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let expected = try readTensors(path: TaskFiles.fixtures + "features.safetensors")
      let pixels = try #require(expected["pixels"])
      let rows = pixels.shape[0]
      try TaskFiles.writeViews(folder + "/views.stz", recipe: "center") { metadata, tensors in
        metadata["rows_per_epoch"] = String(rows)
        // Other statistics than the encoder's: its own count.
        (metadata["mean"], metadata["std"]) = ("[0,0,0]", "[1,1,1]")
        tensors = [("center", pixels), ("index", StoredTensor([Int64](10..<16), shape: [rows]))]
      }
      let result = try ToolRunner.shell(
        """
        pmae-export --quiet --part labelling-teacher --output encoder.stz "\(TaskFiles.checkpoint)"
        pmae-evaluate embed --quiet --pool \(pool) --output f.stz encoder.stz - <views.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let reader = try StreamReader(path: folder + "/f.stz", kinds: ["features"])
      let record = try #require(try reader.next())
      #expect(try reader.next() == nil)
      let mine = try #require(record["features"])
      #expect(mine.shape == [rows, 12])
      #expect(try #require(record["index"]).values(of: Int64.self) == [10, 11, 12, 13, 14, 15])
      #expect(record["label"] == nil)
      let theirs = try #require(expected[pool]).values(of: Float.self)
      for (a, b) in zip(try mine.values(of: Float.self), theirs) { #expect(abs(a - b) < 1e-4) }
      #expect(reader.header.metadata["made_from"]?.contains("pmae-export") == true)
    }
  }

  /// A model's features are those that its head is on; what --pool asks for wins. The model is PyTorch's, fine-tuned on the mean.
  @Test func aModelKnowsItsPool() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeModel(folder + "/model.stz", pool: "mean")
      try TaskFiles.writeViews(folder + "/views.stz")
      let result = try ToolRunner.shell(
        """
        pmae-evaluate embed --output own.stz model.stz views.stz
        pmae-evaluate embed --quiet --pool mean --output mean.stz model.stz views.stz
        pmae-evaluate embed --quiet --pool class --output class.stz model.stz views.stz
        pmae-evaluate knn --quiet --k 1 model.stz views.stz views.stz
        pmae-evaluate knn --quiet --k 1 --pool class model.stz views.stz views.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.errors.contains("model.stz: its head is left out; pool: mean, the model's own\n"), "\(result.errors)")
      let pools = try TaskFiles.lines(result.text).compactMap { $0["pool"] as? String }
      #expect(pools == ["mean", "class"])
      let features = try ["own", "mean", "class"].map { name in
        let reader = try StreamReader(path: "\(folder)/\(name).stz", kinds: ["features"])
        #expect(reader.header.metadata["pool"] == (name == "class" ? "class" : "mean"))
        return try #require(try reader.next()?["features"]).values(of: Float.self)
      }
      #expect(features[0] == features[1] && features[0] != features[2])
    }
  }

  /// A file as timm saves a classifier: no metadata, and head.* among the tensors. It scores as PyTorch says, by either pool.
  @Test(arguments: ["class", "mean"]) func aClassifierOfTimms(pool: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeModel(folder + "/model.stz", pool: pool)
      try TaskFiles.writeViews(folder + "/views.stz")
      let model = try readTensors(path: folder + "/model.stz")
      try writeSafetensors(path: folder + "/timm.safetensors", metadata: [:], tensors: model.tensors)
      let result = try ToolRunner.shell(
        """
        pmae-evaluate classify --quiet --heads 3 --pool \(pool) timm.safetensors views.stz
        pmae-evaluate embed --heads 3 --output f.stz timm.safetensors views.stz
        pmae-evaluate knn --quiet --heads 3 --k 1 timm.safetensors views.stz views.stz
        pmae-finetune --heads 3 --mode linear --batch 8 --epochs 1 --init timm.safetensors --output m.stz views.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = try TaskFiles.lines(result.text)
      let expected = try readTensors(path: TaskFiles.fixtures + "finetune.safetensors")
      let scores = try #require(expected[pool + ".scores"]).values(of: Float.self).map(Double.init)
      #expect(abs(try #require(lines[0]["top1"] as? Double) - scores[0]) < 1e-5)
      #expect(lines[0]["classes"] as? Int == 7)
      #expect(lines[1]["pool"] as? String == "class")
      for text in [
        "pmae-evaluate: timm.safetensors: its head is left out; pool: class, the file does not say\n",
        "pmae-finetune: timm.safetensors: its head is left out",
      ] { #expect(result.errors.contains(text), "\(result.errors)") }
      let without = try ToolRunner.run(
        "pmae-evaluate", ["classify", "--heads", "3", "timm.safetensors", "views.stz"], in: folder)
      #expect(without.status == 64 && without.output.isEmpty)
      #expect(without.errors.contains("timm.safetensors: does not say what its head is on: use --pool class"))
    }
  }

  /// The usual numbers of neighbours as far as there are images: of 24, ten and twenty; of 4, all.
  @Test func withoutKTheUsualNumbersThatThereAre() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeViews(folder + "/views.stz")
      let pixels = try #require(try readTensors(path: TaskFiles.fixtures + "finetune.safetensors")["pixels"])
      let few = Array(try pixels.values(of: UInt8.self).prefix(pixels.count / 24 * 4))
      try TaskFiles.writeViews(folder + "/few.stz") { metadata, tensors in
        metadata["rows_per_epoch"] = "4"
        tensors = [
          ("simple", StoredTensor(few, shape: [4] + pixels.shape.dropFirst())),
          ("index", StoredTensor([Int64](0..<4), shape: [4])), ("label", StoredTensor([Int32](0..<4), shape: [4])),
        ]
      }
      let result = try ToolRunner.shell(
        """
        pmae-export --quiet --output encoder.stz "\(TaskFiles.checkpoint)"
        pmae-evaluate knn --quiet encoder.stz views.stz views.stz
        pmae-evaluate knn --quiet encoder.stz few.stz few.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try TaskFiles.lines(result.text).compactMap { $0["k"] as? Int } == [10, 20, 4])
    }
  }

  @Test func aPictureIsItsOwnNearestNeighbour() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeViews(folder + "/views.stz")
      let result = try ToolRunner.shell(
        """
        pmae-export --quiet --part labelling-teacher --output encoder.safetensors "\(TaskFiles.checkpoint)"
        pmae-evaluate knn --quiet --k 1,24 --threads 1 encoder.safetensors views.stz - <views.stz >one
        pmae-evaluate knn --quiet --k 1,24 --threads 2 encoder.safetensors views.stz - <views.stz
        pmae-evaluate knn --quiet --k 1,24 --threads 2 encoder.safetensors views.stz - <views.stz | cmp - one
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = try TaskFiles.lines(result.text)
      #expect(lines.compactMap { $0["k"] as? Int } == [1, 24])
      #expect(lines[0]["top1"] as? Double == 1)
      #expect(lines[0]["train_images"] as? Int == 24)
    }
  }

  @Test(arguments: [
    ("classify encoder.stz views.stz", 65, "encoder.stz: an encoder without a head"),
    ("classify model.stz nolabel.stz", 65, "nolabel.stz: no labels"),
    ("classify model.stz renamed.stz", 65, "renamed.stz: class 1 is \"z\", but that of model.stz is \"b\""),
    ("classify model.stz empty.stz", 65, "empty.stz: holds no rows"),
    ("classify model.stz epochs.stz", 65, "epochs.stz: holds 2 epochs"),
    ("classify model.stz encoder.stz", 65, "encoder.stz"),
    ("classify model.stz nothing.stz", 66, "nothing.stz"),
    ("classify small.stz views.stz", 65, "expected U8 [24, 24, 24, 3]"),
    ("knn --k 25 encoder.stz views.stz views.stz", 64, "--k asks for 25 neighbours, but views.stz has only 24"),
    ("knn --k 1,x encoder.stz views.stz views.stz", 64, "--k is 1,x"),
    ("knn encoder.stz - -", 64, "only one of the operands can be standard input"),
    ("knn --temperature 0 encoder.stz views.stz views.stz", 64, "--temperature is 0"),
    (
      "knn encoder.stz renamed.stz views.stz --k 1", 65, "views.stz: class 1 is \"b\", but that of renamed.stz is \"z\""
    ),
    ("knn encoder.stz cut.stz views.stz", 65, "cut.stz"),
    ("", 64, "classify, segment, predict, knn, linear, retrieve, cluster, embed, join, compare, tokenizer or table"),
    ("classify --pool mean model.stz views.stz", 64, "model.stz: its head is on pool class, but --pool says mean"),
  ])
  func badInput(_ arguments: String, status: Int32, message: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeViews(folder + "/views.stz")
      try TaskFiles.writeViews(folder + "/nolabel.stz") { _, tensors in tensors.removeLast() }
      try TaskFiles.writeViews(folder + "/renamed.stz") { metadata, _ in
        metadata["classes"] = #"["a","z","c","d","e","f","g"]"#
      }
      try TaskFiles.writeViews(folder + "/empty.stz") { metadata, _ in metadata["rows_per_epoch"] = "0" }
      try TaskFiles.writeViews(folder + "/epochs.stz", epochs: 2)
      let prepared = try ToolRunner.shell(
        """
        pmae-export --quiet --part labelling-teacher --output encoder.stz "\(TaskFiles.checkpoint)"
        pmae-finetune --quiet --mode linear --batch 8 --epochs 1 --init encoder.stz --output model.stz views.stz
        head -c 9000 views.stz >cut.stz
        """, in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let small = try readTensors(path: folder + "/model.stz")
      var metadata = small.metadata
      metadata["config"] = metadata["config"]?.replacing(#""image":20"#, with: #""image":24"#)
        .replacing(#""patch":5"#, with: #""patch":6"#)
      try StreamWriter.writeOneRecord(
        path: folder + "/small.stz", kind: "weights", metadata: metadata,
        tensors: small.tensors.map { name, tensor in
          name != "patch_embed.proj.weight"
            ? (name, tensor) : (name, StoredTensor([Float](repeating: 0, count: 12 * 3 * 36), shape: [12, 3, 6, 6]))
        })
      let result = try ToolRunner.run(
        "pmae-evaluate", arguments.split(separator: " ").map(String.init), in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(result.output.isEmpty)
    }
  }
}
