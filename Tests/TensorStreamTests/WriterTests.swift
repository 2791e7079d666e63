import Foundation
import Synchronization
import TensorStream
import Testing

/// Where output goes, and what is left behind when it does not get there.
@Suite struct WriterTests {
  init() { signal(SIGPIPE, SIG_IGN) }

  private let rows: [NamedTensor] = [("x", StoredTensor([1, 2] as [Float], shape: [2]))]

  @Test func aFileAppearsOnlyWhenItIsWhole() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.stz")
    let writer = try StreamWriter(path: path, kind: "features", metadata: [:])
    try writer.write(rows)
    #expect(scratch.names.count == 1)
    #expect(!scratch.names.contains("a.stz"))
    try writer.finish()
    #expect(scratch.names == ["a.stz"])
    writer.cancel()
    #expect(scratch.names == ["a.stz"])
    failure(.software) { try writer.write(rows) }
    failure(.software) { try writer.finish() }
    #expect(try IndexedStream(path: path).rows == 2)
  }

  @Test func aFileHasThePermissionsOfANewFile() throws {
    let scratch = try Scratch()
    try writeSample(scratch.file("a.stz"))
    try save([], scratch.file("b"))
    let modes = try ["a.stz", "b"].map {
      try FileManager.default.attributesOfItem(atPath: scratch.file($0))[.posixPermissions] as? Int
    }
    #expect(modes[0] == modes[1])
  }

  @Test func nothingIsLeftOfAWriterThatGaveUp() throws {
    let scratch = try Scratch()
    let cancelled = try StreamWriter(path: scratch.file("a.stz"), kind: "features", metadata: [:])
    try cancelled.write(rows)
    cancelled.cancel()
    #expect(scratch.names == [])
    failure(.software) { try cancelled.finish() }
    do {
      let forgotten = try StreamWriter(path: scratch.file("b.stz"), kind: "features", metadata: [:])
      try forgotten.write(rows)
    }
    #expect(scratch.names == [])
    let failed = try StreamWriter(path: scratch.file("c.stz"), kind: "features", metadata: [:])
    let message = failure(.software) {
      try failed.write(rows + [("y", StoredTensor([1] as [Float], shape: [1]))])
    }
    #expect(message == "\(scratch.file("c.stz")): record 1: tensor \"y\" has shape [1], but \"x\" is of 2 rows")
    #expect(scratch.names == [])
    failure(.software) {
      try StreamWriter.writeOneRecord(path: scratch.file("d.stz"), kind: "weights", metadata: [:], tensors: rows + rows)
    }
    failure(.software) { try writeSafetensors(path: scratch.file("d"), metadata: [:], tensors: rows + rows) }
    failure(.usage) {
      _ = try StreamWriter(path: scratch.file("d.stz"), kind: "features", metadata: [:], level: 99)
    }
    #expect(scratch.names == [])
  }

  @Test func anExistingFileIsNotReplacedUnasked() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.stz")
    try save([1, 2, 3], path)
    #expect(failure(.cannotCreate) { try writeSample(path) }.contains("exists already"))
    failure(.cannotCreate) { try writeSafetensors(path: path, metadata: [:], tensors: rows) }
    #expect(try bytes(ofFile: path) == [1, 2, 3])
    try writeSample(path, overwrite: true)
    #expect(try IndexedStream(path: path).rows == 10)
    #expect(scratch.names == ["a.stz"])
  }

  @Test func aFileThatAppearsMeanwhileIsNotReplacedEither() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.stz")
    let writer = try StreamWriter(path: path, kind: "features", metadata: [:])
    try save([1, 2, 3], path)
    failure(.cannotCreate) { try writer.finish() }
    #expect(try bytes(ofFile: path) == [1, 2, 3])
    #expect(scratch.names == ["a.stz"])
  }

  @Test func overwritingKeepsTheOldFileUntilTheNewOneIsWhole() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.stz")
    try save([1, 2, 3], path)
    let writer = try StreamWriter(path: path, kind: "features", metadata: [:], overwrite: true)
    try writer.write(rows)
    #expect(try bytes(ofFile: path) == [1, 2, 3])
    writer.cancel()
    #expect(try bytes(ofFile: path) == [1, 2, 3])
  }

  @Test func aLinkKeepsPointingToTheFileThatIsReplaced() throws {
    let scratch = try Scratch()
    try save([1], scratch.file("target"))
    try FileManager.default.createSymbolicLink(atPath: scratch.file("link"), withDestinationPath: "target")
    try writeSample(scratch.file("link"), overwrite: true)
    #expect(scratch.names == ["link", "target"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch.file("link")) == "target")
    #expect(try IndexedStream(path: scratch.file("target")).rows == 10)
  }

  @Test func namesMayBeLong() throws {
    let scratch = try Scratch()
    let name = String(repeating: "n", count: 251) + ".stz"
    try writeSample(scratch.file(name))
    #expect(scratch.names == [name])
  }

  @Test func outputsThatCannotBeCreated() throws {
    let scratch = try Scratch()
    for path in [scratch.path, scratch.file("none/a.stz"), "/proc/a.stz"] {
      let message = failure(.cannotCreate) { try writeSample(path) }
      #expect(message.hasPrefix(path + ": "))
    }
  }

  @Test func aFullDiskIsSaidWithTheFile() {
    let large: [NamedTensor] = [("x", StoredTensor((0..<100_000).map { Float($0).squareRoot() }, shape: [100_000]))]
    let message = failure(.io) {
      let writer = try StreamWriter(path: "/dev/full", kind: "features", metadata: [:])
      try writer.write(large)
      try writer.finish()
    }
    #expect(message == "/dev/full: cannot write: No space left on device")
  }

  @Test func aReaderThatLeavesIsABrokenPipe() throws {
    let scratch = try Scratch()
    let path = scratch.file("fifo")
    try #require(mkfifo(path, 0o600) == 0)
    let reader = open(path, O_RDONLY | O_NONBLOCK)
    try #require(reader >= 0)
    let writer = try StreamWriter(path: path, kind: "features", metadata: [:])
    close(reader)
    failure(.brokenPipe) { try writer.write(rows) }
    #expect(scratch.names == ["fifo"])
  }

  @Test func aNamedPipeCarriesAStreamWithoutASeekTable() throws {
    let scratch = try Scratch()
    let path = scratch.file("fifo")
    try #require(mkfifo(path, 0o600) == 0)
    let thread = Thread { try? writeSample(path) }
    thread.start()
    let content = try contents(StreamReader(path: path))
    #expect(content.count == 4)
    try writeSample(scratch.file("a.stz"))
    #expect(try contents(StreamReader(path: scratch.file("a.stz"))) == content)
    #expect(scratch.names == ["a.stz", "fifo"])
  }

  @Test(.enabled(if: Terminal.isAvailable, Comment(rawValue: Terminal.reason)))
  func aStreamIsNeverWrittenToATerminal() throws {
    let terminal = try #require(Terminal())
    #expect(failure(.usage) { try writeSample(terminal.path) }.contains("is a terminal"))
    #expect(failure(.usage) { _ = try StreamReader(path: terminal.path) }.contains("is a terminal"))
  }

  /// A descriptor that is closed twice is somebody else's the second time.
  @Test(.enabled(if: Terminal.isAvailable, Comment(rawValue: Terminal.reason)))
  func aRefusedTerminalIsClosedOnce() throws {
    let terminal = try #require(Terminal())
    let isOver = Atomic(false)
    let lost = Atomic(0)
    let others = Thread {
      while !isOver.load(ordering: .relaxed) {
        let own = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if close(own) != 0 { lost.add(1, ordering: .relaxed) }
      }
    }
    others.start()
    for _ in 0..<3000 { failure(.usage) { try writeSample(terminal.path) } }
    isOver.store(true, ordering: .relaxed)
    #expect(lost.load(ordering: .relaxed) == 0)
  }

  @Test func aSlowPipeThatDoesNotBlockIsWaitedFor() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let scratch = try Scratch()
    try writeSample(scratch.file("a.stz"))
    let file = try bytes(ofFile: scratch.file("a.stz"))
    let target = ends[1]
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    let thread = Thread {
      for byte in file {
        if byte % 64 == 0 { usleep(1000) }
        withUnsafeBytes(of: byte) { _ = write(target, $0.baseAddress, 1) }
      }
      close(target)
    }
    thread.start()
    let content = try contents(StreamReader(fileDescriptor: ends[0], name: "slow"))
    #expect(content.count == 4)
    close(ends[0])
  }

  @Test func recordsThatASeekTableCannotSizeGoWithoutOne() throws {
    let small = SeekTable.Frame(compressed: 100, content: 200)
    #expect(SeekTable(frames: [small, small]).encoded()?.count == 8 + 2 * 8 + 9)
    let largest = SeekTable.Frame(compressed: Int(UInt32.max), content: Int(UInt32.max))
    #expect(SeekTable(frames: [small, largest]).encoded() != nil)
    #expect(SeekTable(frames: [small, SeekTable.Frame(compressed: 1 << 32, content: 200)]).encoded() == nil)
    #expect(SeekTable(frames: [SeekTable.Frame(compressed: 100, content: 1 << 32), small]).encoded() == nil)

    // A file without one is read in any order all the same.
    let scratch = try Scratch()
    try writeSample(scratch.file("a.stz"))
    let file = try bytes(ofFile: scratch.file("a.stz"))
    try save(Array(file.prefix(try #require(try frameEnds(file).last))), scratch.file("b.stz"))
    let (with, without) = try (IndexedStream(path: scratch.file("a.stz")), IndexedStream(path: scratch.file("b.stz")))
    #expect(try contents(with) == contents(without))
    #expect(with.digest == without.digest)
    #expect(without.rowsPerRecord == [4, 4, 2])
  }
}
