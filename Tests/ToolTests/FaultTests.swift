import Foundation
import TensorStream
import Testing

/// A trainer, run on the example files into the folder `out`.
struct Trainer: CustomTestStringConvertible {
  let tool: String
  let arguments: [String]
  var testDescription: String { tool }

  /// Later options win: a model that starts in no time.
  static let sizes = ["--width", "12", "--depth", "1", "--heads", "3"]
  static let pretrainer = Trainer(
    tool: "pmae-pretrain",
    arguments: ReadingTool.smallModel + sizes + [
      "--prototypes", "6", "--output", "out", "--resume", "--checkpoint-every", "2", "--keep", "3", "--quiet",
      "views.stz",
    ])
  static let finetuner = Trainer(
    tool: "pmae-finetune",
    arguments: ["--image", "28", "--patch", "7"] + sizes + [
      "--view", "simple", "--batch", "16", "--run", "out", "--resume", "--checkpoint-every", "2", "--keep", "3",
      "--overwrite", "--output", "model.stz", "--quiet", "views.stz",
    ])
  static let all = [pretrainer, finetuner]

  func run(in folder: String, _ environment: [String: String] = [:], _ more: [String] = []) throws -> ToolResult {
    try ToolRunner.run(tool, arguments + more, environment: environment, in: folder)
  }

  /// Starts over.
  func clear(_ folder: String) {
    for name in ["out", "model.stz"] { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
  }

  /// Every byte that a run leaves but its speed: by name.
  func outcome(in folder: String) throws -> [String: Data] {
    var outcome: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder + "/out") where name != ".lock" {
      outcome[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/out/\(name)"))
    }
    let log = String(decoding: outcome["metrics.jsonl"] ?? Data(), as: UTF8.self)
    outcome["metrics.jsonl"] = Data(
      log.split(separator: "\n").map { $0.components(separatedBy: ",\"images_per_second").first ?? "" }
        .joined(separator: "\n").utf8)
    outcome["model"] = try? Data(contentsOf: URL(fileURLWithPath: folder + "/model.stz"))
    return outcome
  }
}

/// What a run meets in days on somebody's machine, injected call by call (see Faults.swift).
@Suite struct FaultTests {
  /// So many places of `count`, spread evenly, the first and the last among them.
  private func sample(_ count: Int, _ places: Int) -> [Int] {
    count <= places ? Array(1...count) : (0..<places).map { 1 + $0 * (count - 1) / (places - 1) }
  }

  /// `kill -9` right before a call that writes, syncs, links, renames or removes a file: the same command then goes on to the
  /// same bytes, and nothing else is left.
  @Test(arguments: Trainer.all) func aKillAtAnyWriteCostsNoBit(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let count = try Faults.count(trainer.tool, trainer.arguments, in: folder)
      let whole = try trainer.outcome(in: folder)
      #expect(whole.keys.filter { $0.hasPrefix("checkpoint") }.count == 3)
      for at in sample(count, 24) {
        trainer.clear(folder)
        let killed = try trainer.run(in: folder, Faults.environment("kill", at: at))
        #expect(killed.status == 137, "call \(at) of \(count): \(killed.errors)")
        let again = try trainer.run(in: folder)
        #expect(again.status == 0, "call \(at) of \(count): \(again.errors)")
        let outcome = try trainer.outcome(in: folder)
        #expect(outcome.keys.sorted() == whole.keys.sorted(), "call \(at) of \(count)")
        #expect(outcome == whole, "call \(at) of \(count)")
      }
    }
  }

  /// A disk that is full from some call on: an error, the last checkpoint whole, nothing half written under any name; and
  /// with room again the same command goes on to the same bytes.
  @Test(arguments: Trainer.all) func aDiskThatIsFullAtAnyWriteIsAnError(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let count = try Faults.count(trainer.tool, trainer.arguments, in: folder)
      let whole = try trainer.outcome(in: folder)
      for at in sample(count, 24) {
        trainer.clear(folder)
        let full = try trainer.run(in: folder, Faults.environment("full", at: at))
        #expect(full.status == 74, "call \(at) of \(count): \(full.errors)")
        #expect(full.errors.contains("No space left on device"), "\(full.errors)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/out")) ?? []
        #expect(names.filter { $0.hasSuffix(".partial") } == [])
        for name in names where name.hasPrefix("checkpoint") {
          #expect(throws: Never.self) { try readTensors(path: "\(folder)/out/\(name)", kinds: ["checkpoint"]) }
        }
        let again = try trainer.run(in: folder)
        #expect(again.status == 0, "call \(at) of \(count): \(again.errors)")
        #expect(try trainer.outcome(in: folder) == whole, "call \(at) of \(count)")
      }
    }
  }

  /// Where a file system of half a megabyte can be mounted: who is not root needs user namespaces for it.
  private static let canMount: Bool =
    (try? ToolRunner.shell("unshare -rm sh -c 'mount -t tmpfs -o size=1m none /mnt'").status) == 0

  @Test(
    .enabled(if: canMount, "unshare -rm and mount -t tmpfs are refused here"),
    arguments: [
      // Nothing fits; the model would; the first checkpoint does, a second beside it does not.
      ("16k", "pmae-pretrain --output disk/run", ""), ("128k", "pmae-pretrain --output disk/run", ""),
      ("1200k", "pmae-pretrain --checkpoint-every 1 --output disk/run", "checkpoint.stz"),
      ("16k", "pmae-finetune --output disk/model.stz", ""),
      ("16k", "pmae-finetune --run disk/run --output model.stz", ""),
      ("16k", "pmae-finetune --metrics disk/log --steps 4 --output disk/model.stz", ""),
      ("16k", "pmae-export --output disk/out.stz run", ""),
      ("16k", "pmae-augment --output disk/out.stz images.stz", ""),
      ("4k", "pmae-pack --output disk/out.stz photos", ""),
    ])
  func aSmallFileSystemIsAnErrorToo(size: String, command: String, left: String) throws {
    try ExampleFiles.withCopy { folder in
      let model = (ReadingTool.smallModel + ["views.stz"]).joined(separator: " ")
      let rest =
        switch command.split(separator: " ")[0] {
        case "pmae-pretrain": model
        case "pmae-finetune": "--init encoder.stz --view simple --epochs 2 --batch 16 views.stz"
        default: ""
        }
      let result = try ToolRunner.shell(
        """
        mkdir disk
        unshare -rm sh -ec '
          mount -t tmpfs -o size=\(size) none disk
          status=0; \(command) --quiet \(rest) || status=$?
          echo "$status"
          for file in $(find disk -name "*.stz"); do basename $file; pmae-inspect --check $file >&2; done
          find disk -name "*.partial" -o -name model.stz -o -name out.stz
        '
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text == "74\n" + (left.isEmpty ? "" : left + "\n"), "\(result.errors)")
      #expect(result.errors.contains("No space left on device"), "\(result.errors)")
    }
  }

  /// A wall clock that jumps a month at every look changes no checkpoint, no interval and no speed.
  @Test(arguments: Trainer.all) func aClockThatJumpsChangesNothing(trainer: Trainer) throws {
    try ExampleFiles.withCopy { folder in
      let more = ["--checkpoint-every", "1h", "--keep", "9"]
      #expect(try trainer.run(in: folder, [:], more).status == 0)
      let whole = try trainer.outcome(in: folder)
      trainer.clear(folder)
      let result = try trainer.run(in: folder, Faults.environment("clock"), more)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try trainer.outcome(in: folder) == whole)
      // The two epochs' ends, no more.
      #expect(whole.keys.filter { $0.hasPrefix("checkpoint") }.count == 2)
      let lines = try TaskFiles.lines(String(contentsOfFile: folder + "/out/metrics.jsonl", encoding: .utf8))
      for line in lines {
        let speed = try #require(line["images_per_second"] as? Double)
        #expect(speed > 1 && speed < 1e6)
      }
    }
  }
}
