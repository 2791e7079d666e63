// Writing records while the next are made.

import Foundation
import TensorStream

/// Hands records to a stream writer on a thread of its own. At most the records of one call wait: a slow reader stops
/// the maker, and memory does not grow. Until `finish()` or `stop()` returns, the writer belongs to that thread.
final class WriteBehind: @unchecked Sendable {
  private let writer: StreamWriter
  private let condition = NSCondition()
  private var waiting: [[NamedTensor]]?
  private var isClosed = false
  private var hasEnded = false
  private var failure: (any Error)?

  init(_ writer: StreamWriter) {
    self.writer = writer
    let thread = Thread { [self] in serve() }
    thread.start()
  }

  /// Waits until there is room. Throws what an earlier write threw.
  func write(_ records: [[NamedTensor]]) throws {
    condition.lock()
    defer { condition.unlock() }
    while waiting != nil && failure == nil { condition.wait() }
    if let failure { throw failure }
    waiting = records
    condition.broadcast()
  }

  /// Waits until everything is written. Throws what a write threw.
  func finish() throws {
    stop()
    if let failure { throw failure }
  }

  /// Waits until the thread has ended, after what was handed over.
  func stop() {
    condition.lock()
    defer { condition.unlock() }
    isClosed = true
    condition.broadcast()
    while !hasEnded { condition.wait() }
  }

  /// Waits until the thread has ended, and gives up what was not finished: its temporary file is gone when this returns, which the
  /// end of the process would not wait for.
  func abandon() {
    stop()
    writer.cancel()
  }

  private func serve() {
    condition.lock()
    while true {
      while waiting == nil && !isClosed { condition.wait() }
      guard let records = waiting, failure == nil else { break }
      waiting = nil
      condition.broadcast()
      condition.unlock()
      let result = Result { for record in records { try writer.write(record) } }
      condition.lock()
      if case .failure(let error) = result {
        failure = error
        condition.broadcast()
      }
    }
    hasEnded = true
    condition.broadcast()
    condition.unlock()
  }
}
