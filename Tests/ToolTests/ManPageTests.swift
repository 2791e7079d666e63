import Foundation
import Testing

@Suite struct ManPageTests {
  static let tools = [
    "pmae-augment", "pmae-evaluate", "pmae-export", "pmae-finetune", "pmae-inspect", "pmae-pack", "pmae-pretrain",
  ]

  @Test(arguments: tools) func everyOptionIsOnThePageAndTheOtherWayRound(tool: String) throws {
    let page = try ManPage("\(tool).1")
    let listed = try helpOptions([tool])
    #expect(listed.contains("--help") && listed.contains("--version"))
    #expect(listed.subtracting(page.options) == [], "listed by --help, not on the page")
    #expect(page.options.subtracting(listed) == [], "on the page, not listed by --help")
  }

  @Test(arguments: tools) func everyToolHasAnExampleThatIsRun(tool: String) throws {
    #expect(try ManPage("\(tool).1").runnableExamples.isEmpty == false)
  }

  @Test(arguments: tools.map { "\($0).1" } + ["pmae-stream.5", "pmae.7"])
  func examplesRun(name: String) throws {
    for example in try ManPage(name).runnableExamples {
      let prepared = try Self.prepared.get()
      try ToolRunner.withTemporaryFolder { folder in
        let copy = try ToolRunner.run("/bin/cp", ["-r", prepared + "/.", folder])
        #expect(copy.status == 0, "\(copy.errors)")
        let result = try ToolRunner.shell(example, in: folder)
        #expect(result.status == 0, "\(name):\n\(example)\n\(result.errors)")
      }
    }
  }

  /// The long options that `--help` lists, of the tool and of its sub-commands.
  private func helpOptions(_ command: [String]) throws -> Set<String> {
    let result = try ToolRunner.run(command[0], command.dropFirst() + ["--help"])
    try #require(result.status == 0)
    var options: Set<String> = []
    var subcommands: [String] = []
    var isListingSubcommands = false
    for line in result.text.components(separatedBy: "\n") {
      if line.hasSuffix(":") { isListingSubcommands = line == "SUBCOMMANDS:" }
      if let item = line.wholeMatch(of: #/  (-.*?)(  .*)?/#) {
        // "-h, --help", "--rows <range>", "--shuffle/--no-shuffle"
        options.formUnion(item.1.matches(of: #/--[a-z][a-z0-9-]*/#).map { String($0.0) })
      } else if isListingSubcommands, let item = line.wholeMatch(of: #/  ([a-z][a-z-]*)( \(default\))?( .*)?/#) {
        subcommands.append(String(item.1))
      }
    }
    for subcommand in subcommands where subcommand != "help" {
      options.formUnion(try helpOptions(command + [subcommand]))
    }
    return options
  }

  /// A folder with the files that examples start from; made once, and left to the system's cleaning of /tmp only where
  /// the tests are killed.
  private static let prepared = Result<String, any Error> {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-examples-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: NSTemporaryDirectory() + "/pmae-examples-\(getpid())") }
    let fixtures = ToolRunner.checkout + "/Tests/ToolTests/Fixtures"
    let result = try ToolRunner.run(fixtures + "/prepare-examples.sh", [fixtures + "/examples"], in: folder)
    if result.status != 0 {
      throw RunnerError(description: "prepare-examples.sh ends with \(result.status): \(result.errors)")
    }
    return folder
  }
}
