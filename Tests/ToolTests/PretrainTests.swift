import Foundation
import TensorStream
import Testing

/// pmae-pretrain, as built, against the oracle's runs and against itself.
struct PretrainTests {
  static let oracle = ToolRunner.checkout + "/Tests/PretrainingTests/Fixtures/oracle/"

  static func options(_ name: String) throws -> [String] {
    try String(contentsOfFile: oracle + name + ".options", encoding: .utf8).split(separator: "\n").map(String.init)
  }

  static func pretrain(_ name: String, _ run: String, _ more: [String] = []) throws -> ToolResult {
    try ToolRunner.run(
      "pmae-pretrain",
      try options(name) + ["--output", run, "--quiet", "\(oracle)\(name).views.stz"] + more)
  }

  /// All tensors of a run's checkpoint.
  static func tensors(_ run: String) throws -> [String: [UInt8]] {
    let record = try readTensors(path: run + "/checkpoint.stz", kinds: ["checkpoint"])
    return Dictionary(uniqueKeysWithValues: record.tensors.map { ($0.name, $0.tensor.withUnsafeBytes { Array($0) }) })
  }

  static func metrics(_ run: String) throws -> [[String: Any]] {
    try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// Also where each picture of a batch is computed by itself.
  @Test(arguments: ["default", "mae", "sdae", "single-fold", "single-teacher", "pixels", "odd"], [false, true])
  func aRunAgreesWithTheOracle(_ name: String, oneAtATime: Bool) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let run = folder + "/run"
      let parts = oneAtATime ? ["--accumulate", name == "odd" ? "3" : "4"] : []
      let result = try Self.pretrain(name, run, ["--init", "\(Self.oracle)\(name).init.safetensors"] + parts)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors == "")
      let expected = try readTensors(path: "\(Self.oracle)\(name).expected.safetensors")
      let steps = try Self.metrics(run)
      for term in ["loss", "loss_m", "loss_pixels", "loss_c", "loss_p"] {
        guard let losses = try expected[term]?.values(of: Float.self) else { continue }
        #expect(steps.count == losses.count)
        for (step, loss) in zip(steps, losses) {
          let mine = try #require(step[term] as? Double)
          #expect(abs(mine - Double(loss)) <= 1e-5 * abs(Double(loss)), "\(term) is \(mine), expected \(loss)")
        }
      }
      let checkpoint = try readTensors(path: run + "/checkpoint.stz", kinds: ["checkpoint"])
      var compared = 0
      for (name, tensor) in expected.tensors where name.hasPrefix("final.") {
        let mine = try #require(checkpoint[String(name.dropFirst(6))], "\(name)")
        #expect(mine.shape == tensor.shape)
        let pairs = Array(zip(try mine.values(of: Float.self), try tensor.values(of: Float.self)))
        // The key third of a qkv bias is rounding, grown by Adam.
        let skipped = name.hasSuffix("qkv.bias") ? pairs.count / 3..<2 * pairs.count / 3 : 0..<0
        let worst = pairs.indices.filter { !skipped.contains($0) }.map { abs(pairs[$0].0 - pairs[$0].1) }.max() ?? 0
        #expect(worst <= 1e-5, "\(name) differs by \(worst)")
        compared += 1
      }
      #expect(compared > 30)
    }
  }

  @Test(arguments: ["1", "3"]) func theBitsDoNotDependOnThreads(parts: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      var first: [String: [UInt8]]?
      for threads in [1, 2, 3, 7] {
        let run = "\(folder)/\(threads)"
        // Drop path on: later options win.
        let result = try Self.pretrain(
          "odd", run, ["--drop-path", "0.5", "--seed", "7", "--threads", "\(threads)", "--accumulate", parts])
        #expect(result.status == 0, "\(result.errors)")
        let tensors = try Self.tensors(run)
        #expect(tensors == first ?? tensors, "\(threads) threads")
        first = first ?? tensors
      }
    }
  }

  @Test(arguments: ["1", "3"]) func aStoppedRunResumesToTheSameBits(parts: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let more = ["--drop-path", "0.5", "--accumulate", parts]
      #expect(try Self.pretrain("odd", folder + "/whole", more).status == 0)
      // Stopped in the middle of an epoch, at its end, and once more.
      for steps in ["1", "2", "5", "99"] {
        let result = try Self.pretrain("odd", folder + "/parts", more + ["--steps", steps, "--resume"])
        #expect(result.status == 0, "\(result.errors)")
      }
      #expect(try Self.tensors(folder + "/parts") == Self.tensors(folder + "/whole"))
      let losses = try [folder + "/parts", folder + "/whole"].map {
        try Self.metrics($0).map { "\($0["step"] ?? "") \($0["loss"] ?? "")" }
      }
      #expect(losses[0] == losses[1])
    }
  }

  @Test func resumingWithOtherOptionsNamesThem() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let run = folder + "/run"
      #expect(try Self.pretrain("default", run, ["--steps", "1"]).status == 0)
      let result = try Self.pretrain(
        "default", run, ["--resume", "--width", "48", "--lambda-c", "0.5", "--accumulate", "2"])
      #expect(result.status == 65)
      #expect(result.errors.contains("encoder.width 48, not 24"))
      #expect(result.errors.contains("lambdaC 0.5, not 1"))
      #expect(result.errors.contains("accumulate 2, not 1"))
      let again = try Self.pretrain("default", run)
      #expect(again.status == 73)
      #expect(again.errors.contains("--resume"))
    }
  }

  @Test func startWeightsThatDoNotFitAreAllNamed() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let record = try readTensors(path: Self.oracle + "default.init.safetensors")
      var tensors = record.tensors.filter { $0.name != "student.norm.bias" && $0.name != "head.mlp.2.weight" }
      tensors.append(("student.extra", StoredTensor([Float(1)], shape: [1])))
      let place = try #require(tensors.firstIndex { $0.name == "decoder.mask_token" })
      tensors[place].tensor = StoredTensor([Float(1), 2], shape: [2])
      let path = folder + "/init.safetensors"
      try writeSafetensors(path: path, metadata: [:], tensors: tensors)
      let result = try Self.pretrain("default", folder + "/run", ["--init", path])
      #expect(result.status == 65)
      for word in [path, "student.norm.bias", "head.mlp.2.weight", "student.extra", "decoder.mask_token", "[1, 1, 16]"]
      {
        #expect(result.errors.contains(word), "\(word) is not in: \(result.errors)")
      }
    }
  }

  @Test(arguments: [
    (["--patch", "5"], "a patch of 5 does not divide an image of 32"),
    (["--heads", "5"], "heads 5 does not divide width 24"),
    (["--label-folds", "99"], "label-folds"), (["--mask-ratio", "1"], "mask-ratio"),
    (["--precision", "float16"], "'float32', 'bfloat16' or 'auto'"), (["--warmup-epochs", "9"], "warmup-epochs"),
    (["--model", "vit-huge"], "vit-tiny"), (["--batch", "0"], "batch"),
    (["--accumulate", "3"], "accumulate must be a divisor of the batch of 4, not 3"),
    (["--accumulate", "0"], "accumulate must be a divisor of the batch of 4, not 0"),
  ])
  func impossibleOptionsAreUsageErrors(_ options: [String], _ words: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try Self.pretrain("default", folder + "/run", options)
      #expect(result.status == 64)
      #expect(result.errors.hasPrefix("pmae-pretrain: "))
      #expect(result.errors.contains(words), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }

  @Test func viewsThatDoNotFitAreDataErrors() throws {
    try ToolRunner.withTemporaryFolder { folder in
      for (options, words) in [
        (["--batch", "9"], "fewer than a batch of 9"), (["--epochs", "5"], "the run needs epochs 0 to 4"),
        (["--image", "64"], "expected U8 [8, 64, 64, 3]"),
      ] {
        let result = try Self.pretrain("default", folder + "/run", options)
        #expect(result.status == 65)
        #expect(result.errors.contains(words), "\(result.errors)")
      }
      let weights = try ToolRunner.run(
        "pmae-pretrain", ["--output", folder + "/run", Self.oracle + "default.init.safetensors"])
      #expect(weights.status == 65)
      // A pipe that dies: the run says so and keeps the checkpoint of the epoch before.
      let cut = try ToolRunner.shell(
        "head -c 70000 \(Self.oracle)default.views.stz | pmae-pretrain --output \(folder)/cut --quiet \(try Self.options("default").joined(separator: " ")) -"
      )
      #expect(cut.status == 65)
      #expect(cut.errors.contains("standard input"), "\(cut.errors)")
      #expect(try readTensors(path: folder + "/cut/checkpoint.stz").metadata["step"] == "2")
    }
  }
}
