import ArgumentParser
import Foundation
import TensorStream

/// `--profile` and `--profile-json`: the two forms of one profile.
public struct ProfileOptions: ParsableArguments {
  @Flag(name: .customLong("profile"), help: "Say where the time went, by kind of operation.")
  public var asText = false

  @Option(
    name: .customLong("profile-json"),
    help: ArgumentHelp("Write the same as one line of JSON; - is standard output.", valueName: "file"))
  public var path: String?

  public init() {}

  public var isWanted: Bool { asText || path != nil }

  public mutating func validate() throws {
    if path?.isEmpty == true { throw ValidationError("--profile-json is an empty name") }
  }

  /// Throws early what writing would throw at the end of a long run: `Failure(.cannotCreate)` where the file exists and
  /// may not be replaced, or where its folder does not exist.
  public func checkEarly(overwrite: Bool) throws {
    guard let path, path != "-" else { return }
    try checkEarlyOutput(path, overwrite: overwrite)
  }

  /// Says and writes what is wanted.
  /// - Parameters:
  ///   - messages: the profile as text, or why there is none.
  ///   - json: its other form; nil where there is none.
  /// - Throws: `Failure(.data)` where a file is wanted and there is nothing to write; as `writeWholeFile`.
  public func report(_ tool: String, messages: [String], json: String?, overwrite: Bool) throws {
    if asText { for text in messages { log(tool, text) } }
    guard let path else { return }
    guard let json else {
      throw Failure(.data, "\(path): is not written: \(messages.joined(separator: "\n"))")
    }
    if path == "-" {
      try StandardOutput.write(json + "\n")
      try StandardOutput.flush()
    } else {
      try writeWholeFile(Array((json + "\n").utf8), path: path, overwrite: overwrite)
    }
  }
}
