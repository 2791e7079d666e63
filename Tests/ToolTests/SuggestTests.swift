import Foundation
import Testing

/// `pmae-pretrain --suggest`: settings for a set of pictures, and the commands that follow them.
@Suite struct SuggestTests {
  @Test func whatItSuggestsCanBePasted() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run(
        "pmae-pretrain", ["--suggest", "images.stz", "--suggest=images.stz", "--threads", "1"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      for start in ["pictures  ", "nearest trial  ", "--image ", "--patch ", "--epochs ", "time in float32 "] {
        #expect(result.text.split(separator: "\n").contains { $0.hasPrefix(start) }, "\(start): \(result.text)")
      }
      // One epoch is enough to see that the tools take it.
      let command = try #require(result.text.components(separatedBy: "\n\n").last)
      #expect(command.hasPrefix("pmae-augment images.stz images.stz --size "))
      let short = command.replacingOccurrences(of: "--epochs [0-9]+", with: "--epochs 1", options: .regularExpression)
      let run = try ToolRunner.shell("rm -rf run\n" + short, in: folder)
      #expect(run.status == 0, "\(run.errors)")
      #expect(FileManager.default.fileExists(atPath: folder + "/run/checkpoint.stz"))
    }
  }

  @Test(arguments: [
    (["--suggest", "images.stz", "--width", "8"], 64, "--width is not for --suggest"),
    (["--suggest", "images.stz", "views.stz"], 64, "--suggest is of pictures, before there are views"),
    (["--suggest", "views.stz"], 65, "views.stz"),
    (["--suggest", "nowhere.stz"], 66, "nowhere.stz"),
  ])
  func whatIsNoSetOfPicturesIsRefused(options: [String], status: Int32, message: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run("pmae-pretrain", options, in: folder)
      #expect(result.status == status && result.errors.contains(message), "\(result.status): \(result.errors)")
      #expect(result.text.isEmpty)
    }
  }

  @Test(arguments: [("--help", "OVERVIEW: "), ("--version", "pmae-pretrain ")])
  func helpIsThereBesideIt(option: String, start: String) throws {
    let result = try ToolRunner.run("pmae-pretrain", ["--suggest", "images.stz", option])
    #expect(result.status == 0 && result.text.hasPrefix(start), "\(result.errors)")
  }
}
