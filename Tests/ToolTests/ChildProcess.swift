// A process with pipes to its standard streams. (Foundation's Process leaks pipes between children that start at the
// same time, and tests do.)

import Foundation

/// One run of a program, fed and drained by one poll loop, so that no full pipe can stop it.
struct ChildProcess {
  private static let spawning = NSLock()

  private let path: String
  private let process: pid_t
  private var input: Int32?
  private var outputs: [Int32?]
  private var read: [Data] = [Data(), Data()]

  init(
    _ path: String, _ arguments: [String], hasInput: Bool, environment: [String: String], folder: String?
  ) throws {
    self.path = path
    // One at a time, until its pipes are close-on-exec: another's child that inherited an end would keep it open.
    Self.spawning.lock()
    defer { Self.spawning.unlock() }
    let inputEnds = hasInput ? try Self.pipe() : [open("/dev/null", O_RDONLY | O_CLOEXEC)]
    let outputEnds = try Self.pipe()
    let errorEnds = try Self.pipe()
    let childEnds = [inputEnds[0], outputEnds[1], errorEnds[1]]
    defer { childEnds.forEach { close($0) } }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (i, end) in childEnds.enumerated() { posix_spawn_file_actions_adddup2(&actions, end, Int32(i)) }

    // The child gets the signals of a shell's child, whatever the test process ignores.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

    var words = [path] + arguments
    if let folder { words = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder] + words }
    var argv = words.map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var process = pid_t()
    let code = posix_spawn(&process, words[0], &actions, &attributes, &argv, &envp)
    guard code == 0 else {
      throw RunnerError(description: "cannot run \(path): \(String(cString: strerror(code)))")
    }
    self.process = process
    input = hasInput ? inputEnds[1] : nil
    outputs = [outputEnds[0], errorEnds[0]]
    if let input { _ = fcntl(input, F_SETFL, O_NONBLOCK) }
  }

  /// Writes `data` to its input, reads its output and its errors, and waits for its end.
  mutating func communicate(input data: Data, timeout: Double) throws -> ToolResult {
    let deadline = ContinuousClock.now + .seconds(timeout)
    // A child that stops reading must not end the tests.
    signal(SIGPIPE, SIG_IGN)
    var written = 0
    var isLate = false
    if data.isEmpty { closeInput() }
    while !isLate, outputs.contains(where: { $0 != nil }) {
      var polled = outputs.compactMap { $0 }.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      if let input { polled.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
      _ = poll(&polled, nfds_t(polled.count), 200)
      let ready = Set(polled.filter { $0.revents != 0 }.map(\.fd))
      for i in outputs.indices where outputs[i].map(ready.contains) ?? false { drain(i) }
      if let input, ready.contains(input) {
        let n = data.withUnsafeBytes { write(input, $0.baseAddress! + written, data.count - written) }
        if n > 0 { written += n }
        if written == data.count || (n < 0 && errno != EAGAIN && errno != EINTR) { closeInput() }
      }
      isLate = ContinuousClock.now > deadline
    }
    if isLate { kill(process, SIGKILL) }
    closeInput()
    outputs.compactMap { $0 }.forEach { close($0) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let errors = String(decoding: read[1], as: UTF8.self)
    if isLate {
      throw RunnerError(description: "\(path) was still running after \(timeout) s; its errors: \(errors)")
    }
    let signal = status & 0x7F
    return ToolResult(status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: read[0], errors: errors)
  }

  private mutating func drain(_ i: Int) {
    guard let descriptor = outputs[i] else { return }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let n = Foundation.read(descriptor, &buffer, buffer.count)
    if n > 0 {
      read[i].append(contentsOf: buffer[..<n])
    } else if n == 0 || errno != EINTR {
      close(descriptor)
      outputs[i] = nil
    }
  }

  private mutating func closeInput() {
    if let input { close(input) }
    input = nil
  }

  private static func pipe() throws -> [Int32] {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else {
      throw RunnerError(description: "no pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return ends
  }
}
