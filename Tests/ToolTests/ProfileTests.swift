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

  /// Beside progress lines, which name a rate too.
  @Test(arguments: runs) func theBenchmarkReadsItsLastLine(run: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run(
        ToolRunner.checkout + "/pipelines/benchmark-measure.sh",
        ["\(run) out --profile 2>log; status=$?; cat log; exit $status"],
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let columns = result.text.trimmingCharacters(in: .newlines).split(separator: "\t").map(String.init)
      let last = try #require(
        try String(contentsOfFile: folder + "/log", encoding: .utf8).split(separator: "\n").last?.replacing(
          ",", with: ""))
      let found = try #require(
        try #/.*: profile: ([\d.]+) images/s .* step ([\d.]+) GFLOP/s peak memory (\d+) MiB/#.wholeMatch(in: last),
        "\(last)")
      #expect(columns == [String(found.1), String(found.3), String(found.2)])
      #expect(columns.allSatisfy { Double($0) ?? 0 > 0 })
    }
  }
}
