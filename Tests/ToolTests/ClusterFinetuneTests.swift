#if MPI
  import Foundation
  import TensorStream
  import Testing

  /// pmae-finetune on several ranks, by MPI. What ranks compute is tested without MPI too (FinetuningRankTests).
  @Suite(.serialized) struct ClusterFinetuneTests {
    private static let command =
      ["pmae-finetune", "--image", "28", "--patch", "7"] + Trainer.sizes + [
        "--view", "simple", "--batch", "16", "--run", "out", "--resume", "--checkpoint-every", "2", "--overwrite",
        "--output", "model.stz", "--threads", "1", "--quiet",
      ]
    private static let mixes = ["--mixup", "0.8", "--cutmix", "1", "--mix-mode", "element"]

    private func tensors(_ path: String) throws -> [String: [UInt8]] {
      let reader = try StreamReader(path: path)
      return Dictionary(
        uniqueKeysWithValues: reader.header.tensors.map { ($0.name, $0.tensor.withUnsafeBytes { Array($0) }) })
    }

    private func expect(_ mine: [[String: Any]], like theirs: [[String: Any]], within share: Double = 1e-6) throws {
      #expect(mine.count == theirs.count && theirs.count > 1)
      for (a, b) in zip(mine, theirs) {
        for (name, value) in b where name.hasPrefix("loss") || name.hasPrefix("validation") {
          let (x, y) = (try #require(a[name] as? Double), try #require(value as? Double))
          #expect(abs(x - y) <= share * abs(y), "\(name): \(x), expected \(y)")
        }
      }
    }

    @Test(
      arguments: [
        mixes + ["--ema", "0.9", "--clip", "1", "--validate", "../center.stz"],
        ["--mode", "linear", "--optimizer", "lars", "--standardise", "batch"],
      ], [2, 4])
    func lossesAreThoseOfOneProcess(options: [String], ranks: Int) throws {
      try Cluster.with { cluster in
        let one = try cluster.alone(in: "one", options, command: Self.command)
        #expect(one.status == 0, "\(one.errors)")
        let several = try cluster.mpirun(ranks, in: "several", options, command: Self.command)
        #expect(several.status == 0 && several.errors.isEmpty && several.output.isEmpty, "\(several.errors)")
        try expect(cluster.steps("several"), like: cluster.steps("one"))
        #expect(
          try tensors("\(cluster.folder)/several/model.stz").keys.sorted()
            == tensors("\(cluster.folder)/one/model.stz").keys.sorted())
      }
    }

    /// One process, and two and four, leave the same bytes.
    @Test(arguments: [mixes, ["--mode", "linear"]]) func shardsGiveTheSameBytes(options: [String]) throws {
      try Cluster.with { cluster in
        let options = options + ["--deterministic-ranks", "4"]
        let one = try cluster.alone(in: "1", options, command: Self.command)
        #expect(one.status == 0, "\(one.errors)")
        for ranks in [2, 4] {
          let result = try cluster.mpirun(ranks, in: "\(ranks)", options, command: Self.command)
          #expect(result.status == 0, "\(result.errors)")
          #expect(try cluster.outcome("\(ranks)") == cluster.outcome("1"), "\(ranks) ranks")
        }
      }
    }

    /// An augmenter for each rank gives what one file gives: of mixed pictures, the others' come from other ranks.
    @Test(arguments: [mixes, ["--mode", "linear"]]) func eachRankHasItsOwnViews(options: [String]) throws {
      try Cluster.with { cluster in
        let file = try cluster.mpirun(2, in: "file", options, command: Self.command)
        #expect(file.status == 0, "\(file.errors)")
        let parts = try cluster.start(
          [
            "mpirun", "-n", "2", ToolRunner.checkout + "/pipelines/rank.sh",
            """
            pmae-augment --quiet --views simple,complex --size 28 --epochs 2 --part "$PART" --batch 16 ../images.stz |
              \((Self.command + options).joined(separator: " ")) -
            """,
          ], in: "parts")
        #expect(parts.status == 0, "\(parts.errors)")
        let read = try ["file", "parts"].map { try tensors("\(cluster.folder)/\($0)/model.stz") }
        #expect(read[0] == read[1])
      }
    }

    /// A picture for each rank, as PyTorch trains on the three of them.
    @Test func aSegmentationIsThatOfTheOracle() throws {
      let fixture = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/segment/"
      let words = try String(contentsOfFile: fixture + "options", encoding: .utf8).split(separator: "\n").map(
        String.init)
      try Cluster.with { cluster in
        let result = try cluster.mpirun(
          3, in: "run",
          words + [
            "--init", fixture + "start.safetensors", "--steps", "3", "--run", "out", "--output", "model.stz",
            "--threads", "1", "--quiet", "--validate", fixture + "picture.stz",
          ], views: fixture + "views.stz", command: ["pmae-finetune"])
        #expect(result.status == 0, "\(result.errors)")
        let expected = try readTensors(path: fixture + "expected.safetensors")
        let steps = try cluster.steps("run")
        for key in ["loss", "loss_seg", "loss_aux"] {
          for (step, theirs) in zip(steps, try #require(expected[key]).values(of: Float.self)) {
            let mine = try #require(step[key] as? Double)
            #expect(abs(mine - Double(theirs)) <= 1e-5 * abs(Double(theirs)), "\(key): \(mine), expected \(theirs)")
          }
        }
        #expect(steps.count == 3 && steps[2]["mIoU"] != nil)
      }
    }

    /// Killed at random moments, and started again.
    @Test func aKillAtAnyMomentCostsNoBit() throws {
      try Cluster.with { cluster in
        let command = Self.command + Self.mixes
        let whole = try cluster.mpirun(2, in: "whole", command: command)
        #expect(whole.status == 0, "\(whole.errors)")
        let rest = try cluster.kill(4, command: command, in: "killed")
        #expect(rest.status == 0, "\(rest.errors)")
        let read = try ["killed", "whole"].map { try tensors("\(cluster.folder)/\($0)/model.stz") }
        #expect(read[0] == read[1])
      }
    }

    /// One rank's stream is cut: all stop, with one message.
    @Test(arguments: [[], ["--mode", "linear"]]) func viewsThatEndOnOneRankEndAll(options: [String]) throws {
      try Cluster.with { cluster in
        let result = try cluster.start(
          [
            "mpirun", "-n", "2", ToolRunner.checkout + "/pipelines/rank.sh",
            """
            pmae-augment --quiet --views simple --size 28 --epochs 2 --rows-per-record 8 --part "$PART" --batch 16 \
              ../images.stz >part$RANK.stz
            size=$(wc -c <part$RANK.stz)
            if [ $RANK = 1 ]; then size=$((size / 3)); fi
            head -c $size part$RANK.stz | \((Self.command + options).joined(separator: " ")) -
            """,
          ], in: "run")
        #expect(result.status == 65, "\(result.errors)")
        let messages = Cluster.messages(result)
        #expect(messages.count == 1, "\(result.errors)")
        #expect(messages.first?.contains("rank 1 on ") == true, "\(messages)")
        #expect(!FileManager.default.fileExists(atPath: cluster.folder + "/run/model.stz"))
      }
    }

    @Test func aSignalEndsAllAfterOneStep() throws {
      try Cluster.with { cluster in
        let result = try cluster.shell(
          """
          pmae-augment --quiet --views simple --size 28 --epochs 300 --output long.stz ../images.stz
          mpirun -n 2 \(Self.command.joined(separator: " ")) long.stz & launcher=$!
          for i in $(seq 600); do if test -s out/metrics.jsonl; then break; fi; sleep 0.05; done
          \(Cluster.rank)
          kill -USR2 \(Cluster.isMPICH ? "$(rank 0)" : "$launcher")
          wait $launcher && echo to its end
          pmae-inspect --check out/checkpoint.stz
          """, in: "run")
        #expect(result.status == 0 && !result.text.contains("to its end"), "\(result.text) \(result.errors)")
        #expect(Cluster.messages(result).isEmpty, "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: cluster.folder + "/run/model.stz"))
      }
    }

    @Test(arguments: [
      (["--batch", "15"], 64, "batch 15 cannot be divided among 2 shards: expected a multiple of 2"),
      (
        ["--mode", "linear", "--standardise", "batch", "--deterministic-ranks", "4"], 64,
        "--standardise batch is over the whole batch, so a rank has one shard: expected 4 ranks, not 2"
      ),
      (["--unaveraged", "model.stz", "--ema", "0.9"], 64, "--unaveraged and --output name one file"),
    ])
    func whatCannotBeIsSaidOnce(options: [String], status: Int32, message: String) throws {
      try Cluster.with { cluster in
        let result = try cluster.mpirun(2, in: "run", options, command: Self.command)
        #expect(result.status == status, "\(result.errors)")
        let messages = Cluster.messages(result)
        #expect(messages.count == 1 && messages[0].contains(message), "\(result.errors)")
      }
    }

    /// What is there is not overwritten: the first rank says it.
    @Test func anOutputThatIsThereIsKept() throws {
      try Cluster.with { cluster in
        let result = try cluster.shell(
          "echo kept >model.stz; mpirun -n 2 "
            + Self.command.filter { $0 != "--overwrite" && $0 != "--resume" }.joined(separator: " ")
            + " ../views.stz || echo $?; cat model.stz", in: "run")
        #expect(result.text == "73\nkept\n", "\(result.text) \(result.errors)")
        #expect(Cluster.messages(result).count == 1, "\(result.errors)")
      }
    }
  }
#endif
