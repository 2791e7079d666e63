#if MPI
  import CMPI
  import Foundation
  import TensorStream

  /// The processes that mpirun or srun started, connected by MPI.
  ///
  /// Where a rank fails, it tells rank 0, which writes the message and ends all. Where rank 0 does not answer, the rank
  /// does so itself. Where an operation takes longer than `patience`, those who wait tell ranks 0 and 1, and one of
  /// these names those who were not heard of.
  public final class MPILine: RankLine, @unchecked Sendable {
    public let rank: Int
    public let count: Int
    public let hosts: [String]
    public var patience = 600.0
    private let say: @Sendable (String) -> Void
    /// Seconds that a rank gives rank 0 to speak for it.
    private static let grace = 5.0
    /// Ranks that said that they wait.
    private var waiting: Set<Int> = []

    /// Joins the processes that the launcher started.
    /// - Parameter say: writes a message for people.
    /// - Throws: `Failure(.io)` where MPI cannot start.
    public init(say: @escaping @Sendable (String) -> Void) throws {
      self.say = say
      var (rank, count) = (Int32(0), Int32(0))
      var host = [CChar](repeating: 0, count: Int(CMPI_TEXT_SIZE))
      var text = host
      if cmpi_start(&rank, &count, &host, &text) != 0 { throw Failure(.io, "MPI: \(Self.text(text))") }
      (self.rank, self.count) = (Int(rank), Int(count))
      // Told before anybody can fail.
      let size = 64
      let mine = Array(Self.text(host).utf8.prefix(size))
      var all = [UInt8](repeating: 0, count: size * Int(count))
      let padded = mine + [UInt8](repeating: 0, count: size - mine.count)
      var error = text
      let isJoined = padded.withUnsafeBytes { mine in
        all.withUnsafeMutableBytes { all in
          cmpi_gather(mine.baseAddress, size, all.baseAddress, &error) == 0 && cmpi_wait(60, &error) == 1
        }
      }
      guard isJoined else {
        throw Failure(.io, "MPI: the ranks do not find each other: \(Self.text(error))")
      }
      hosts = (0..<Int(count)).map { rank in
        String(decoding: all[rank * size..<(rank + 1) * size].prefix { $0 != 0 }, as: UTF8.self)
      }
    }

    public func gather(_ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer) {
      finish { cmpi_gather(mine.baseAddress, mine.count, all.baseAddress, $0) }
    }

    public func beginExchange(
      _ from: UnsafePointer<Float>, stride: Int, block: Int, into to: UnsafeMutablePointer<Float>
    ) { begin { cmpi_begin_exchange(from, stride, block, to, $0) } }

    public func beginExchange(_ from: UnsafePointer<UInt16>, block: Int, into to: UnsafeMutablePointer<UInt16>) {
      begin { cmpi_begin_exchange16(from, block, to, $0) }
    }

    public func endExchange(waits: Bool) -> Bool {
      if waits {
        wait { cmpi_wait_exchange(0.05, $0) }
        return true
      }
      var text = [CChar](repeating: 0, count: Int(CMPI_TEXT_SIZE))
      let state = cmpi_wait_exchange(0, &text)
      if state < 0 { broken(text) }
      return state == 1
    }

    public func swap(_ mine: UnsafeRawBufferPointer, with other: Int, into theirs: UnsafeMutableRawBufferPointer) {
      finish { cmpi_swap(mine.baseAddress, mine.count, Int32(other), theirs.baseAddress, $0) }
    }

    public func gatherInPlace(_ all: UnsafeMutablePointer<Float>, block: Int) {
      finish { cmpi_gather_in_place(all, block, $0) }
    }

    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
      finish { cmpi_broadcast(bytes.baseAddress, bytes.count, $0) }
    }

    public func end() { cmpi_end() }

    /// Starts an operation and waits for its end.
    private func finish(_ start: (UnsafeMutablePointer<CChar>) -> Int32) {
      begin(start)
      wait { cmpi_wait(0.05, $0) }
    }

    private func begin(_ start: (UnsafeMutablePointer<CChar>) -> Int32) {
      var text = [CChar](repeating: 0, count: Int(CMPI_TEXT_SIZE))
      if start(&text) != 0 { broken(text) }
    }

    private func broken(_ text: [CChar]) -> Never {
      fail(RankFailure(status: Failure.Kind.io.rawValue, message: "MPI: \(Self.text(text))"))
    }

    /// - Parameter look: looks for a while whether the operation is done.
    private func wait(_ look: (UnsafeMutablePointer<CChar>) -> Int32) {
      var text = [CChar](repeating: 0, count: Int(CMPI_TEXT_SIZE))
      let begin = ContinuousClock.now
      var hasTold = false
      while true {
        let state = look(&text)
        if state == 1 { break }
        if state < 0 { broken(text) }
        listen()
        let waited = (ContinuousClock.now - begin) / .seconds(1)
        if waited > patience && !hasTold {
          hasTold = true
          waiting.insert(rank)
          for other in 0..<min(2, count) where other != rank { tell(other, Message(status: 0, text: "")) }
        }
        if rank < 2, waited > patience + Self.grace * Double(1 + rank) { nameMissing() }
      }
      waiting = []
    }

    private func nameMissing() -> Never {
      let missing = (0..<count).filter { !waiting.contains($0) }.map(name)
      speak(
        RankFailure(
          status: Failure.Kind.io.rawValue,
          message: missing.joined(separator: ", ")
            + ": not heard of for \(Int(patience)) seconds (--timeout), so the run ends; its last checkpoint is whole"))
    }

    /// Hears what other ranks say.
    private func listen() {
      var bytes = [UInt8](repeating: 0, count: Int(CMPI_TEXT_SIZE))
      var from = Int32(0)
      while true {
        let size = cmpi_hear(&from, &bytes)
        guard size > 0, let message = Message(bytes.prefix(size)) else { return }
        if message.status == 0 {
          waiting.insert(Int(from))
        } else {
          speak(RankFailure(status: message.status, message: "\(name(Int(from))): \(message.text)"))
        }
      }
    }

    public func fail(_ failure: RankFailure) -> Never {
      if rank == 0 { speak(failure) }
      tell(0, Message(status: failure.status, text: failure.message))
      // Rank 0 ends all while this waits.
      let end = ContinuousClock.now + .seconds(patience + 3 * Self.grace)
      var (bytes, from) = ([UInt8](repeating: 0, count: Int(CMPI_TEXT_SIZE)), Int32(0))
      while ContinuousClock.now < end {
        // Looking for messages is what brings ours on its way.
        _ = cmpi_hear(&from, &bytes)
        usleep(20_000)
      }
      speak(RankFailure(status: failure.status, message: "\(name(rank)): \(failure.message)"))
    }

    /// Writes the one message, and ends all ranks.
    private func speak(_ failure: RankFailure) -> Never {
      say(failure.message)
      // The launcher takes the line from a pipe before the process has gone.
      usleep(100_000)
      cmpi_abort(failure.status)
      exit(failure.status)
    }

    private func tell(_ other: Int, _ message: Message) {
      let bytes = message.bytes
      cmpi_tell(Int32(other), bytes, bytes.count)
    }

    private func name(_ rank: Int) -> String { "rank \(rank) on \(hosts[rank])" }

    private static func text(_ characters: [CChar]) -> String {
      String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  /// What a rank tells another past all operations: that it waits (status 0), or why it ends.
  private struct Message {
    let status: Int32
    let text: String

    init(status: Int32, text: String) { (self.status, self.text) = (status, text) }

    init?(_ bytes: some Collection<UInt8>) {
      guard let first = bytes.first else { return nil }
      self.init(status: Int32(first), text: String(decoding: bytes.dropFirst(), as: UTF8.self))
    }

    var bytes: [UInt8] { [UInt8(truncatingIfNeeded: status)] + text.utf8.prefix(Int(CMPI_TEXT_SIZE) - 1) }
  }
#endif
