// Reads that do not return, as from a folder on a network disk that stalls. Nothing can end such a read, but a message
// can say what it waits for.

import Foundation

/// Reports what a long read waits for: after so many seconds, after twice as many, and so on.
public final class StallWatch: @unchecked Sendable {
  private let lock = NSLock()
  private var begun: [ObjectIdentifier: (path: () -> String, at: UInt64, nextReport: Int)] = [:]
  private var isStopped = false
  private let report: @Sendable (String, Int) -> Void

  /// Seconds until the first report.
  static let first = 20

  /// - Parameter report: is told what is read, and for how many seconds. On a thread of its own.
  public init(report: @escaping @Sendable (String, Int) -> Void) {
    self.report = report
    let thread = Thread { [self] in
      while check() { usleep(200_000) }
    }
    thread.start()
  }

  /// - Parameters:
  ///   - reader: reads one thing at a time.
  ///   - path: what it reads; called only where it takes long.
  func watch<R>(_ reader: AnyObject, path: @escaping () -> String, _ body: () throws -> R) rethrows -> R {
    let key = ObjectIdentifier(reader)
    lock.lock()
    begun[key] = (path, DispatchTime.now().uptimeNanoseconds, Self.first)
    lock.unlock()
    defer {
      lock.lock()
      begun[key] = nil
      lock.unlock()
    }
    return try body()
  }

  /// Ends the thread.
  public func stop() {
    lock.lock()
    isStopped = true
    lock.unlock()
  }

  private func check() -> Bool {
    lock.lock()
    var late: [(String, Int)] = []
    let now = DispatchTime.now().uptimeNanoseconds
    for (key, entry) in begun {
      let seconds = Int((now - entry.at) / 1_000_000_000)
      guard seconds >= entry.nextReport else { continue }
      begun[key]?.nextReport = 2 * entry.nextReport
      late.append((entry.path(), seconds))
    }
    let isStopped = isStopped
    lock.unlock()
    for (path, seconds) in late { report(path, seconds) }
    return !isStopped
  }
}
