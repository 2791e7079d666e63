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
      try ExampleFiles.withCopy { folder in
        let result = try ToolRunner.shell(example, in: folder)
        #expect(result.status == 0, "\(name):\n\(example)\n\(result.errors)")
        // What the shell itself says: of a pipe the status is its last command's.
        #expect(!result.errors.contains("/bin/sh: "), "\(name):\n\(example)\n\(result.errors)")
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
}
