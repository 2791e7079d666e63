// Runs the built tools as a user would: other processes, with pipes between.

import Foundation

/// What a process left behind.
struct ToolResult {
  /// The exit status; 128 + n where signal n ended it, as a shell says.
  let status: Int32
  let output: Data
  /// What it wrote to standard error.
  let errors: String

  var text: String { String(decoding: output, as: UTF8.self) }
}

enum ToolRunner {
  /// The folder of the built tools: the one that this test bundle was built into.
  static let folder: String = {
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    for start in [program, CommandLine.arguments[0], Bundle.main.bundlePath] + Bundle.allBundles.map(\.bundlePath) {
      var folder = URL(fileURLWithPath: start).resolvingSymlinksInPath()
      for _ in 0..<5 {
        folder.deleteLastPathComponent()
        if FileManager.default.isExecutableFile(atPath: folder.path + "/pmae-inspect") { return folder.path }
      }
    }
    return "/the tools are not where the tests are"
  }()

  /// The checkout that this file is in.
  static let checkout: String = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// Runs a tool (or any program, by its path) and waits for its end.
  /// - Parameters:
  ///   - input: what it finds in its standard input, a pipe; nil: /dev/null.
  ///   - environment: added to this process's own.
  ///   - folder: where it runs.
  ///   - timeout: seconds after which it is killed, and the test fails.
  static func run(
    _ tool: String, _ arguments: [String], input: Data? = nil, environment: [String: String] = [:],
    in folder: String? = nil, timeout: Double = 300
  ) throws -> ToolResult {
    let path = tool.contains("/") ? tool : "\(Self.folder)/\(tool)"
    var variables = ProcessInfo.processInfo.environment
    variables["PATH"] = Self.folder + ":" + (variables["PATH"] ?? "/usr/bin:/bin")
    variables.merge(environment) { $1 }
    var process = try ChildProcess(path, arguments, hasInput: input != nil, environment: variables, folder: folder)
    return try process.communicate(input: input ?? Data(), timeout: timeout)
  }

  /// Runs a shell script with the built tools first in PATH. `-e`: a failing command ends it.
  static func shell(
    _ script: String, input: Data? = nil, environment: [String: String] = [:], in folder: String? = nil,
    timeout: Double = 300
  ) throws -> ToolResult {
    try run(
      "/bin/sh", ["-e", "-c", script], input: input, environment: environment, in: folder, timeout: timeout)
  }

  /// Runs `body` with a new folder, which is gone afterwards.
  static func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }
}

struct RunnerError: Error, CustomStringConvertible {
  let description: String
}
