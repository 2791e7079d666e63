import ArgumentParser
import CommandLineKit
import Runs
import Foundation
import TensorStream
import Testing

@Suite struct OptionsTests {
  private struct Options: ParsableCommand {
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var checkpoints: CheckpointOptions
  }

  @Test func standardOutputAndEveryCoreUnlessAsked() throws {
    let options = try Options.parse([])
    #expect(options.output.output == "-")
    #expect(!options.output.overwrite)
    #expect(!options.output.quiet)
    #expect(options.threads.count == ProcessInfo.processInfo.activeProcessorCount)
  }

  @Test func whatIsGivenIsUsed() throws {
    let options = try Options.parse(["--output", "a.stz", "--overwrite", "--quiet", "--threads", "3"])
    #expect(options.output.output == "a.stz")
    #expect(options.output.overwrite)
    #expect(options.output.quiet)
    #expect(options.threads.count == 3)
  }

  @Test(arguments: [
    ["--threads", "0"], ["--threads", "-1"], ["--threads", "5000"], ["--threads", "x"], ["--output", ""],
    ["--checkpoint-every", "0"], ["--checkpoint-every", "-5m"], ["--checkpoint-every", "10d"],
    ["--checkpoint-every", "1.5"], ["--checkpoint-every", "nanm"], ["--keep", "0"], ["--keep-every", "0"],
  ])
  func nonsenseIsAUsageError(arguments: [String]) {
    #expect(throws: (any Error).self) { try Options.parse(arguments) }
  }

  @Test(arguments: [
    ("500", CheckpointPolicy.Interval.steps(500)), ("90s", .seconds(90)), ("10m", .seconds(600)),
    ("0.5h", .seconds(1800)),
  ])
  func intervalsAreStepsOrTimes(text: String, interval: CheckpointPolicy.Interval) throws {
    let options = try Options.parse(["--checkpoint-every", text, "--keep", "3", "--keep-every", "5"])
    #expect(options.checkpoints.policy.interval == interval)
    #expect(options.checkpoints.policy.keep == 3)
    #expect(options.checkpoints.policy.keepEvery == 5)
    #expect(try Options.parse([]).checkpoints.policy == CheckpointPolicy())
  }
}
