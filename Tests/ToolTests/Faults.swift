// Fixtures/faults.c, compiled and preloaded into tools: a full disk, a kill or a clock at a moment of the test's choice.

import Foundation

enum Faults {
  /// Compiled once, by the clang that comes with Swift, and removed when the tests end.
  private static let library = Result<String, any Error> {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-faults-\(getpid()).so"
    atexit {
      unlink(FileManager.default.temporaryDirectory.path + "/pmae-faults-\(getpid()).so")
    }
    let source = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/faults.c"
    let result = try ToolRunner.run(
      "/usr/bin/env", ["clang", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", path, source, "-ldl"])
    if result.status != 0 { throw RunnerError(description: result.errors) }
    return path
  }

  /// Variables for a process whose call number `at` meets the fault.
  static func environment(_ fault: String, at: Int = 0) throws -> [String: String] {
    ["LD_PRELOAD": try library.get(), "FAULT": fault, "FAULT_AT": String(at)]
  }

  /// How many calls a tool makes that may meet one.
  static func count(_ tool: String, _ arguments: [String], in folder: String) throws -> Int {
    let file = folder + "/fault-count"
    let result = try ToolRunner.run(
      tool, arguments, environment: ["LD_PRELOAD": try library.get(), "FAULT_COUNT": file], in: folder)
    let text = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    guard result.status == 0, let count = Int(text) else {
      throw RunnerError(description: "\(tool): \(result.status), \(text) calls: \(result.errors)")
    }
    return count
  }
}
