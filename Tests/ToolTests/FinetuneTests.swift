import Foundation
import TensorStream
import Testing

@Suite struct FinetuneTests {
  /// A folder with `encoder.stz`, `encoder.safetensors`, `one.stz` (an epoch of 24 views) and `three.stz` (three of 8).
  private func prepared(_ body: (String) throws -> Void) throws {
    try ToolRunner.withTemporaryFolder { folder in
      for name in ["encoder.stz", "encoder.safetensors"] {
        let export = try ToolRunner.run(
          "pmae-export", ["--quiet", "--part", "labelling-teacher", "--output", name, TaskFiles.checkpoint], in: folder)
        #expect(export.status == 0, "\(export.errors)")
      }
      try TaskFiles.writeViews(folder + "/one.stz")
      try TaskFiles.writeViews(folder + "/three.stz", epochs: 3)
      try body(folder)
    }
  }

  private func finetune(_ arguments: String, in folder: String) throws -> ToolResult {
    try ToolRunner.run("pmae-finetune", arguments.split(separator: " ").map(String.init), in: folder)
  }

  @Test func fullFinetuningLearns() throws {
    try prepared { folder in
      let result = try finetune(
        "--init encoder.stz --batch 4 --lr 0.01 --drop-path 0.1 --output m.stz --metrics m.jsonl three.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.isEmpty)
      let steps = try TaskFiles.lines(String(contentsOfFile: folder + "/m.jsonl", encoding: .utf8))
      #expect(steps.compactMap { $0["step"] as? Int } == [1, 2, 3, 4, 5, 6])
      #expect(steps.compactMap { $0["epoch"] as? Int } == [0, 0, 1, 1, 2, 2])
      let model = try readTensors(path: folder + "/m.stz", kinds: ["weights"])
      let encoder = try readTensors(path: folder + "/encoder.stz")
      #expect(Set(model.tensors.map(\.name)) == Set(encoder.tensors.map(\.name)).union(["head.weight", "head.bias"]))
      #expect(model["head.weight"]?.shape == [7, 12])
      #expect(model.metadata["config"]?.contains(#""classes":7"#) == true)
      #expect(model.metadata["config"]?.contains(#""pool":"mean""#) == true)
      #expect(model.metadata["classes"]?.contains("g") == true)
      #expect(model.metadata["mean"] == encoder.metadata["mean"])
      #expect(model.metadata["made_from"]?.contains("pmae-pretrain") == true)
      // Positions are not trained, the rest is.
      for (name, tensor) in encoder.tensors {
        let isSame = try model[name]?.values(of: Float.self) == tensor.values(of: Float.self)
        #expect(isSame == (name == "pos_embed"), "\(name)")
      }
    }
  }

  /// The same bits for one thread and two, from a file and from a pipe, from .stz and .safetensors, in either mode.
  @Test(arguments: ["linear --epochs 20", "full --drop-path 0.3", "full --accumulate 2"])
  func runsAreRepeatable(mode: String) throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        options="--quiet --batch 4 --lr 0.01 --seed 3 --mode \(mode)"
        pmae-finetune $options --threads 1 --init encoder.stz --output a.stz one.stz
        pmae-finetune $options --threads 2 --init encoder.safetensors --output b.stz - <one.stz
        pmae-finetune $options --threads 2 --init encoder.stz --seed 4 --output c.stz one.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.isEmpty)
      let models = try ["a", "b", "c"].map { name in
        try readTensors(path: "\(folder)/\(name).stz").tensors.map { tensor in
          tensor.tensor.withUnsafeBytes { Array($0) }
        }
      }
      #expect(models[0] == models[1])
      #expect(models[0] != models[2])
    }
  }

  @Test func linearModeLeavesTheEncoderAlone() throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        pmae-finetune --quiet --mode linear --batch 8 --lr 0.05 --epochs 300 --init encoder.stz --output m.safetensors one.stz
        pmae-finetune --quiet --mode linear --batch 8 --steps 0 --init encoder.stz --output m.stz one.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let encoder = try readTensors(path: folder + "/encoder.stz")
      let model = try readTensors(path: folder + "/m.safetensors")
      for (name, tensor) in encoder.tensors {
        #expect(try model[name]?.values(of: Float.self) == tensor.values(of: Float.self), "\(name)")
      }
    }
  }

  @Test func fromScratch() throws {
    try prepared { folder in
      let result = try finetune(
        "--image 20 --patch 5 --width 16 --depth 1 --heads 2 --batch 8 --quiet --output m.stz three.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let model = try readTensors(path: folder + "/m.stz")
      #expect(model["blocks.0.attn.qkv.weight"]?.shape == [48, 16])
    }
  }

  @Test(arguments: [
    ("--init encoder.stz --width 12 one.stz", 64, "--width and --init exclude each other"),
    ("--mode linear --drop-path 0.1 --init encoder.stz one.stz", 64, "--drop-path has no meaning in linear mode"),
    ("--mode linear --accumulate 2 --init encoder.stz one.stz", 64, "--accumulate has no meaning in linear"),
    ("--mode linear --profile --init encoder.stz one.stz", 64, "--profile has no meaning in linear mode"),
    ("--init encoder.stz --batch 8 --accumulate 3 one.stz", 64, "accumulate must be a divisor of the batch of 8"),
    ("--init encoder.stz --accumulate 0 one.stz", 64, "--accumulate is 0: expected 1 or more"),
    ("--init encoder.stz --accumulate 25 one.stz", 65, "an epoch of 24 images is fewer than a batch of 25"),
    ("--image 20 --patch 6 one.stz", 64, "a patch of 6 does not divide an image of 20"),
    ("--image 20 --patch 5 --width 20 --heads 3 one.stz", 64, "heads 3 does not divide width 20"),
    ("--init encoder.stz --epochs 3 --batch 4 one.stz", 65, "one.stz: holds epoch 0, but the run needs epochs 0 to 2"),
    ("--init encoder.stz --batch 25 one.stz", 65, "one.stz: an epoch of 24 images is fewer than a batch of 25"),
    ("--init encoder.stz --mode linear --batch 25 one.stz", 65, "an epoch of 24 images is fewer than a batch of 25"),
    ("--init encoder.stz --classes 3 --batch 4 one.stz", 65, "expected 0 to 2"),
    ("--init encoder.stz --view complex one.stz", 65, "one.stz: has no view \"complex\", only simple"),
    ("--init one.stz one.stz", 65, "one.stz: holds views, expected weights"),
    ("--init nothing.stz one.stz", 66, "nothing.stz"),
    ("--init encoder.stz encoder.stz", 65, "encoder.stz"),
    ("--init encoder.stz --heads 4 one.stz", 64, "encoder.stz: has 3 heads, but --heads says 4"),
    ("--metrics ./m.stz one.stz", 64, "--metrics and --output name one file"),
    ("--profile-json m.stz one.stz", 64, "--profile-json and --output name one file"),
    ("--lr 1 --base-lr 1 one.stz", 64, "--lr and --base-lr exclude each other"),
    ("--image 16 --patch 4 --width 16 --heads 2 --batch 4 one.stz", 65, "expected U8 [24, 16, 16, 3]"),
    (
      "--image 20 --patch 5 --width 16 --heads 2 --batch 4 --lr 1e30 three.stz", 65,
      "training stops, and the last checkpoint stays as it was"
    ),
  ])
  func badInput(_ arguments: String, status: Int32, message: String) throws {
    try prepared { folder in
      let result = try finetune(arguments + " --output m.stz", in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.hasPrefix("pmae-finetune: "))
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/m.stz"))
    }
  }

  /// The same labels with other names, in what a run goes on with and in what it is held against.
  @Test func otherClassesAreRefused() throws {
    try prepared { folder in
      try TaskFiles.writeViews(folder + "/renamed.stz", epochs: 3) { metadata, _ in
        metadata["classes"] = #"["a","z","c","d","e","f","g"]"#
      }
      let run = "--quiet --init encoder.stz --batch 4 --run run --output m.stz --overwrite"
      #expect(try finetune("\(run) --steps 3 three.stz", in: folder).status == 0)
      let message = "renamed.stz: class 1 is \"z\", but that of"
      let resumed = try finetune("\(run) --resume renamed.stz", in: folder)
      #expect(resumed.status == 65 && resumed.errors.contains(message), "\(resumed.errors)")
      let held = try finetune(
        "--init encoder.stz --batch 4 --validate renamed.stz --output v.stz three.stz", in: folder)
      #expect(held.status == 65 && held.errors.contains(message), "\(held.errors)")
      // Names stay where there are more classes than the views have.
      #expect(
        try finetune("--quiet --init encoder.stz --batch 4 --classes 8 --output w.stz three.stz", in: folder).status
          == 0)
      let model = try readTensors(path: folder + "/w.stz")
      #expect(model.metadata["classes"] == #"["a","b","c","d","e","f","g","7"]"#)
    }
  }

  /// Of 24 pictures in 7 parts 21 are a batch.
  @Test(arguments: ["", "--accumulate 7"]) func aSmallSetIsOneBatchUnlessOneIsAskedFor(parts: String) throws {
    try prepared { folder in
      let shell = "pmae-finetune --quiet --init encoder.stz --metrics steps.jsonl --output m.stz \(parts) one.stz"
      #expect(try ToolRunner.shell(shell, in: folder).status == 0)
      // 24 images in one epoch: one step.
      let lines = try String(contentsOfFile: folder + "/steps.jsonl", encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 1)
    }
  }

  @Test func viewsWithoutLabels() throws {
    try prepared { folder in
      try TaskFiles.writeViews(folder + "/none.stz") { _, tensors in tensors.removeLast() }
      try TaskFiles.writeViews(folder + "/empty.stz") { metadata, _ in metadata["rows_per_epoch"] = "0" }
      try TaskFiles.writeViews(folder + "/unnamed.stz") { metadata, _ in metadata["classes"] = nil }
      for (name, message) in [
        ("none", "none.stz: no labels"), ("empty", "empty.stz: holds no rows"),
        ("unnamed", "unnamed.stz: names no classes: say with --classes"),
      ] {
        let result = try finetune("--init encoder.stz --batch 4 --output m.stz \(name).stz", in: folder)
        #expect(result.status == 65, "\(result.errors)")
        #expect(result.errors.contains(message), "\(result.errors)")
      }
      #expect(
        try finetune("--init encoder.stz --batch 4 --classes 7 --output m.stz unnamed.stz", in: folder).status == 0)
    }
  }

  @Test func aSignalEndsItWithoutAModel() throws {
    try prepared { folder in
      // The views come from a pipe that stays open, so that it is surely at work when the signal comes.
      let result = try ToolRunner.shell(
        """
        mkfifo views
        pmae-finetune --init encoder.stz --batch 4 --metrics m.jsonl --output m.stz views & tool=$!
        exec 3>views
        head -c 20000 three.stz >&3
        sleep 1
        kill -TERM $tool
        exec 3>&-
        wait $tool || echo $?
        test ! -e m.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text == "143\n", "\(result.errors)")
    }
  }
}
