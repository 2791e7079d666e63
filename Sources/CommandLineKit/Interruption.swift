// SIGINT and SIGTERM ask a trainer to stop after the current step. A second one stops it at once. So does SIGUSR2, which
// mpirun passes on to its ranks without ending them itself. SIGUSR1, which batch systems send some time before they kill,
// asks for a checkpoint.

import Foundation
import Synchronization

public enum Interruption {
  private static let received = Atomic<Int32>(0)
  private static let checkpoint = Atomic<Bool>(false)

  /// From now on the first SIGINT, SIGTERM or SIGUSR2 sets `requested`, and the next one kills. SIGUSR1 is noted.
  public static func watch() {
    // Touched before the handler can run: Swift sets up a global lazily, under a lock, and a handler must not take a
    // lock.
    received.store(0, ordering: .sequentiallyConsistent)
    checkpoint.store(false, ordering: .sequentiallyConsistent)
    var action = sigaction()
    // Reads and writes go on where they were, so nothing is half written; the program looks at `requested`.
    action.sa_flags = SA_RESTART
    sigemptyset(&action.sa_mask)
    action.__sigaction_handler.sa_handler = { number in
      Interruption.received.store(number, ordering: .sequentiallyConsistent)
      signal(SIGINT, SIG_DFL)
      signal(SIGTERM, SIG_DFL)
    }
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
    sigaction(SIGUSR2, &action, nil)
    action.__sigaction_handler.sa_handler = { _ in
      Interruption.checkpoint.store(true, ordering: .sequentiallyConsistent)
    }
    sigaction(SIGUSR1, &action, nil)
  }

  /// Whether SIGUSR1 has come since the last call.
  public static func takeCheckpointRequest() -> Bool {
    checkpoint.exchange(false, ordering: .sequentiallyConsistent)
  }

  /// Whether a signal has come. Look after each step, and where an input ends early: the Ctrl-C that came to this
  /// process has also ended the writer upstream.
  public static var requested: Bool { received.load(ordering: .sequentiallyConsistent) != 0 }

  /// Ends the process by the signal that came (SIGTERM where none did), so that a shell or a make script that waits for
  /// it stops too.
  public static func exitAsSignal() -> Never {
    let number = received.load(ordering: .sequentiallyConsistent)
    RankedProcess.end()
    exitBy(signal: number == 0 ? SIGTERM : number)
  }
}
