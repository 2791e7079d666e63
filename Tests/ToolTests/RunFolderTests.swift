import Foundation
import TensorStream
import Testing

/// What a run folder holds, who may use it, and what a run may go on with.
@Suite struct RunFolderTests {
  private func steps(_ file: String) throws -> String? {
    try readTensors(path: file, kinds: ["checkpoint"]).metadata["step"]
  }

  private func checkpoints(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder + "/out").filter { $0.hasPrefix("checkpoint") }.sorted()
  }

  /// Epochs of three steps: the last two, and each second epoch's end for good.
  @Test(arguments: Trainer.all) func theLastAndEveryNthAreKept(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let views = try ToolRunner.shell(
        "pmae-augment --quiet --epochs 7 --size 28 --overwrite --output views.stz images.stz", in: folder)
      #expect(views.status == 0, "\(views.errors)")
      let more = ["--epochs", "7", "--checkpoint-every", "5", "--keep", "2", "--keep-every", "2"]
      #expect(try trainer.run(in: folder, [:], more + ["--steps", "20"]).status == 0)
      // Written after 3, 5, 6, 9, 10, 12, 15, 18, 20.
      #expect(
        try checkpoints(folder) == [
          "checkpoint-000006.stz", "checkpoint-000012.stz", "checkpoint-000018.stz", "checkpoint.stz",
        ])
      for (name, step) in [("-000006", "6"), ("-000012", "12"), ("-000018", "18"), ("", "20")] {
        #expect(try steps("\(folder)/out/checkpoint\(name).stz") == step)
      }
      // With only the newest, what is to be kept for good stays.
      let rest = try trainer.run(in: folder, [:], more + ["--keep", "1"])
      #expect(rest.status == 0, "\(rest.errors)")
      #expect(
        try checkpoints(folder) == [
          "checkpoint-000006.stz", "checkpoint-000012.stz", "checkpoint-000018.stz", "checkpoint.stz",
        ])
      #expect(try steps(folder + "/out/checkpoint.stz") == "21")
    }
  }

  /// A bit that has rotted, a file cut short, a file of nothing: the one before is taken, by the augmenter too, and a line
  /// says so; the end is that of an unbroken run.
  @Test(arguments: ["rot", "cut", "empty", "gone"]) func aDamagedNewestFallsBack(damage: String) throws {
    try ExampleFiles.withCopy { folder in
      let trainer = Trainer.pretrainer
      #expect(try trainer.run(in: folder).status == 0)
      let whole = try trainer.outcome(in: folder)
      let newest = folder + "/out/checkpoint.stz"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
      switch damage {
      case "rot": bytes[bytes.count / 2] ^= 16
      case "cut": bytes = bytes.prefix(bytes.count / 2)
      default: bytes = Data()
      }
      try FileManager.default.removeItem(atPath: newest)
      if damage != "gone" { try bytes.write(to: URL(fileURLWithPath: newest)) }
      let rest = try ToolRunner.shell(
        """
        pmae-augment --quiet --size 28 --epochs 2 --resume out --output rest.stz images.stz
        pmae-inspect --json rest.stz
        """, in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
      let start = try StreamReader(path: folder + "/rest.stz").header.metadata
      #expect(start["first_epoch"] == "1" && start["first_row"] == "16", "\(start)")
      let again = try ToolRunner.run(
        trainer.tool, trainer.arguments.dropLast(2) + ["rest.stz"], in: folder)
      #expect(again.status == 0, "\(again.errors)")
      if damage == "gone" {
        #expect(again.errors.contains("continues after step 4"), "\(again.errors)")
      } else {
        #expect(again.errors.contains("out/checkpoint.stz: "), "\(again.errors)")
        #expect(again.errors.contains("out/checkpoint-000004.stz, after step 4, takes its place"), "\(again.errors)")
      }
      let outcome = try trainer.outcome(in: folder)
      #expect(outcome["metrics.jsonl"] == whole["metrics.jsonl"])
      let (a, b) = (
        try readTensors(path: newest).tensors.map { $0.tensor.withUnsafeBytes { Array($0) } }, try tensors(of: whole)
      )
      #expect(a == b)
    }
  }

  private func tensors(of outcome: [String: Data]) throws -> [[UInt8]] {
    try ToolRunner.withTemporaryFolder { folder in
      try #require(outcome["checkpoint.stz"]).write(to: URL(fileURLWithPath: folder + "/c"))
      return try readTensors(path: folder + "/c").tensors.map { $0.tensor.withUnsafeBytes { Array($0) } }
    }
  }

  /// To begin again, where all there is is damaged, must be asked for.
  @Test func noWholeCheckpointIsAnError() throws {
    try ExampleFiles.withCopy { folder in
      let trainer = Trainer.pretrainer
      #expect(try trainer.run(in: folder, [:], ["--keep", "1"]).status == 0)
      try Data("no".utf8).write(to: URL(fileURLWithPath: folder + "/out/checkpoint.stz"))
      let result = try trainer.run(in: folder)
      #expect(result.status == 65)
      #expect(result.errors.contains("no older checkpoint that is whole"), "\(result.errors)")
      let augmented = try ToolRunner.shell("pmae-augment --quiet --resume out --output a.stz images.stz", in: folder)
      #expect(augmented.status == 65)
    }
  }

  /// A file is not taken for a folder, and stays.
  @Test(arguments: Trainer.all) func aRunFolderIsNoFile(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        "echo mine > out; \(trainer.tool) \(trainer.arguments.joined(separator: " ")) || echo $? $(cat out)",
        in: folder)
      #expect(result.text == "73 mine\n", "\(result.text) \(result.errors)")
      #expect(result.errors.contains("out: is a file: expected a run folder, or a name that nothing has"))
    }
  }

  /// The lock is the kernel's: it is held while the process lives, and gone with it however it ends.
  @Test(arguments: Trainer.all) func aFolderInUseIsLocked(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let arguments = trainer.arguments.dropLast().joined(separator: " ")
      let result = try ToolRunner.shell(
        """
        mkfifo pipe
        \(trainer.tool) \(arguments) pipe & first=$!
        exec 3>pipe
        head -c 20000 views.stz >&3
        while ! [ -s out/.lock ] && kill -0 $first; do sleep 0.02; done
        \(trainer.tool) \(arguments) views.stz || echo $?
        kill -9 $first
        exec 3>&-
        wait $first || true
        \(trainer.tool) \(arguments) views.stz && echo done
        echo $first
        """, in: folder)
      let lines = result.text.split(separator: "\n")
      try #require(lines.count == 3, "\(result.text) \(result.errors)")
      #expect(lines[0] == "73" && lines[1] == "done")
      #expect(result.errors.contains("out: is in use by process \(lines[2]) on "), "\(result.errors)")
    }
  }

  /// Each thing that contradicts the checkpoint is named.
  @Test func aFinetuningRunNamesWhatContradictsIt() throws {
    try ExampleFiles.withCopy { folder in
      let trainer = Trainer.finetuner
      #expect(try trainer.run(in: folder, [:], ["--steps", "2"]).status == 0)
      let before = try Data(contentsOf: URL(fileURLWithPath: folder + "/out/checkpoint.stz"))
      let result = try trainer.run(
        in: folder, [:], ["--width", "24", "--lr", "0.5", "--seed", "3", "--view", "complex", "--epochs", "1"])
      #expect(result.status == 65)
      for words in [
        "encoder.width 24, not 12", "learningRate 0.5, not", "seed 3, not 0", "view complex, not simple",
        "epochs 1, not 2",
      ] {
        #expect(result.errors.contains(words), "\(words): \(result.errors)")
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/out/checkpoint.stz")) == before)
      for (options, words) in [
        (["--metrics", "m"], "--metrics and --run exclude"),
        (["--checkpoint-every", "0"], "--checkpoint-every"), (["--keep", "0"], "--keep is 0"),
      ] {
        let refused = try trainer.run(in: folder, [:], options)
        #expect(refused.status == 64 && refused.errors.contains(words), "\(refused.errors)")
      }
    }
  }

  /// Views of other pictures would put the run at another place than its own.
  @Test func viewsOfAnotherSetAreRefused() throws {
    try ExampleFiles.withCopy { folder in
      #expect(try Trainer.pretrainer.run(in: folder, [:], ["--steps", "2"]).status == 0)
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --limit 40 --output few.stz train-images-idx3-ubyte.gz
        pmae-augment --quiet --epochs 2 --size 28 --output few-views.stz few.stz
        pmae-augment --quiet --epochs 2 --resume out --output x.stz few.stz || echo $?
        \(Trainer.pretrainer.tool) \(Trainer.pretrainer.arguments.dropLast().joined(separator: " ")) few-views.stz || echo $?
        """, in: folder)
      #expect(result.text == "65\n65\n", "\(result.errors)")
      #expect(result.errors.contains("rows_per_epoch of the views 40, not 48"), "\(result.errors)")
      #expect(result.errors.contains("is of epochs of 48 pictures, but there are 40"), "\(result.errors)")
    }
  }

  /// More epochs lengthen the schedules from the checkpoint on, and keep the warm-up; fewer are a contradiction.
  @Test(arguments: Trainer.all) func moreEpochsGoOn(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      #expect(try trainer.run(in: folder, [:], ["--epochs", "2"]).status == 0)
      let views = try ToolRunner.shell(
        "pmae-augment --quiet --epochs 4 --size 28 --overwrite --output views.stz images.stz", in: folder)
      #expect(views.status == 0)
      // Without being asked for, no epochs are added, though the views hold them.
      #expect(try trainer.run(in: folder).status == 0)
      #expect(try steps(folder + "/out/checkpoint.stz") == "6")
      let more = try trainer.run(in: folder, [:], ["--epochs", "4"])
      #expect(more.status == 0, "\(more.errors)")
      #expect(try steps(folder + "/out/checkpoint.stz") == "12")
      let rates = try TaskFiles.lines(String(contentsOfFile: folder + "/out/metrics.jsonl", encoding: .utf8))
        .compactMap { $0["lr"] as? Double }
      let warmup = trainer.tool == "pmae-pretrain" ? 1.0 : 0.2
      let peak = (trainer.tool == "pmae-pretrain" ? 2.666e-4 : 1e-3) / 16
      for step in 6..<12 {
        let epoch = Double(step) / 3
        let expected = peak * 0.5 * (1 + cos(Double.pi * (epoch - warmup) / (4 - warmup)))
        #expect(abs(rates[step] - expected) < 1e-6 * peak, "step \(step): \(rates[step]), expected \(expected)")
      }
      let fewer = try trainer.run(in: folder, [:], ["--epochs", "3"])
      #expect(fewer.status == 65 && fewer.errors.contains("epochs 3, not 4"), "\(fewer.errors)")
    }
  }

  /// SIGUSR1 writes a checkpoint after the step, and the run goes on to the bits that it would have had.
  @Test(arguments: Trainer.all) func aWarningWritesACheckpoint(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let more = trainer.arguments.dropLast().joined(separator: " ") + " --checkpoint-every 1h --keep 9"
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --size 28 --epochs 2 --rows-per-record 16 --overwrite --output views.stz images.stz
        \(trainer.tool) \(more) views.stz
        mv out whole
        mkfifo pipe
        \(trainer.tool) \(more) pipe & trainer=$!
        exec 3>pipe
        n=0
        while ! [ -s out/metrics.jsonl ]; do
          dd bs=4096 count=1 skip=$n status=none <views.stz >&3
          n=$((n + 1))
          sleep 0.02
        done
        kill -USR1 $trainer
        tail -c +$((n * 4096 + 1)) views.stz >&3
        exec 3>&-
        wait $trainer
        ls whole out
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (plain, asked) = (try names(folder + "/whole"), try names(folder + "/out"))
      #expect(plain == ["checkpoint-000003.stz", "checkpoint.stz"])
      let others = asked.filter { !plain.contains($0) }
      #expect(others == ["checkpoint-000001.stz"] || others == ["checkpoint-000002.stz"], "\(asked)")
      let ends = try ["whole", "out"].map {
        try readTensors(path: "\(folder)/\($0)/checkpoint.stz").tensors.map { $0.tensor.withUnsafeBytes { Array($0) } }
      }
      #expect(ends[0] == ends[1])
    }
  }

  private func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("checkpoint") }.sorted()
  }

  /// A rate beyond float32 makes the first weight infinite: the run ends there, named, and no checkpoint is written.
  @Test(arguments: Trainer.all) func aWeightThatIsNotFiniteStopsTheRun(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let result = try trainer.run(
        in: folder, [:], ["--lr", "1e39", "--warmup-epochs", "0", "--checkpoint-every", "1"])
      #expect(result.status == 65)
      let name = (trainer.tool == "pmae-pretrain" ? "student." : "") + "patch_embed.proj.weight"
      #expect(result.errors.contains("step 1: \(name), or a moment of it, is not finite"), "\(result.errors)")
      #expect(try checkpoints(folder) == [])
    }
  }

  /// The last good checkpoint stays as it was.
  @Test func aLossThatIsNotFiniteKeepsTheLastCheckpoint() throws {
    try ExampleFiles.withCopy { folder in
      let trainer = Trainer.pretrainer
      // The rate is 0 at step 1 and beyond everything at step 2.
      let result = try trainer.run(in: folder, [:], ["--lr", "1e32", "--checkpoint-every", "1"])
      #expect(result.status == 65)
      #expect(result.errors.contains("step 3: ") && result.errors.contains("is "), "\(result.errors)")
      #expect(result.errors.contains("the last checkpoint stays as it was"))
      let last = try readTensors(path: folder + "/out/checkpoint.stz", kinds: ["checkpoint"])
      #expect(last.metadata["step"] == "2")
      for (name, tensor) in last.tensors {
        #expect(try tensor.values(of: Float.self).allSatisfy(\.isFinite), "\(name)")
      }
    }
  }
}
