import CKernels
import Foundation
import Synchronization

/// A fixed set of threads that share out numbered tasks. Which thread runs a task depends on timing; what a task
/// computes must not. So results are the same bits for any number of threads.
public final class ThreadPool: @unchecked Sendable {
  /// Threads at work in `run`, the calling one included.
  public let threads: Int
  private let shared: Shared
  private let oneCaller = NSLock()

  /// - Parameter threads: at least 1. The caller of `run` is one of them.
  public init(threads: Int) {
    precondition(threads >= 1)
    self.threads = threads
    shared = Shared(threads: threads)
    for worker in 1..<max(threads, 1) {
      let shared = self.shared
      let thread = Thread { shared.serve(worker: worker) }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  deinit { shared.stop() }

  /// Calls `body(task)` once for each task in 0 ..< tasks, on all threads, and returns when all are done. A call from
  /// within a task runs its own tasks one after the other; a task of another pool must not call.
  public func run(_ tasks: Int, _ body: (_ task: Int) -> Void) {
    run(tasks) { task, _ in body(task) }
  }

  /// The same, also saying which of the pool's threads (0 ..< threads) it is, for scratch memory of its own.
  public func run(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
    if tasks <= 0 { return }
    let place = ThreadPool.current
    if let place {
      // Its worker number in the other pool means nothing here: two workers of that pool would become one worker of
      // this one.
      precondition(place.pool == shared.identity, "a task of one thread pool runs tasks on another")
    }
    if threads == 1 || tasks == 1 || place != nil {
      // A nested call has the scratch of its thread to itself: the outer task waits for it.
      let worker = place?.worker ?? 0
      for task in 0..<tasks { body(task, worker) }
      return
    }
    oneCaller.lock()
    defer { oneCaller.unlock() }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { shared.run(tasks: tasks, $0) }
    }
  }

  /// Whether the caller is in a task of a pool.
  public static var isInsideTask: Bool { current != nil }

  // Where the task is that this thread is at: a `Place` in its frame; nil outside any task.
  private static let slot: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()
  fileprivate static var current: Place? {
    pthread_getspecific(slot)?.assumingMemoryBound(to: Place.self).pointee
  }
  fileprivate static func enter(_ place: UnsafePointer<Place>) { pthread_setspecific(slot, place) }
  fileprivate static func leave() { pthread_setspecific(slot, nil) }
}

/// Which worker of which pool a thread is.
private struct Place {
  let pool: ObjectIdentifier
  let worker: Int
}

/// What the threads see. Tasks may be taken from a job while it is open. A worker joins under the lock, so that no
/// worker comes late to a job whose caller has gone.
private final class Shared: @unchecked Sendable {
  private let condition = NSCondition()
  private let finished = NSCondition()
  private let isWaiting = Atomic<Bool>(false)
  private let generation = Atomic<Int>(0)
  /// A thread's own tasks. They are neighbours, and the same part of every job, so the next operation finds in a core's
  /// cache what the last one left there. A thread that has done its own tasks helps the others.
  private let queues: [Queue]
  private let active = Atomic<Int>(0)
  private var isOpen = false
  private var stopped = false
  private var tasks = 0
  // Only pointed at. If a worker held the closure itself, it could release it after the caller's frame has gone.
  private var body: UnsafePointer<Body>?

  var identity: ObjectIdentifier { ObjectIdentifier(self) }

  typealias Body = (_ task: Int, _ worker: Int) -> Void

  init(threads: Int) { queues = (0..<threads).map { _ in Queue() } }

  /// Far from the other queues in memory, since all threads write to theirs.
  private final class Queue: Sendable {
    let next = Atomic<Int>(0)
    private let padding: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
  }

  // Pauses before a thread goes to sleep, together some 50 µs: long enough to bridge the gap between two operations of a step
  // (waking a thread costs as much), short enough not to starve a neighbour's process.
  private static let spins = 4000

  func run(tasks: Int, _ body: UnsafePointer<Body>) {
    condition.lock()
    self.tasks = tasks
    self.body = body
    for (place, queue) in queues.enumerated() { queue.next.store(start(of: place, tasks), ordering: .relaxed) }
    isOpen = true
    generation.add(1, ordering: .releasing)
    condition.broadcast()
    condition.unlock()

    take(tasks, body, worker: 0)

    condition.lock()
    isOpen = false
    self.body = nil
    condition.unlock()
    waitForWorkers()
  }

  /// Returns when no worker is at a task of the job that has just been closed.
  private func waitForWorkers() {
    var spins = 0
    while active.load(ordering: .acquiring) != 0 && spins < Self.spins {
      spins += 1
      pmae_pause()
    }
    if active.load(ordering: .acquiring) == 0 { return }
    // Another process has the worker's core: sleep rather than keep it from coming back. The flag is set before `active`
    // is looked at again, and a worker looks at the flag after it has left, so one of the two sees the other.
    finished.lock()
    isWaiting.store(true, ordering: .sequentiallyConsistent)
    while active.load(ordering: .sequentiallyConsistent) != 0 { finished.wait() }
    isWaiting.store(false, ordering: .relaxed)
    finished.unlock()
  }

  private func leaveJob() {
    active.subtract(1, ordering: .sequentiallyConsistent)
    guard isWaiting.load(ordering: .sequentiallyConsistent) else { return }
    finished.lock()
    finished.signal()
    finished.unlock()
  }

  @inline(never)
  private func take(_ tasks: Int, _ body: UnsafePointer<Body>, worker: Int) {
    withUnsafePointer(to: Place(pool: identity, worker: worker)) { place in
      ThreadPool.enter(place)
      work(tasks, body, worker: worker)
      ThreadPool.leave()
    }
  }

  private func work(_ tasks: Int, _ body: UnsafePointer<Body>, worker: Int) {
    // One reference a job: one a task would have all threads count at one place.
    let body = body.pointee
    for step in 0..<queues.count {
      let place = (worker + step) % queues.count
      let end = start(of: place + 1, tasks)
      while true {
        let task = queues[place].next.add(1, ordering: .relaxed).oldValue
        if task >= end { break }
        body(task, worker)
      }
    }
  }

  private func start(of place: Int, _ tasks: Int) -> Int { tasks * place / queues.count }

  func serve(worker: Int) {
    var seen = 0
    while !hasStopped(seen: seen) {
      if takePart(worker: worker, seen: &seen) { leaveJob() }
    }
  }

  /// Waits for a job newer than `seen`.
  private func hasStopped(seen: Int) -> Bool {
    var spins = 0
    while generation.load(ordering: .acquiring) == seen && spins < Self.spins {
      spins += 1
      pmae_pause()
    }
    condition.lock()
    defer { condition.unlock() }
    while generation.load(ordering: .relaxed) == seen && !stopped { condition.wait() }
    return stopped
  }

  /// Works on the job that is open, if there is one. A function of its own, not inlined: its reference to `body` must be gone before
  /// `active` says so, since the caller's body then ends its life, and Swift stops the process where a reference is left.
  @inline(never)
  private func takePart(worker: Int, seen: inout Int) -> Bool {
    condition.lock()
    seen = generation.load(ordering: .relaxed)
    guard isOpen, let body else {
      condition.unlock()
      return false
    }
    let tasks = self.tasks
    active.add(1, ordering: .relaxed)
    condition.unlock()
    take(tasks, body, worker: worker)
    return true
  }

  func stop() {
    condition.lock()
    stopped = true
    condition.broadcast()
    condition.unlock()
  }
}
