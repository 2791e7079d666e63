import ArgumentParser
import CommandLineKit
import Foundation
import Testing

@Suite struct OptionsTests {
  private struct Options: ParsableCommand {
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
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
  ])
  func nonsenseIsAUsageError(arguments: [String]) {
    #expect(throws: (any Error).self) { try Options.parse(arguments) }
  }
}
