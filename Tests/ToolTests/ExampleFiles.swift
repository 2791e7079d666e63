import Foundation

/// The files that examples of the man pages start from; README.md lists them.
enum ExampleFiles {
  /// Made once, by the tools, and removed when the tests end.
  private static let prepared = Result<String, any Error> {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-examples-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    atexit {
      try? FileManager.default.removeItem(
        atPath: FileManager.default.temporaryDirectory.path + "/pmae-examples-\(getpid())")
    }
    let fixtures = ToolRunner.checkout + "/Tests/ToolTests/Fixtures"
    let result = try ToolRunner.run(fixtures + "/prepare-examples.sh", [fixtures + "/examples"], in: folder)
    if result.status != 0 {
      throw RunnerError(description: "prepare-examples.sh ends with \(result.status): \(result.errors)")
    }
    return folder
  }

  /// Runs `body` with a folder of its own that holds them.
  static func withCopy<R>(_ body: (String) throws -> R) throws -> R {
    let prepared = try prepared.get()
    return try ToolRunner.withTemporaryFolder { folder in
      let copy = try ToolRunner.run("/bin/cp", ["-r", prepared + "/.", folder])
      if copy.status != 0 { throw RunnerError(description: copy.errors) }
      return try body(folder)
    }
  }
}
