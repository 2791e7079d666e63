// Options that mean the same in every tool.

import ArgumentParser
import Foundation
import TensorStream

/// `--output`, `--overwrite` and `--quiet`.
public struct OutputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Where to write; - is standard output.", valueName: "file"))
  public var output: String = "-"

  @Flag(help: "Replace the output if it exists.")
  public var overwrite = false

  @Flag(help: "No progress and no notes; errors alone.")
  public var quiet = false

  public init() {}

  public mutating func validate() throws {
    if output.isEmpty { throw ValidationError("--output is an empty name") }
  }
}

/// `--threads`.
public struct ThreadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads to use (default: one per core). Results do not depend on it.", valueName: "n"))
  public var threads: Int?

  public init() {}

  /// How many threads to use: the number of the option, or one for each core of the process.
  public var count: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  public mutating func validate() throws {
    if let threads, !(1...4096).contains(threads) {
      throw ValidationError("--threads is \(threads): expected 1 to 4096")
    }
  }
}

extension OutputOptions {
  /// Throws early what the writer would throw at the end, for a tool that works long before it writes:
  /// `Failure(.usage)` for a terminal, `.cannotCreate` where the file exists and may not be replaced, or where its
  /// folder does not exist.
  public func checkEarly() throws {
    if output == "-" {
      if isatty(STDOUT_FILENO) == 1 {
        throw Failure(.usage, "standard output: is a terminal: name a file with --output, or use a pipe")
      }
      return
    }
    try checkEarlyOutput(output, overwrite: overwrite)
  }
}

/// Throws `ValidationError` where two options name one file, which would have what is written last alone.
public func requireDistinct(_ outputs: [(option: String, path: String?)]) throws {
  var known: [String: String] = [:]
  for (option, path) in outputs {
    guard let path, path != "-" else { continue }
    let place = URL(fileURLWithPath: path).standardizedFileURL.path
    if let other = known[place] { throw ValidationError("\(option) and \(other) name one file: \(path)") }
    known[place] = option
  }
}

/// Throws early what the writer of a file would throw at the end: `Failure(.cannotCreate)` where the file exists and
/// may not be replaced, or where its folder does not exist.
public func checkEarlyOutput(_ path: String, overwrite: Bool) throws {
  let attributes = try? FileManager.default.attributesOfItem(atPath: path)
  if !overwrite && attributes?[.type] as? FileAttributeType == .typeRegular {
    throw Failure(.cannotCreate, "\(path): exists already: --overwrite replaces it")
  }
  let folder = parentFolder(of: path)
  if !folder.isEmpty, !isFolder(folder) {
    throw Failure(.cannotCreate, "\(path): there is no folder \(folder)")
  }
}
