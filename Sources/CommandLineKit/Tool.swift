// A tool is a ParsableCommand with settled ways to end: what goes to standard output, what goes to standard error, and
// which exit status each kind of failure has.

import ArgumentParser
import Foundation
import Schemas
import TensorStream

/// A command-line tool of this package. `main.swift` is one line: `PackTool.start()`.
///
/// Conform to this instead of `ParsableCommand`, and put the work in `execute()`. Sub-commands conform to it too.
public protocol Tool: ParsableCommand {
  /// Does the work. A `Failure` that it throws becomes the tool's message and exit status; a `ValidationError` is a
  /// usage error.
  mutating func execute() throws

  /// The command line as the parser reads it. A tool whose options stand for others puts the others in their place. An
  /// error that this throws is one of parsing; a `CleanExit` prints and ends.
  static func expand(_ arguments: [String]) throws -> [String]

  /// What it does where a launcher starts several of it.
  static var ranks: RankUse { get }

  /// What `--help` says after the options.
  static var moreHelp: String { get }
}

extension Tool {
  public static func expand(_ arguments: [String]) throws -> [String] { arguments }

  public static var ranks: RankUse { .apart }

  public static var moreHelp: String { "" }

  public mutating func run() throws {
    try execute()
  }

  /// Parses the command line, runs the tool and leaves the process.
  ///
  /// Exit statuses: 0; 64 for a usage error, with the usage on standard error; a `Failure`'s kind; 70 for every other
  /// error. A closed standard output ends the process quietly, by SIGPIPE, as a shell expects of a filter.
  public static func start() -> Never {
    // Ignored, so that a write to a closed pipe is an error that unwinds and removes temporary files.
    signal(SIGPIPE, SIG_IGN)
    // A batch system's warnings go to all processes of a pipeline, and are for the trainer alone (`Interruption.watch`).
    signal(SIGUSR1, SIG_IGN)
    signal(SIGUSR2, SIG_IGN)
    do {
      try RankedProcess.join(ranks, tool: _commandName)
      let arguments = try expand(joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst())))
      try refuseSingleDashes(arguments)
      var command = try parseAsRoot(arguments)
      try command.run()
      try StandardOutput.flush()
      RankedProcess.end()
      Foundation.exit(0)
    } catch {
      leave(with: error)
    }
  }

  private static func leave(with error: any Error) -> Never {
    let tool = _commandName
    if let failure = error as? Failure {
      // What was printed before the failure still belongs to the reader of the pipe.
      try? StandardOutput.flush()
      if failure.kind == .brokenPipe { exitOfBrokenPipe() }
      fail(tool, failure.kind.rawValue, failure.message)
    }
    let code = exitCode(for: error)
    if code == .success {
      leaveCleanly(printing: fullMessage(for: error))
    }
    try? StandardOutput.flush()
    if error is ExitCode {
      RankedProcess.end()
      Foundation.exit(code.rawValue)
    }
    guard code == .validationFailure else { fail(tool, Failure.Kind.software.rawValue, "\(error)") }
    // The parser's text is "Error: message", then the usage of the command or sub-command that was meant.
    var text = fullMessage(for: error)
    if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
    fail(tool, Failure.Kind.usage.rawValue, text)
  }

  private static func fail(_ tool: String, _ status: Int32, _ message: String) -> Never {
    if ranks != .apart { RankedProcess.fail(tool, status: status, message: message) }
    log(tool, message)
    Foundation.exit(status)
  }

  private static func leaveCleanly(printing text: String) -> Never {
    do {
      if let line = RankedProcess.line, line.rank > 0 {
        RankedProcess.end()
        Foundation.exit(0)
      }
      let isHelp = text.hasPrefix("OVERVIEW:")
      try StandardOutput.write((text == pmaeVersion ? "\(_commandName) \(pmaeVersion)" : text) + "\n")
      if isHelp && !moreHelp.isEmpty { try StandardOutput.write("\n" + moreHelp + "\n") }
      try StandardOutput.flush()
      RankedProcess.end()
      Foundation.exit(0)
    } catch let failure as Failure where failure.kind == .brokenPipe {
      exitOfBrokenPipe()
    } catch {
      log(_commandName, "\(error)")
      Foundation.exit(Failure.Kind.io.rawValue)
    }
  }
}

/// `--lr -1` as `--lr=-1`. So a number below zero is the value of an option, and the tool can say what is wrong with
/// it; otherwise the parser would take it for an unknown option.
package func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
  var result: [String] = []
  for argument in arguments {
    let isNegative = argument.hasPrefix("-") && Double(argument) != nil
    if isNegative, let last = result.last, last.hasPrefix("--"), last.count > 2, !last.contains("=") {
      result[result.count - 1] = last + "=" + argument
    } else {
      result.append(argument)
    }
  }
  return result
}

/// Throws a `ValidationError` for a word that begins with one dash: the tools have no such option but `-h`. The parser
/// would take `-hund.jpg` for options of a letter each, find `-h` among them, and print help.
package func refuseSingleDashes(_ arguments: [String]) throws {
  var before = ""
  for argument in arguments {
    if argument == "--" { return }
    defer { before = argument }
    guard argument.hasPrefix("-"), !argument.hasPrefix("--"), argument != "-", argument != "-h" else { continue }
    let shown = printable(argument)
    let isPerhapsValue = before.hasPrefix("--") && !before.contains("=")
    throw ValidationError(
      "Unknown option '\(shown)': options have two dashes; a file of that name is ./\(shown), or stands behind --"
        + (isPerhapsValue ? "; as the value of \(before) it is \(before)=\(shown)" : ""))
  }
}

/// Ends the process by SIGPIPE. The shell then sees what it sees of any writer whose reader has gone.
func exitOfBrokenPipe() -> Never {
  exitBy(signal: SIGPIPE)
}

/// Ends the process by a signal's default action.
func exitBy(signal number: Int32) -> Never {
  signal(number, SIG_DFL)
  var set = sigset_t()
  sigemptyset(&set)
  sigaddset(&set, number)
  pthread_sigmask(SIG_UNBLOCK, &set, nil)
  raise(number)
  // Reached only where something outside keeps the signal from us.
  Foundation.exit(128 + number)
}
