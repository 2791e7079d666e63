import Foundation
import TensorStream
import Testing

/// Encoders of other programs, and other sizes of pictures, as start weights of the tools. The encoder is timm's, of 8 by 8
/// pixels, with LayerScale and learned positions (Tests/TrainingTests/Fixtures/foreign); the views are of 20 by 20.
@Suite struct InitTests {
  static let timm = ToolRunner.checkout + "/Tests/TrainingTests/Fixtures/foreign/timm"

  private static let pretrain = [
    "--quiet", "--label-view", "simple", "--decoder-width", "8", "--decoder-depth", "1", "--decoder-heads", "2",
    "--head-hidden", "8", "--head-bottleneck", "4", "--prototypes", "8", "--batch", "8", "--output", "run", "views.stz",
  ]

  @Test func pretrainingGoesOnFromAnEncoderAlone() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeViews(folder + "/views.stz", epochs: 1)
      func run(_ more: [String]) throws -> ToolResult {
        try ToolRunner.run("pmae-pretrain", more + Self.pretrain, in: folder)
      }
      let start = try run(["--init", Self.timm, "--image", "20", "--steps", "0"])
      #expect(start.status == 0, "\(start.errors)")
      let before = try PretrainTests.tensors(folder + "/run")
      let theirs = try readTensors(path: Self.timm + "/model.safetensors")
      for (name, tensor) in theirs.tensors where !name.hasPrefix("head.") && name != "pos_embed" {
        for part in ["student.", "labelling_teacher.", "reconstruction_teacher."] {
          #expect(before[part + name] == tensor.withUnsafeBytes { Array($0) }, "\(part)\(name)")
        }
      }
      #expect(before["student.pos_embed"]?.count == 4 * 8 * 26)
      #expect(before["decoder.mask_token"]?.contains { $0 != 0 } == true)
      // It goes on without a word of sizes: they are the run's.
      let more = try run(["--resume", "--steps", "3"])
      #expect(more.status == 0, "\(more.errors)")
      let after = try PretrainTests.tensors(folder + "/run")
      for name in ["student.pos_embed", "student.blocks.1.ls2.gamma", "labelling_teacher.pos_embed"] {
        #expect(after[name] != before[name], "\(name)")
      }
      let lineage = try ToolRunner.run("pmae-inspect", ["--lineage", "run/checkpoint.stz"], in: folder)
      #expect(
        lineage.text.contains(
          "changed on reading: image 8 to 20: learned positions were interpolated, 2 x 2 patches to 5 x 5"),
        "\(lineage.text)")
    }
  }

  @Test func theSameStartInOneGoOrTwo() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeViews(folder + "/views.stz", epochs: 1)
      var runs: [[String: [UInt8]]] = []
      for words in [["--threads", "1", "--steps", "3"], ["--threads", "3", "--steps", "1"]] {
        let result = try ToolRunner.run(
          "pmae-pretrain", ["--init", Self.timm, "--image", "20", "--overwrite"] + words + Self.pretrain, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        if words[3] == "1" {
          let rest = try ToolRunner.run("pmae-pretrain", ["--resume", "--steps", "3"] + Self.pretrain, in: folder)
          #expect(rest.status == 0, "\(rest.errors)")
        }
        runs.append(try PretrainTests.tensors(folder + "/run"))
      }
      #expect(runs[0] == runs[1])
    }
  }

  @Test func sizesThatContradictTheFileAreRefused() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeViews(folder + "/views.stz", epochs: 1)
      for (words, message) in [
        (["--width", "12"], "its encoder has width 8, but the options say 12"),
        (["--heads", "4"], "says 2 heads, but --heads says 4"),
        (["--image", "21"], "a patch of 4 does not divide an image of 21"),
      ] {
        let result = try ToolRunner.run("pmae-pretrain", ["--init", Self.timm] + words + Self.pretrain, in: folder)
        #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
      }
    }
  }

  @Test func otherSizesAreFineTunedMeasuredAndTold() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try TaskFiles.writeViews(folder + "/views.stz", epochs: 1)
      let refused = try ToolRunner.run(
        "pmae-finetune", ["--init", Self.timm, "--batch", "8", "--output", "m.stz", "views.stz"], in: folder)
      #expect(refused.status == 65 && refused.errors.contains("[24, 20, 20, 3]"), "\(refused.errors)")
      let tuned = try ToolRunner.run(
        "pmae-finetune", ["--init", Self.timm, "--image", "20", "--batch", "8", "--output", "m.stz", "views.stz"],
        in: folder)
      #expect(tuned.status == 0, "\(tuned.errors)")
      #expect(tuned.errors.contains("learned positions were interpolated, 2 x 2 patches to 5 x 5"), "\(tuned.errors)")
      #expect(tuned.errors.contains("its head is left out"))
      let (model, start) = (
        try readTensors(path: folder + "/m.stz"), try readTensors(path: Self.timm + "/model.safetensors")
      )
      #expect(model["pos_embed"]?.shape == [1, 26, 8])
      #expect(model.metadata["config"]?.contains("\"positions\":\"learned\"") == true)
      #expect(model["blocks.0.ls1.gamma"]?.shape == [8] && start["blocks.0.ls1.gamma"]?.shape == [8])
      for command in ["classify", "embed"] {
        let result = try ToolRunner.run("pmae-evaluate", [command, "m.stz", "views.stz"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
      }
      // Of any size, too: a linear probe, and neighbours.
      let probe = try ToolRunner.run(
        "pmae-finetune",
        ["--init", Self.timm, "--image", "20", "--mode", "linear", "--epochs", "2", "--output", "p.stz", "views.stz"],
        in: folder)
      #expect(probe.status == 0, "\(probe.errors)")
      let knn = try ToolRunner.run(
        "pmae-evaluate", ["knn", "--image", "20", "--k", "1", Self.timm, "views.stz", "views.stz"], in: folder)
      #expect(knn.status == 0 && knn.text.contains("\"top1\":1"), "\(knn.errors)\(knn.text)")
    }
  }
}
