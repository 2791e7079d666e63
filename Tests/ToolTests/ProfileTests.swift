import Foundation
import TensorStream
import Testing

/// --profile of the built trainers.
struct ProfileTests {
  private static let runs = [
    "pmae-pretrain \(options) --batch 8 --epochs 2 --warmup-epochs 1 --drop-path 0.5 views.stz --output",
    "pmae-finetune --view simple --batch 8 --init encoder.stz views.stz --output",
  ]
  private static let options =
    "--image 28 --patch 7 --width 32 --depth 2 --heads 2 --decoder-width 32 --decoder-depth 1 --decoder-heads 2 "
    + "--head-hidden 32 --head-bottleneck 16 --prototypes 16"

  /// It was asked for, so it is said under --quiet too, to standard error; and nothing that is computed changes.
  @Test(arguments: runs) func weightsAreThoseOfARunWithoutIt(run: String) throws {
    try ExampleFiles.withCopy { folder in
      #expect(try ToolRunner.shell("\(run) without --quiet", in: folder).errors == "")
      let result = try ToolRunner.shell("\(run) with --quiet --profile", in: folder)
      #expect(result.status == 0)
      #expect(result.output.isEmpty)
      let lines = result.errors.split(separator: "\n")
      #expect(lines.first?.contains(": profile of 10 steps in ") == true, "\(result.errors)")
      for name in ["linear layers, backward", "attention", "losses", "optimizer", "all else", "total"] {
        #expect(lines.contains { $0.hasPrefix("  \(name) ") }, "\(name)")
      }
      let weights = try ["without", "with"].map { name in
        let path = run.hasPrefix("pmae-pretrain") ? "\(name)/checkpoint.stz" : name
        return Dictionary(
          uniqueKeysWithValues: try readTensors(path: "\(folder)/\(path)").tensors.map {
            ($0.name, $0.tensor.withUnsafeBytes { Array($0) })
          })
      }
      #expect(weights[0] == weights[1])
    }
  }

  /// The same figures as JSON, in a file or on standard output, where benchmark-measure.sh reads them.
  @Test(arguments: runs) func theBenchmarkReadsTheJSON(run: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run(
        ToolRunner.checkout + "/pipelines/benchmark-measure.sh", ["\(run) out --profile-json - | tee line"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let columns = result.text.trimmingCharacters(in: .newlines).split(separator: "\t").compactMap { Double($0) }
      let line = try #require(try TaskFiles.lines(try String(contentsOfFile: folder + "/line", encoding: .utf8)).first)
      let figures = try ["images_per_second", "peak_memory_mib", "gflop_per_second"].map {
        try #require(line[$0] as? Double)
      }
      #expect(columns.count == 3 && zip(columns, figures).allSatisfy { $0 > 0 && abs($0 - $1) < 1e-7 * $1 })
      #expect(line["steps"] as? Int == 10)
    }
  }

  /// What is there is not replaced unless asked, and the run that it was asked of loses nothing.
  @Test(arguments: runs) func theFile(run: String) throws {
    try ExampleFiles.withCopy { folder in
      let taken = try ToolRunner.shell("touch p.json; \(run) out --quiet --profile-json p.json", in: folder)
      #expect(taken.status == 73 && taken.errors.contains("p.json: exists already"), "\(taken.errors)")
      let nowhere = try ToolRunner.shell("\(run) out --quiet --profile-json no/p.json", in: folder)
      #expect(nowhere.status == 73 && nowhere.errors.contains("there is no folder no"), "\(nowhere.errors)")
      let short = try ToolRunner.shell("\(run) out --quiet --steps 2 --overwrite --profile-json p.json", in: folder)
      #expect(short.status == 65, "\(short.errors)")
      #expect(
        short.errors.contains("p.json: is not written: profile: of 2 steps the first 2 warm up"), "\(short.errors)")
      #expect(FileManager.default.fileExists(atPath: folder + "/out"))
      let whole = try ToolRunner.shell("\(run) out --quiet --overwrite --profile-json p.json", in: folder)
      #expect(whole.status == 0 && whole.errors.isEmpty && whole.output.isEmpty, "\(whole.errors)")
      #expect(try TaskFiles.lines(String(contentsOfFile: folder + "/p.json", encoding: .utf8)).count == 1)
    }
  }

  @Test func modelAndProfileDoNotShareStandardOutput() throws {
    let result = try ToolRunner.run("pmae-finetune", ["--profile-json", "-", "views.stz"])
    #expect(result.status == 64 && result.errors.contains("--output and --profile-json both write"), "\(result.errors)")
  }
}
