import Foundation
import Ranks
import TensorStream

/// What a tool does where a launcher starts several of it.
public enum RankUse: Sendable {
  /// Each works by itself: what is wanted of a tool that reads and writes what its options name.
  case apart
  /// They would all write the same: refused.
  case alone
  /// They train one model together.
  case together
}

/// This process as one of those that mpirun or srun started.
enum RankedProcess {
  // Set once, before there is a second thread.
  nonisolated(unsafe) private static var joined: (any RankLine)?

  /// What connects the processes; nil for one alone.
  static var line: (any RankLine)? { joined }

  /// Joins the others where the tool trains with them.
  /// - Throws: `Failure(.usage)` where there are several, and there may be only one.
  static func join(_ use: RankUse, tool: String) throws {
    guard use != .apart, let launcher = Launcher(environment: ProcessInfo.processInfo.environment) else { return }
    let started = "\(launcher.name) started \(launcher.count) processes of it"
    if use == .alone { throw Failure(.usage, "\(started), and all would write the same: start one") }
    #if MPI
      let line = try MPILine { log(tool, $0) }
      joined = line
      guard line.count == launcher.count else {
        throw Failure(
          .usage,
          "\(started), but MPI connects \(line.count): the launcher is of another MPI (for srun, see its option --mpi)")
      }
    #else
      throw Failure(
        .usage,
        "\(started), but it was built without MPI: each would be a run of its own in the same folder (build with --traits default,MPI)"
      )
    #endif
  }

  /// Leaves the others, before the process ends in good order.
  static func end() {
    joined?.end()
    joined = nil
  }

  /// Ends the process for a reason that all ranks may have, with one message for all.
  static func fail(_ tool: String, status: Int32, message: String) -> Never {
    if let line { line.fail(RankFailure(status: status, message: message)) }
    if let launcher = Launcher(environment: ProcessInfo.processInfo.environment), launcher.rank > 0 {
      // The first one says it. A launcher ends the others as soon as one has gone.
      sleep(1)
    } else {
      log(tool, message)
    }
    Foundation.exit(status)
  }
}
