import Foundation
import Testing

/// A trainer that is asked to stop does, after its step, and loses nothing.
@Suite struct InterruptionTests {
  /// Trains on a pipe that would last for minutes, sends signals, and prints the trainer's status.
  private func train(in folder: String, then signals: String) throws -> ToolResult {
    try ToolRunner.shell(
      """
      mkfifo pipe
      pmae-augment --quiet --epochs 100000 --output pipe images.stz & writer=$!
      pmae-pretrain --quiet --output out \(Self.model) --epochs 100000 pipe & trainer=$!
      while ! [ -s out/metrics.jsonl ] && kill -0 $trainer; do sleep 0.1; done
      \(signals)
      set +e
      wait $trainer
      echo $?
      kill $writer 2>/dev/null
      wait $writer
      true
      """, in: folder, timeout: 120)
  }

  private static let model = ReadingTool.smallModel.joined(separator: " ")
    .replacingOccurrences(of: "--epochs 2 ", with: "")

  @Test(arguments: [
    ("kill -INT $trainer", "130\n"), ("kill -TERM $trainer", "143\n"), ("kill -USR2 $trainer", "140\n"),
    // Ctrl-C comes to the writer upstream as well, whose stream then ends early.
    ("kill -TERM $writer $trainer", "143\n"),
  ])
  func aSignalEndsATrainerAfterItsStepWithACheckpoint(signals: String, status: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try train(in: folder, then: signals)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text == status)
      let check = try ToolRunner.run("pmae-inspect", ["--check", "out/checkpoint.stz"], in: folder)
      #expect(check.status == 0, "\(check.errors)")
    }
  }
}
