import Foundation
import TensorStream
import Testing

/// A folder that is gone with the test; in memory where that can be, since writers wait for the disk.
final class Scratch {
  let path: String

  init() throws {
    let memory = "/dev/shm"
    let parent = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    path = parent + "/pmae-stream-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// What is in the folder.
  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? [] }
}

func bytes(ofFile path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

func save(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/" + name).path
}

/// What the failure of `body` says, and that it is of this kind.
@discardableResult
func failure(
  _ kind: Failure.Kind, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
  do {
    try body()
  } catch let failure as Failure {
    #expect(failure.kind == kind, "\(failure)", sourceLocation: sourceLocation)
    return failure.message
  } catch {
    Issue.record("not a Failure: \(error)", sourceLocation: sourceLocation)
    return ""
  }
  Issue.record("no failure", sourceLocation: sourceLocation)
  return ""
}

/// A record as values that can be compared.
struct Content: Equatable {
  struct Tensor: Equatable {
    var name: String
    var type: ElementType
    var shape: [Int]
    var bytes: [UInt8]
  }
  var metadata: [String: String]
  var tensors: [Tensor]

  init(_ record: Record) {
    metadata = record.metadata
    tensors = record.tensors.map { name, tensor in
      Tensor(name: name, type: tensor.type, shape: tensor.shape, bytes: tensor.withUnsafeBytes { Array($0) })
    }
  }
}

/// All records of a stream, the first included, the end record not.
func contents(_ reader: StreamReader) throws -> [Content] {
  var result = [Content(reader.header)]
  while let record = try reader.next() { result.append(Content(record)) }
  return result
}

func contents(_ stream: IndexedStream) throws -> [Content] {
  try [Content(stream.header)] + (0..<stream.recordCount).map { Content(try stream.record($0)) }
}

/// Reads bytes through a pipe. They must be fewer than a pipe holds, 64 KiB.
func throughPipe<R>(_ bytes: [UInt8], _ body: (Int32) throws -> R) throws -> R {
  precondition(bytes.count <= 65536)
  var ends: [Int32] = [0, 0]
  try #require(pipe(&ends) == 0)
  defer { close(ends[0]) }
  let written = bytes.withUnsafeBytes { $0.isEmpty ? 0 : write(ends[1], $0.baseAddress, $0.count) }
  close(ends[1])
  try #require(written == bytes.count)
  return try body(ends[0])
}

func readPipe(_ bytes: [UInt8], kinds: [String]? = nil) throws -> [Content] {
  try throughPipe(bytes) { try contents(StreamReader(fileDescriptor: $0, name: "pipe", kinds: kinds)) }
}

func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

/// A safetensors document of any header, right or wrong.
func document(_ header: String, data: [UInt8] = []) -> [UInt8] {
  littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

/// A zstd frame of stored blocks, its checksum right, written down from the format's description.
func frame(_ content: [UInt8], claiming size: UInt64? = nil) -> [UInt8] {
  var result: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0b1110_0100] + littleEndian(size ?? UInt64(content.count))
  var at = 0
  repeat {
    let count = min(content.count - at, 1 << 17)
    let isLast: UInt32 = at + count == content.count ? 1 : 0
    result += littleEndian(UInt32(count) << 3 | isLast).prefix(3) + content[at..<at + count]
    at += count
  } while at < content.count
  return result + littleEndian(UInt32(truncatingIfNeeded: content.withUnsafeBytes { xxh64($0) }))
}

/// Where the frames of a file end, from its seek table.
func frameEnds(_ file: [UInt8]) throws -> [Int] {
  let size = try #require(file.suffix(9).withUnsafeBytes { SeekTable.size(footer: $0) })
  let table = try #require(
    try file.suffix(size).withUnsafeBytes { try SeekTable($0, end: file.count - size) })
  var at = 0
  return table.frames.map {
    at += $0.compressed
    return at
  }
}

/// Runs a program, and returns its status and what it printed.
func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: [UInt8]) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
  process.waitUntilExit()
  return (process.terminationStatus, bytes)
}

/// A generator of random numbers that gives the same ones in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// Rows of the sample streams.
func sampleTensors(rows: Range<Int>) -> [NamedTensor] {
  [
    ("label", StoredTensor(rows.map { Int32($0) }, shape: [rows.count])),
    ("mask", StoredTensor(rows.flatMap { [UInt8($0 % 256), 7, 9] }, shape: [rows.count, 3])),
    ("x", StoredTensor(rows.flatMap { [Float($0), 0.5 * Float($0)] }, shape: [rows.count, 2])),
    ("index", StoredTensor(rows.map { Int64($0) }, shape: [rows.count])),
  ]
}

/// A stream of 10 rows in records of 4, 4 and 2.
func writeSample(_ path: String, overwrite: Bool = false) throws {
  let writer = try StreamWriter(
    path: path, kind: "features", metadata: ["note": "a \"quoted\"\n\u{1} grüße 😀"], overwrite: overwrite)
  for start in stride(from: 0, to: 10, by: 4) { try writer.write(sampleTensors(rows: start..<min(start + 4, 10))) }
  try writer.finish()
}
