import Foundation
import Pretraining
import Testing

/// `pmae-pretrain --plan`: what a run would be on a cluster.
@Suite struct PlanTests {
  private static let plan = ["--plan", "--ranks", "4", "--network", "10Gbit", "--threads", "1"]

  private static func run(_ more: [String], in folder: String = ".") throws -> ToolResult {
    try ToolRunner.run("pmae-pretrain", ReadingTool.smallModel + Trainer.sizes + more, in: folder)
  }

  /// Every objective can be planned without views, but beit and cae, which need a tokenizer's file.
  @Test(arguments: objectives.map { $0.name }.filter { !["beit", "cae"].contains($0) })
  func aPlanNeedsNoViewsAndWritesNothing(objective: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let model = ["--image", "28", "--patch", "7", "--channels", "1", "--batch", "8", "--epochs", "5"] + Trainer.sizes
      let result = try ToolRunner.run(
        "pmae-pretrain",
        model + ["--objective", objective, "--images", "800", "--price", "2"] + Self.plan, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.text.split(separator: "\n")
      #expect(lines.count == 6)
      #expect(lines.first?.contains("2 pictures in") == true, "\(result.text)")
      #expect(result.text.contains("4 ranks, 10 Gbit/s, 50 µs"))
      #expect(lines.last?.hasPrefix("5 epochs of 800") == true && lines.last?.contains("which cost") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func aPlanIsOfTheViewsThatAreGiven() throws {
    try ExampleFiles.withCopy { folder in
      let result = try Self.run(["views.stz", "--images", "64", "--output", "out"] + Self.plan, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("efficiency"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
    }
  }

  @Test(arguments: [
    (["--plan"], "--plan needs --ranks and --network"),
    (["--plan", "--ranks", "3", "--network", "1Gbit"], "--ranks is 3: expected a divisor of the batch of"),
    (["--plan", "--ranks", "0", "--network", "1Gbit"], "--ranks is 0: expected 1 to 65536"),
    (["--plan", "--ranks", "2", "--network", "fast"], "--network is fast: expected a number with Gbit or Mbit"),
    (["--plan", "--ranks", "2", "--network", "1Gbit", "--latency", "-1"], "--latency is -1.0: expected"),
    (["--plan", "--ranks", "2", "--network", "1Gbit", "--images", "1"], "--images is 1: expected as many as a batch"),
    (["--plan", "--ranks", "2", "--network", "1Gbit", "--resume"], "--plan is of a fresh run"),
    (["--plan", "--ranks", "2", "--network", "1Gbit", "--deterministic-ranks", "2"], "--plan is of one shard a rank"),
    (["--output", "out", "--ranks", "2"], "--ranks is of --plan"),
    ([], "Missing expected argument '--output <output>'"),
  ])
  func whatCannotBePlannedIsRefused(options: [String], message: String) throws {
    let result = try Self.run(options)
    #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
  }
}
