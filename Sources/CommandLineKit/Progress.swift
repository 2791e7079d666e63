// How far a long piece of work has come. A person at a terminal waits for it; anybody else reads a log later.

import Foundation
import Synchronization
import TensorStream

/// Progress on standard error. On a terminal it is one line with rate and time left, redrawn. Elsewhere it is a plain
/// line about every ten seconds. Under quiet it is nothing. Any thread may update it.
public final class Progress: Sendable {
  private struct State {
    var done = 0
    var lastShown: ContinuousClock.Instant
    var width = 0
    var note = ""
    var shown = false
    var finished = false
  }

  private let tool: String
  private let what: String
  private let total: Int?
  private let first: Int
  private let quiet: Bool
  private let terminal: Bool
  private let start: ContinuousClock.Instant
  private let state: Mutex<State>

  /// `what` is the plural of what is counted ("images"). `total` is how many there will be, where that is known.
  /// `first` is how many were done before this process; they do not count for its speed.
  public init(tool: String, what: String, total: Int?, first: Int = 0, quiet: Bool) {
    self.tool = tool
    self.what = what
    self.total = total
    self.first = first
    self.quiet = quiet
    terminal = isatty(STDERR_FILENO) == 1
    start = ContinuousClock.now
    state = Mutex(State(lastShown: start))
  }

  /// Says that `done` of them are done; `note` (the loss, say) follows on the line.
  public func update(_ done: Int, _ note: String = "") {
    if quiet { return }
    state.withLock { state in
      if state.finished { return }
      state.done = done
      state.note = note
      let now = ContinuousClock.now
      if now - state.lastShown < (terminal ? .milliseconds(100) : .seconds(10)) { return }
      state.lastShown = now
      show(&state, at: now)
    }
  }

  /// A line of its own, apart from the redrawn one. Nothing under quiet.
  public func say(_ message: String) {
    if quiet { return }
    state.withLock { state in
      if terminal && state.width > 0 { writeToStandardError("\r" + String(repeating: " ", count: state.width) + "\r") }
      state.width = 0
      log(tool, message)
    }
  }

  /// The last line: how many, how long, how fast. Nothing more is shown after it.
  public func finish() {
    if quiet { return }
    state.withLock { state in
      if state.finished { return }
      state.finished = true
      let elapsed = seconds(ContinuousClock.now - start)
      let done = max(0, state.done - first)
      var line = "\(grouped(done)) \(what) in \(duration(elapsed))"
      if elapsed > 0, done > 0 { line += ", \(rate(Double(done) / elapsed)) a second" }
      if !state.note.isEmpty { line += ", \(state.note)" }
      put(line, &state)
      if terminal { writeToStandardError("\n") }
    }
  }

  private func show(_ state: inout State, at now: ContinuousClock.Instant) {
    let elapsed = seconds(now - start)
    let speed = elapsed > 0 ? Double(state.done - first) / elapsed : 0
    var line = grouped(state.done)
    if let total { line += " of \(grouped(total))" }
    line += " \(what)"
    if speed > 0 {
      line += ", \(rate(speed)) a second"
      if let total, total > state.done { line += ", \(duration(Double(total - state.done) / speed)) left" }
    }
    if !state.note.isEmpty { line += ", \(state.note)" }
    put(line, &state)
  }

  private func put(_ line: String, _ state: inout State) {
    guard terminal else { return log(tool, line) }
    // A line that the terminal breaks in two could not be drawn over.
    var size = winsize()
    let columns = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) - 1 : .max
    let text = String("\(tool): \(line)".prefix(columns))
    // Spaces cover what a longer line left behind.
    writeToStandardError("\r" + text + String(repeating: " ", count: max(0, state.width - text.count)))
    state.width = text.count
  }
}

private func seconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

/// A time for people: 0.4 s, 12 s, 3:05, 1:02:45.
public func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  if seconds < 9.95 { return String(format: "%.1f s", max(0, seconds)) }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return String(format: "%d:%02d", whole / 60, whole % 60) }
  return String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
}

private func rate(_ speed: Double) -> String {
  speed >= 100 ? grouped(Int(speed.rounded())) : String(format: speed >= 10 ? "%.1f" : "%.2f", speed)
}
