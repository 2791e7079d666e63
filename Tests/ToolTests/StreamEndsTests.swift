// What every tool does at the ends of a stream: an input that is cut, wrong or missing, and an output that cannot be made.

import Foundation
import Testing

/// A tool that reads a stream from standard input, and an input that it takes, among the example files.
struct ReadingTool: CustomTestStringConvertible {
  let tool: String
  let arguments: [String]
  let input: String
  /// One that it does not take; nil: it takes all.
  let wrongInput: String?

  var testDescription: String { ([tool] + arguments).joined(separator: " ") }

  static let smallModel = [
    "--image", "28", "--patch", "7", "--width", "32", "--depth", "2", "--heads", "2", "--decoder-width", "32",
    "--decoder-depth", "1", "--decoder-heads", "2", "--head-hidden", "32", "--head-bottleneck", "16", "--prototypes",
    "16", "--batch", "16", "--epochs", "2", "--warmup-epochs", "1",
  ]

  static let all = [
    ReadingTool(tool: "pmae-inspect", arguments: ["--check"], input: "images.stz", wrongInput: nil),
    ReadingTool(
      tool: "pmae-augment", arguments: ["--quiet", "--output", "out.stz"], input: "images.stz",
      wrongInput: "encoder.stz"),
    ReadingTool(
      tool: "pmae-pretrain", arguments: ["--quiet", "--output", "out"] + smallModel, input: "views.stz",
      wrongInput: "images.stz"),
    ReadingTool(
      tool: "pmae-export", arguments: ["--output", "out.stz", "-"], input: "run/checkpoint.stz",
      wrongInput: "images.stz"),
    ReadingTool(
      tool: "pmae-finetune",
      arguments: [
        "--quiet", "--init", "encoder.stz", "--view", "simple", "--epochs", "2", "--batch", "16", "--output", "out.stz",
      ],
      input: "views.stz", wrongInput: "images.stz"),
    ReadingTool(
      tool: "pmae-evaluate", arguments: ["embed", "--quiet", "--output", "out.stz", "encoder.stz"],
      input: "center.stz", wrongInput: "images.stz"),
  ]
}

/// A tool that writes a stream to standard output.
struct WritingTool: CustomTestStringConvertible {
  let command: String
  var testDescription: String { command }

  static let all = [
    "pmae-pack --quiet photos", "pmae-augment --quiet images.stz", "pmae-export --quiet run",
    "pmae-evaluate embed --quiet encoder.stz center.stz",
    "pmae-finetune --quiet --init encoder.stz --view simple --epochs 2 --batch 16 views.stz",
  ].map(WritingTool.init)
}

@Suite struct StreamEndsTests {
  private func bytes(_ folder: String, _ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  private func exists(_ folder: String, _ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(folder)/\(name)")
  }

  @Test(arguments: ReadingTool.all) func aWholeInputIsTaken(reader: ReadingTool) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run(
        reader.tool, reader.arguments, input: bytes(folder, reader.input), in: folder)
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  /// The worst that could happen is a cut stream taken for a short one.
  @Test(arguments: ReadingTool.all) func aCutInputIsAnErrorAndLeavesNoOutput(reader: ReadingTool) throws {
    try ExampleFiles.withCopy { folder in
      let whole = try bytes(folder, reader.input)
      for length in [0, 3, 100, whole.count / 3, whole.count / 2, whole.count - 200] {
        try? FileManager.default.removeItem(atPath: folder + "/out")
        let result = try ToolRunner.run(reader.tool, reader.arguments, input: whole.prefix(length), in: folder)
        #expect(result.status == 65, "\(length) of \(whole.count) bytes: \(result.errors)")
        #expect(result.errors.hasPrefix("\(reader.tool): standard input: "), "\(result.errors)")
        #expect(!exists(folder, "out.stz"))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".partial") }
        #expect(left == [])
      }
    }
  }

  @Test(arguments: ReadingTool.all) func anotherKindIsRefusedByName(reader: ReadingTool) throws {
    guard let wrong = reader.wrongInput else { return }
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run(reader.tool, reader.arguments, input: bytes(folder, wrong), in: folder)
      #expect(result.status == 65, "\(result.errors)")
      #expect(result.errors.contains("expected"), "\(result.errors)")
      #expect(!exists(folder, "out.stz"))
    }
  }

  @Test func aWriterThatIsKilledIsNoticedDownstream() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        { pmae-augment --quiet --epochs 100000 images.stz & sleep 1; kill -9 $!; } | pmae-inspect --check
        """, in: folder)
      #expect(result.status == 65)
      #expect(result.output.isEmpty)
      #expect(result.errors.contains("the writer upstream failed or was killed"), "\(result.errors)")
    }
  }

  @Test(arguments: WritingTool.all) func aFullDiskIsAnError(writer: WritingTool) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell("\(writer.command) >/dev/full", in: folder)
      #expect(result.status == 74, "\(result.errors)")
      #expect(result.errors.contains("No space left on device"), "\(result.errors)")
    }
  }

  /// As `cat file | head -1` does: no word, and the status of SIGPIPE.
  @Test(arguments: WritingTool.all) func aReaderThatHasGoneEndsTheWriterQuietly(writer: WritingTool) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell("(sleep 0.3; set +e; \(writer.command); echo $? >status) | true", in: folder)
      #expect(result.errors == "")
      // The shell is done before the writer is.
      for _ in 0..<600 where !exists(folder, "status") { usleep(100_000) }
      usleep(100_000)
      #expect(String(decoding: try bytes(folder, "status"), as: UTF8.self) == "141\n")
    }
  }

  @Test(.enabled(if: Terminal.isAvailable, Comment(rawValue: Terminal.reason)), arguments: WritingTool.all)
  func aStreamIsNotWrittenToATerminal(writer: WritingTool) throws {
    try ExampleFiles.withCopy { folder in
      let result = try Terminal.run(writer.command, in: folder)
      #expect(result.status == 64, "\(result.text)")
      #expect(result.text.contains("is a terminal"), "\(result.text)")
    }
  }

  @Test(
    .enabled(if: Terminal.isAvailable, Comment(rawValue: Terminal.reason)),
    arguments: ["pmae-inspect", "pmae-augment --output out.stz"])
  func aTerminalIsNoInput(command: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try Terminal.run(command, in: folder)
      #expect(result.status == 64, "\(result.text)")
      #expect(result.text.contains("is a terminal"), "\(result.text)")
    }
  }

  @Test(arguments: WritingTool.all) func whatIsThereIsNotReplacedUnlessAsked(writer: WritingTool) throws {
    try ExampleFiles.withCopy { folder in
      let output = "\(folder)/precious"
      try Data("precious".utf8).write(to: URL(fileURLWithPath: output))
      let refused = try ToolRunner.shell("\(writer.command) --output precious", in: folder)
      #expect(refused.status == 73, "\(refused.errors)")
      #expect(refused.errors.contains("precious"))
      #expect(try bytes(folder, "precious") == Data("precious".utf8))
      let replaced = try ToolRunner.shell("\(writer.command) --output precious --overwrite", in: folder)
      #expect(replaced.status == 0, "\(replaced.errors)")
      #expect(try ToolRunner.run("pmae-inspect", ["--check", "precious"], in: folder).status == 0)
    }
  }

  @Test(arguments: WritingTool.all) func anOutputThatCannotBeCreatedIsNamed(writer: WritingTool) throws {
    try ExampleFiles.withCopy { folder in
      for output in ["nowhere/out.stz", "photos"] {
        let result = try ToolRunner.shell("\(writer.command) --output \(output)", in: folder)
        #expect(result.status == 73, "\(output): \(result.errors)")
        #expect(result.errors.contains(output), "\(result.errors)")
      }
    }
  }
}

/// What needs no data.
@Suite struct CommandLineTests {
  @Test(arguments: ManPageTests.tools) func helpAndVersionGoToStandardOutput(tool: String) throws {
    let version = try ToolRunner.run(tool, ["--version"])
    #expect(version.status == 0)
    #expect(version.errors == "")
    #expect(version.text.hasPrefix("\(tool) "))
    let help = try ToolRunner.run(tool, ["--help"])
    #expect(help.status == 0)
    #expect(help.errors == "")
    #expect(help.text.contains("USAGE: \(tool)"))
  }

  @Test(arguments: ManPageTests.tools) func anUnknownOptionIsAUsageError(tool: String) throws {
    let result = try ToolRunner.run(tool, ["--no-such-option"])
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(result.errors.hasPrefix("\(tool): "), "\(result.errors)")
    #expect(result.errors.contains("Usage: \(tool)"), "\(result.errors)")
  }

  /// Whatever its letters: an h among them is no call for help.
  @Test(arguments: ManPageTests.tools) func aWordWithOneDashIsAUsageError(tool: String) throws {
    for word in ["-hund.jpg", "-help", "-threads", "-oh=1", "-7"] {
      let result = try ToolRunner.run(tool, [word])
      #expect(result.status == 64 && result.output.isEmpty, "\(result.errors)")
      #expect(result.errors.hasPrefix("\(tool): Unknown option '\(word)'"), "\(result.errors)")
      #expect(result.errors.contains("./\(word)") && result.errors.contains("Usage: \(tool)"), "\(result.errors)")
    }
    let help = try ToolRunner.run(tool, ["-h"])
    #expect(help.status == 0 && help.text.contains("USAGE: \(tool)"))
  }

  @Test(arguments: [
    "pmae-inspect nosuch", "pmae-augment --output out nosuch", "pmae-pack --output out nosuch",
    "pmae-pretrain --output out nosuch", "pmae-export --output out nosuch",
    "pmae-finetune --init nosuch --output out -", "pmae-evaluate embed --output out nosuch -",
  ])
  func aMissingInputIsNamed(command: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(command, in: folder)
      #expect(result.status == 66, "\(result.errors)")
      #expect(result.errors.contains("nosuch: No such file or directory"), "\(result.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }
}
