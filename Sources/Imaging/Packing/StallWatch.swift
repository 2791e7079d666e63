// Calls of the system that do not return, as for a folder on a network disk that stalls. Nothing can end such a call, but a
// message can say what it waits for.

import Foundation

/// Reports what a long look, listing or read of this process waits for: after so many seconds, after twice as many, and so on.
public enum StallWatch {
  private typealias Call = (path: () -> String, at: UInt64, nextReport: Int)

  private static let lock = NSLock()
  /// What the threads wait for. `lock` guards both.
  nonisolated(unsafe) private static var calls: [pthread_t: Call] = [:]
  nonisolated(unsafe) private static var report: (@Sendable (String, Int) -> Void)?

  /// Seconds until the first report.
  private static let first = 20

  /// Begins to watch.
  /// - Parameter report: is told what is read, and for how many seconds. On a thread of its own.
  public static func start(report: @escaping @Sendable (String, Int) -> Void) {
    lock.withLock { self.report = report }
    let thread = Thread {
      while check() { usleep(200_000) }
    }
    thread.start()
  }

  /// Ends the thread.
  public static func stop() { lock.withLock { report = nil } }

  /// - Parameters:
  ///   - path: what the call looks at, lists or reads; called only where it takes long.
  ///   - body: the call. Where it watches another one, that one is what is waited for.
  static func watch<R>(_ path: @autoclosure @escaping () -> String, _ body: () throws -> R) rethrows -> R {
    let thread = pthread_self()
    let outer = lock.withLock { () -> Call? in
      if report == nil { return nil }
      return calls.updateValue((path, DispatchTime.now().uptimeNanoseconds, first), forKey: thread)
    }
    defer { lock.withLock { calls[thread] = outer } }
    return try body()
  }

  private static func check() -> Bool {
    let (late, report) = lock.withLock { () -> ([(String, Int)], (@Sendable (String, Int) -> Void)?) in
      let now = DispatchTime.now().uptimeNanoseconds
      var late: [(String, Int)] = []
      for (thread, call) in calls {
        let seconds = Int((now - call.at) / 1_000_000_000)
        guard seconds >= call.nextReport else { continue }
        calls[thread]?.nextReport = 2 * call.nextReport
        late.append((call.path(), seconds))
      }
      return (late, self.report)
    }
    for (path, seconds) in late { report?(path, seconds) }
    return report != nil
  }
}
