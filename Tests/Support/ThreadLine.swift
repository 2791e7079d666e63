import Foundation
import Ranks

/// Ranks that are threads of one process: what they compute is what processes on several machines would.
public final class ThreadLine: RankLine, @unchecked Sendable {
  public let rank: Int
  public var count: Int { meeting.count }
  public var hosts: [String] { (0..<count).map { "host\($0)" } }
  public var patience = 60.0
  private let meeting: Meeting
  /// Exchanges that were begun.
  private var underway: [() -> Void] = []

  private init(rank: Int, _ meeting: Meeting) { (self.rank, self.meeting) = (rank, meeting) }

  /// Runs `body` on so many ranks at once, and gives back what each made, in their order.
  public static func run<R>(
    _ count: Int, shards: Int? = nil, wire: Ranks.Wire = .float32, bucket: Int = 1 << 22,
    _ body: @escaping @Sendable (Ranks) throws -> R
  ) throws -> [R] {
    let meeting = Meeting(count: count)
    nonisolated(unsafe) var results = [Result<R, any Error>?](repeating: nil, count: count)
    let lock = NSLock()
    let done = DispatchGroup()
    for rank in 0..<count {
      done.enter()
      let thread = Thread {
        let result = Result {
          try body(try Ranks(on: ThreadLine(rank: rank, meeting), shards: shards, wire: wire, bucket: bucket))
        }
        lock.withLock { results[rank] = result }
        done.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    done.wait()
    return try results.map { try $0!.get() }
  }

  public func gather(_ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer) {
    meet(mine.baseAddress!) { theirs in
      for rank in 0..<count {
        (all.baseAddress! + rank * mine.count).copyMemory(from: theirs[rank], byteCount: mine.count)
      }
    }
  }

  public func beginExchange(
    _ from: UnsafePointer<Float>, stride: Int, block: Int, into to: UnsafeMutablePointer<Float>
  ) { begin(UnsafeRawPointer(from), stride: stride * 4, bytes: block * 4, UnsafeMutableRawPointer(to)) }

  public func beginExchange(_ from: UnsafePointer<UInt16>, block: Int, into to: UnsafeMutablePointer<UInt16>) {
    begin(UnsafeRawPointer(from), stride: block * 2, bytes: block * 2, UnsafeMutableRawPointer(to))
  }

  /// An exchange is made where its end is waited for. So who touches its memory before changes what others get.
  private func begin(_ from: UnsafeRawPointer, stride: Int, bytes: Int, _ to: UnsafeMutableRawPointer) {
    precondition(underway.count < RankExchange.most, "more exchanges than may be underway")
    underway.append { [self] in
      meet(from) { theirs in
        for rank in 0..<count {
          (to + rank * bytes).copyMemory(from: theirs[rank] + self.rank * stride, byteCount: bytes)
        }
      }
    }
  }

  public func endExchange(waits: Bool) -> Bool {
    if !waits || underway.isEmpty { return false }
    underway.removeFirst()()
    return true
  }

  public func swap(_ mine: UnsafeRawBufferPointer, with other: Int, into theirs: UnsafeMutableRawBufferPointer) {
    meet(mine.baseAddress!) { all in
      theirs.baseAddress!.copyMemory(from: all[other], byteCount: mine.count)
    }
  }

  public func gatherInPlace(_ all: UnsafeMutablePointer<Float>, block: Int) {
    meet(UnsafeRawPointer(all)) { theirs in
      for rank in 0..<count where rank != self.rank {
        UnsafeMutableRawPointer(all + rank * block).copyMemory(
          from: theirs[rank] + rank * block * 4, byteCount: block * 4)
      }
    }
  }

  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
    meet(UnsafeRawPointer(bytes.baseAddress!)) { theirs in
      if rank > 0 { bytes.baseAddress!.copyMemory(from: theirs[0], byteCount: bytes.count) }
    }
  }

  public func fail(_ failure: RankFailure) -> Never { preconditionFailure(failure.message) }
  public func end() {}

  /// Shows the others where this rank's memory is, and lets nobody go before all have read.
  private func meet(_ mine: UnsafeRawPointer, _ read: ([UnsafeRawPointer]) -> Void) {
    meeting.place(mine, of: rank)
    read(meeting.pointers)
    meeting.wait()
  }

  private final class Meeting: @unchecked Sendable {
    let count: Int
    private(set) var pointers: [UnsafeRawPointer]
    private let condition = NSCondition()
    private var (arrived, round) = (0, 0)

    init(count: Int) {
      self.count = count
      pointers = Array(repeating: UnsafeRawPointer(bitPattern: 8)!, count: count)
    }

    func place(_ pointer: UnsafeRawPointer, of rank: Int) {
      condition.withLock { pointers[rank] = pointer }
      wait()
    }

    func wait() {
      condition.lock()
      defer { condition.unlock() }
      arrived += 1
      if arrived == count {
        (arrived, round) = (0, round + 1)
        condition.broadcast()
        return
      }
      let mine = round
      while round == mine { condition.wait() }
    }
  }
}
