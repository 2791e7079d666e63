import Foundation
import TensorStream
import Testing

/// What is written is what is read: by either reader, through a file or a pipe.
@Suite struct RoundTripTests {
  @Test func everyElementTypeComesBackBitForBit() throws {
    let scratch = try Scratch()
    let path = scratch.file("all.stz")
    var random = SplitMix(state: 1)
    let tensors: [NamedTensor] = ElementType.allCases.map { type in
      let bytes = (0..<15 * type.size).map { _ in UInt8.random(in: 0...255, using: &random) }
      return ("t-\(type.rawValue)", StoredTensor(type: type, shape: [5, 1, 3], bytes: bytes))
    }
    let writer = try StreamWriter(path: path, kind: "features", metadata: [:])
    try writer.write(tensors)
    try writer.finish()
    let record = try #require(try StreamReader(path: path).next())
    #expect(record.rows == 5)
    #expect(record.tensors.count == tensors.count)
    for (name, tensor) in tensors {
      let found = try #require(record[name])
      #expect(found.type == tensor.type)
      #expect(found.shape == [5, 1, 3])
      #expect(found.withUnsafeBytes { Array($0) } == tensor.withUnsafeBytes { Array($0) })
    }
    #expect(record["no such"] == nil)
  }

  @Test func bothReadersAgree() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.stz")
    try writeSample(path)
    let reader = try StreamReader(path: path, kinds: ["images", "features"])
    #expect(reader.kind == "features")
    #expect(reader.header.metadata == ["stream": "1", "kind": "features", "note": "a \"quoted\"\n\u{1} grüße 😀"])
    let early = reader.digest
    let found = try contents(reader)
    #expect(found.count == 4)
    #expect(reader.rowsRead == 10)
    #expect(try reader.next() == nil)

    let stream = try IndexedStream(path: path, kinds: ["features"])
    #expect(stream.rowsPerRecord == [4, 4, 2])
    #expect(stream.rows == 10)
    #expect(stream.recordCount == 3)
    #expect((0..<3).map(stream.firstRow(ofRecord:)) == [0, 4, 8])
    #expect(stream.end.metadata == ["end": "10", "rows": "[4,4,2]"])
    #expect(try contents(stream) == found)
    #expect(stream.digest == reader.digest)
    #expect(stream.digest.count == 16)
    #expect(early != reader.digest)
    #expect(try readPipe(bytes(ofFile: path)) == found)
  }

  /// Of a file of noise, whose records are equally long, the first says how many rows there are.
  @Test func rowsAreEstimated() throws {
    let scratch = try Scratch()
    let path = scratch.file("rows.stz")
    var random = SplitMix(state: 2)
    let writer = try StreamWriter(path: path, kind: "features", metadata: [:])
    for _ in 0..<20 {
      let values = (0..<4000).map { _ in Float.random(in: 0...1, using: &random) }
      try writer.write([("features", StoredTensor(values, shape: [40, 100]))])
    }
    try writer.finish()
    let reader = try StreamReader(path: path)
    #expect(reader.rowsEstimate == nil)
    _ = try reader.next()
    #expect(abs(try #require(reader.rowsEstimate) - 800) < 16)
    // A pipe holds less.
    let few = scratch.file("few.stz")
    try writeSample(few)
    try throughPipe(bytes(ofFile: few)) { descriptor in
      let piped = try StreamReader(fileDescriptor: descriptor, name: "pipe")
      while try piped.next() != nil { #expect(piped.rowsEstimate == nil) }
    }
  }

  @Test func oneRecordIsFirstAndLast() throws {
    let scratch = try Scratch()
    let path = scratch.file("w.stz")
    let tensors: [NamedTensor] = [
      ("scalar", StoredTensor([7] as [Int64], shape: [])), ("none", StoredTensor([] as [Float], shape: [0, 3])),
      ("w", StoredTensor([1, 2, 3] as [Float], shape: [3])),
    ]
    try StreamWriter.writeOneRecord(
      path: path, kind: "weights", metadata: ["config": "{}", "kind": "not used"], tensors: tensors)
    let record = try readTensors(path: path, kinds: ["weights"])
    #expect(record.metadata == ["stream": "1", "kind": "weights", "config": "{}", "end": "0", "rows": "[]"])
    #expect(record.tensors.map(\.name) == ["scalar", "none", "w"])
    #expect(try record["scalar"]?.values(of: Int64.self) == [7])
    #expect(record["none"]?.count == 0)
    let stream = try IndexedStream(path: path)
    #expect(stream.recordCount == 0)
    #expect(stream.rows == 0)
    #expect(Content(stream.header) == Content(record))
    #expect(Content(stream.end) == Content(record))
    let reader = try StreamReader(path: path)
    #expect(try reader.next() == nil)
    #expect(reader.digest == stream.digest)
  }

  @Test func encodedImagesCountTheirOffsets() throws {
    let scratch = try Scratch()
    let path = scratch.file("i.stz")
    func tensors(_ offsets: [Int64], bytes: Int, labels: Int) -> [NamedTensor] {
      [
        ("image.bytes", StoredTensor([UInt8](repeating: 1, count: bytes), shape: [bytes])),
        ("image.offsets", StoredTensor(offsets, shape: [offsets.count])),
        ("label", StoredTensor([Int32](repeating: 0, count: labels), shape: [labels])),
      ]
    }
    let writer = try StreamWriter(path: path, kind: "images", metadata: [:])
    try writer.write(tensors([0, 3, 3, 10], bytes: 10, labels: 3))
    try writer.finish()
    #expect(try IndexedStream(path: path).record(0).rows == 3)
    for bad in [
      tensors([0, 3, 2, 10], bytes: 10, labels: 3), tensors([1, 3, 3, 10], bytes: 10, labels: 3),
      tensors([0, 3, 3, 10], bytes: 11, labels: 3), tensors([0, 3, 3, 10], bytes: 10, labels: 4),
      tensors([], bytes: 0, labels: 0), Array(tensors([0, 1], bytes: 1, labels: 1).dropFirst()),
      Array(tensors([0, 1], bytes: 1, labels: 1).dropFirst(2)) + tensors([0, 1], bytes: 1, labels: 1).prefix(1),
    ] {
      let writer = try StreamWriter(path: scratch.file("bad.stz"), kind: "images", metadata: [:])
      failure(.software) { try writer.write(bad) }
    }
    #expect(scratch.names == ["i.stz"])
  }

  @Test func equalCallsGiveEqualBytes() throws {
    let scratch = try Scratch()
    try writeSample(scratch.file("a.stz"))
    try writeSample(scratch.file("b.stz"))
    #expect(try bytes(ofFile: scratch.file("a.stz")) == bytes(ofFile: scratch.file("b.stz")))
  }

  @Test func dataAndEveryTensorAreAligned() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.safetensors")
    for length in 0..<70 {
      let names = String(repeating: "n", count: length)
      try writeSafetensors(
        path: path, metadata: [:], tensors: sampleTensors(rows: 0..<3).map { ($0.name + names, $0.tensor) },
        overwrite: true)
      let file = try bytes(ofFile: path)
      let header = file.withUnsafeBytes { Int($0.load(as: UInt64.self)) }
      #expect((8 + header) % 64 == 0)
      let record = try readTensors(path: path)
      #expect(record.tensors.map(\.tensor.type.size) == [8, 4, 4, 1])
      for (_, tensor) in record.tensors {
        tensor.withUnsafeBytes { #expect(Int(bitPattern: $0.baseAddress) % tensor.type.size == 0) }
      }
    }
  }

  @Test func largeRecordsGrowAsTheyArrive() throws {
    let scratch = try Scratch()
    let path = scratch.file("large.stz")
    var random = SplitMix(state: 2)
    let noise = (0..<600_000).map { _ in random.next() }
    let zeros = [UInt8](repeating: 0, count: 9_000_001)
    let tensors: [NamedTensor] = [
      ("noise", StoredTensor(noise, shape: [1, noise.count])), ("zeros", StoredTensor(zeros, shape: [1, zeros.count])),
    ]
    for level in [-1, 1, 9] {
      let writer = try StreamWriter(path: path, kind: "features", metadata: [:], overwrite: true, level: level)
      try writer.write(tensors)
      try writer.finish()
      let record = try #require(try StreamReader(path: path).next())
      #expect(try record["noise"]?.values(of: UInt64.self) == noise)
      #expect(try record["zeros"]?.values(of: UInt8.self) == zeros)
      #expect(try IndexedStream(path: path).record(0)["zeros"]?.values(of: UInt8.self) == zeros)
    }
  }

  @Test func recordsMayBeReadByManyThreads() async throws {
    let scratch = try Scratch()
    let path = scratch.file("a.stz")
    let writer = try StreamWriter(path: path, kind: "features", metadata: [:])
    for i in 0..<50 { try writer.write(sampleTensors(rows: i * 10..<i * 10 + 10)) }
    try writer.finish()
    let stream = try IndexedStream(path: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for i in 0..<50 {
            let record = (i * 7 + task) % 50
            let rows = try stream.record(record)["index"]?.values(of: Int64.self)
            #expect(rows == (0..<10).map { Int64(stream.firstRow(ofRecord: record) + $0) })
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func aTensorOutlivesItsReader() throws {
    let scratch = try Scratch()
    try writeSample(scratch.file("a.stz"))
    let tensor = try #require(try IndexedStream(path: scratch.file("a.stz")).record(1)["x"])
    #expect(try tensor.values(of: Float.self) == [4, 2, 5, 2.5, 6, 3, 7, 3.5])
  }

  @Test func valuesAreOfTheRightTypeOrAnError() throws {
    let tensor = StoredTensor([1, 2] as [Float], shape: [2, 1])
    #expect(tensor.count == 2)
    #expect(tensor.byteCount == 8)
    let message = failure(.data) { _ = try tensor.values(of: Int64.self) }
    #expect(message.contains("I64") && message.contains("F32"))
    failure(.data) { try tensor.withValues(of: Int32.self) { _ in } }
    #expect(try tensor.withValues(of: Float.self) { $0.reduce(0, +) } == 3)
    // Memory that is not aligned is copied.
    let bytes: [UInt8] = [0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0]
    let storage = Lent(bytes)
    let lent = StoredTensor(
      type: .f32, shape: [2], bytes: UnsafeRawBufferPointer(rebasing: storage.bytes[1..<9]), owner: storage)
    #expect(try lent.withValues(of: Float.self) { Array($0) } == [1, 2])
  }
}

/// Memory that a test lends to a tensor.
private final class Lent {
  let bytes: UnsafeMutableRawBufferPointer
  init(_ values: [UInt8]) {
    bytes = .allocate(byteCount: values.count, alignment: 16)
    bytes.copyBytes(from: values)
  }
  deinit { bytes.deallocate() }
}
