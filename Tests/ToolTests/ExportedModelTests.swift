import Foundation
import TensorStream
import Testing

/// What is exported for other programs. That these read it and compute the same is known of Tests/Exports/round_trip.py, whose
/// fixtures say what they read and computed; here it is held that the same is written today.
@Suite struct ExportedModelTests {
  private static let fixtures = ToolRunner.checkout + "/Tests/Exports/Fixtures/"

  private func export(_ words: [String], in folder: String) throws -> ToolResult {
    try ToolRunner.run("pmae-export", words, in: folder)
  }

  /// A source of one of the fixtures: timm's model, or the classifier of Tests/Fixtures/timm.
  private func source(_ name: String, in folder: String) throws -> String {
    if name == "foreign" { return InitTests.timm }
    try TaskFiles.writeModel(folder + "/model.stz", pool: "class")
    return "model.stz"
  }

  @Test(arguments: ["foreign", "classifier"]) func graphAndFolderAreThoseThatWereRead(name: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let source = try source(name, in: folder)
      let graph = try export(["--blocks", "0,1", "--output", "g.onnx", source], in: folder)
      #expect(graph.status == 0, "\(graph.errors)")
      let mine = try Data(contentsOf: URL(fileURLWithPath: folder + "/g.onnx"))
      let theirs = try Data(contentsOf: URL(fileURLWithPath: Self.fixtures + name + ".onnx"))
      // The metadata come last in the file.
      #expect(mine.count > theirs.count && mine.prefix(theirs.count) == theirs)
      #expect(mine.dropFirst(theirs.count).range(of: Data("made_from".utf8)) != nil)
      let model = try export(["--layout", "hugging-face", "--output", "vit", source], in: folder)
      #expect(model.status == 0, "\(model.errors)")
      let tensors = try readTensors(path: folder + "/vit/model.safetensors")
      let read = try readTensors(path: Self.fixtures + name + ".hugging-face.safetensors")
      #expect(Set(tensors.tensors.map(\.name)) == Set(read.tensors.map(\.name)))
      for (name, tensor) in read.tensors {
        let mine = try #require(tensors[name])
        #expect(mine.shape == tensor.shape)
        #expect(mine.withUnsafeBytes { Array($0) } == tensor.withUnsafeBytes { Array($0) }, "\(name)")
      }
    }
  }

  @Test(arguments: ["foreign", "classifier"]) func theToolsComputeWhatTheGraphDoes(name: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let source = try source(name, in: folder)
      let expected = try readTensors(path: Self.fixtures + name + ".expected.safetensors")
      let pixels = try #require(expected["pixels"])
      let plain = try export(["--output", "plain.stz", source], in: folder)
      #expect(plain.status == 0, "\(plain.errors)")
      let metadata = try readTensors(path: folder + "/plain.stz").metadata
      let rows = pixels.shape[0]
      let views = try StreamWriter(
        path: folder + "/views.stz", kind: "views",
        metadata: [
          "recipes": "[\"center\"]", "mean": metadata["mean"] ?? "", "std": metadata["std"] ?? "", "epochs": "1",
          "rows_per_epoch": "\(rows)",
        ])
      try views.write([("center", pixels), ("index", StoredTensor((0..<Int64(rows)).map { $0 }, shape: [rows]))])
      try views.finish()
      for (command, tensor, output) in [
        (["embed"], "features", "features"), (["predict", "--top", "1"], "probability", "probabilities"),
      ] {
        let result = try ToolRunner.run(
          "pmae-evaluate", command + ["--overwrite", "--output", "o.stz", "plain.stz", "views.stz"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let reader = try StreamReader(path: folder + "/o.stz")
        let record = try #require(try reader.next())
        let found = try #require(record[tensor]?.float32()).values(of: Float.self)
        let theirs = try #require(expected[output]).values(of: Float.self)
        let wanted =
          output == "features"
          ? theirs : (0..<rows).map { theirs[$0 * theirs.count / rows..<($0 + 1) * theirs.count / rows].max() ?? .nan }
        #expect(found.count == wanted.count)
        for (mine, theirs) in zip(found, wanted) { #expect(abs(mine - theirs) < 1e-4, "\(output)") }
      }
    }
  }

  @Test func foldersComeBackToTheSameBytes() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let source = try source("classifier", in: folder)
      for layout in ["timm", "hugging-face"] {
        let steps = [
          ["--layout", layout, "--output", layout + "/", source], ["--output", layout + ".safetensors", layout],
          ["--overwrite", "--output", "plain.safetensors", source],
        ]
        for words in steps {
          let result = try export(words, in: folder)
          #expect(result.status == 0, "\(result.errors)")
        }
        let (back, plain) = (
          try readTensors(path: "\(folder)/\(layout).safetensors"), try readTensors(path: folder + "/plain.safetensors")
        )
        #expect(back.tensors.count == plain.tensors.count)
        for (name, tensor) in plain.tensors {
          let mine = try #require(back[name], "\(name)")
          #expect(mine.withUnsafeBytes { Array($0) } == tensor.withUnsafeBytes { Array($0) }, "\(layout): \(name)")
        }
        // Sizes, head and normalisation come back too, with no word from the user.
        let config = try #require(back.metadata["config"])
        #expect(
          config.contains("\"heads\":3") && config.contains("\"classes\":7") && config.contains("\"pool\":\"class\""))
        #expect(back.metadata["mean"] == plain.metadata["mean"] && back.metadata["std"] == plain.metadata["std"])
      }
    }
  }

  @Test func aFolderSaysWhatItIs() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try export(
        ["--layout", "hugging-face", "--image", "40", "--output", "vit", TaskFiles.checkpoint], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/vit/\(name)", encoding: .utf8)
      }
      let card = try text("README.md")
      for words in [
        "library_name: transformers", "add_pooling_layer=False", "| width, depth, heads | 12, 2, 3 |", "pmae-pretrain",
        "changed on reading: image 20 to 40: the position table was computed for 4 x 4 patches to 8 x 8",
      ] { #expect(card.contains(words), "\(words)") }
      #expect(try text("preprocessor_config.json").contains("\"shortest_edge\" : 45"))
      #expect(try text("config.json").contains("\"image_size\" : 40"))
      let again = try export(["--layout", "timm", "--output", "vit", TaskFiles.checkpoint], in: folder)
      #expect(again.status == 73 && again.errors.contains("vit: exists already and holds README.md"), "\(again.errors)")
      let replaced = try export(
        ["--layout", "timm", "--overwrite", "--output", "vit", TaskFiles.checkpoint], in: folder)
      #expect(replaced.status == 0, "\(replaced.errors)")
      #expect(try text("README.md").contains("local-dir:FOLDER"))
    }
  }

  @Test func maesLayoutHasTheDecoderToo() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let run = try PretrainTests.pretrain("mae", folder + "/run")
      #expect(run.status == 0, "\(run.errors)")
      let result = try export(["--layout", "mae", "--output", "mae.safetensors", "run"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (mae, checkpoint) = (
        try readTensors(path: folder + "/mae.safetensors"), try readTensors(path: folder + "/run/checkpoint.stz")
      )
      for name in [
        "student.pos_embed", "decoder.mask_token", "decoder.decoder_pred.weight", "decoder.decoder_pos_embed",
      ] {
        let mine = try #require(mae[String(name.drop { $0 != "." }.dropFirst())], "\(name)")
        #expect(try mine.values(of: Float.self) == #require(checkpoint[name]).values(of: Float.self))
      }
      let other = try export(["--layout", "mae", "--output", "o.safetensors", TaskFiles.checkpoint], in: folder)
      #expect(
        other.status == 64 && other.errors.contains("its decoder predicts 12 values of a patch"), "\(other.errors)")
    }
  }

  @Test func whatCannotBeWrittenIsRefused() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeModel(folder + "/mean.stz", pool: "mean")
      for (words, message) in [
        (["--layout", "timm", "mean.stz"], "--layout timm is a folder: name it with --output"),
        (
          ["--layout", "timm", "--format", "stz", "--output", "x", "mean.stz"], "--layout timm and --format stz exclude"
        ),
        (["--blocks", "1", "--output", "x.stz", "mean.stz"], "--blocks is for --format onnx alone"),
        (["--blocks", "1,b", "--output", "x.onnx", "mean.stz"], "--blocks is 1,b: expected whole numbers"),
        (["--blocks", "2", "--output", "x.onnx", "mean.stz"], "--blocks asks for block 2, but mean.stz has 0 to 1"),
        (
          ["--layout", "hugging-face", "--output", "x", "mean.stz"], "mean.stz: its head is on means of the patches"
        ),
        (["--layout", "mae", "--output", "x.stz", "mean.stz"], "mean.stz: has no decoder"),
        (["--pool", "class", "--output", "x.onnx", "mean.stz"], "its head is on pool mean, but --pool says class"),
        (["--image", "41", "--output", "x.onnx", "mean.stz"], "a patch of 5 does not divide an image of 41"),
      ] {
        let result = try export(words, in: folder)
        #expect(result.status == 64 && result.errors.contains(message), "\(words): \(result.errors)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["mean.stz"])
    }
  }
}
