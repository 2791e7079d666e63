import Foundation
import TensorStream
import Testing

/// `pmae-inspect --check`: whole, or where not.
@Suite struct InspectCheckTests {
  private func check(_ bytes: Data, pipe: Bool = false) throws -> ToolResult {
    if pipe { return try ToolRunner.run("pmae-inspect", ["--check"], input: bytes) }
    return try ToolRunner.withTemporaryFolder { folder in
      try bytes.write(to: URL(fileURLWithPath: folder + "/file"))
      return try ToolRunner.run("pmae-inspect", ["--check", "file"], in: folder)
    }
  }

  @Test func aWholeStreamIsWhole() throws {
    let bytes = try Sample.bytes(Sample.images)
    let file = try check(bytes)
    #expect(file.status == 0)
    #expect(file.text == "file: whole: 7 rows in 3 records, every checksum right, the seek table agrees\n")
    let pipe = try check(bytes, pipe: true)
    #expect(pipe.status == 0)
    #expect(pipe.text == "standard input: whole: 7 rows in 3 records, every checksum right, the seek table agrees\n")
  }

  /// One bit anywhere, in file or pipe. (All bits of all bytes are the library's tests.)
  @Test func aFlippedBitIsFound() throws {
    let bytes = try Sample.bytes(Sample.images)
    for at in stride(from: 0, to: bytes.count, by: 23) {
      var damaged = bytes
      damaged[at] ^= 1 << UInt8(at % 8)
      let result = try check(damaged)
      #expect(result.status == 65, "byte \(at): \(result.text)")
      #expect(result.output.isEmpty)
      #expect(result.errors.hasPrefix("pmae-inspect: file: "), "byte \(at): \(result.errors)")
    }
  }

  @Test func aStreamCutAnywhereIsFound() throws {
    let bytes = try Sample.bytes(Sample.images)
    let frames = try frameStarts(bytes)
    // Behind the end record and before the seek table nothing is missing.
    for length in stride(from: 0, to: bytes.count, by: 19) where length != frames[5] {
      for pipe in [false, true] {
        let result = try check(bytes.prefix(length), pipe: pipe)
        #expect(result.status == 65, "\(length) bytes: \(result.text)")
        #expect(result.output.isEmpty)
      }
    }
  }

  @Test func theRecordAndItsPlaceAreNamed() throws {
    var bytes = try Sample.bytes(Sample.images)
    let start = try frameStarts(bytes)[2]
    // The first checksum byte of record 2: its frame ends where the next starts.
    bytes[try frameStarts(bytes)[3] - 4] ^= 0xFF
    let result = try check(bytes)
    #expect(result.errors.contains("file: record 2: "), "\(result.errors)")
    #expect(result.errors.contains("(from byte \(start) on)"), "\(result.errors)")
  }

  /// A seek table whose sizes add up, and yet are wrong.
  @Test func aSeekTableThatDisagreesIsFound() throws {
    var bytes = try Sample.bytes(Sample.images)
    let table = try frameStarts(bytes)[5]
    bytes[table + 16] += 1
    bytes[table + 24] -= 1
    for pipe in [false, true] {
      let result = try check(bytes, pipe: pipe)
      #expect(result.status == 65)
      #expect(result.errors.contains("seek table"), "\(result.errors)")
      #expect(result.errors.contains("(from byte \(table) on)"), "\(result.errors)")
    }
  }

  @Test func aFrameWithoutAChecksumIsFound() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try Sample.weights(folder + "/weights.stz")
      let made = try ToolRunner.shell(
        "zstd -dq weights.stz -o weights && zstd -q --no-check weights -o unchecked.stz", in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let result = try ToolRunner.run("pmae-inspect", ["--check", "unchecked.stz"], in: folder)
      #expect(result.status == 65)
      #expect(result.errors.contains("checksum"), "\(result.errors)")
    }
  }

  @Test func safetensorsAreCheckedForTheirStructure() throws {
    let bytes = try Sample.bytes(Sample.safetensors)
    #expect(try check(bytes).text == "file: whole: 6 tensors (a safetensors file, which has no checksums)\n")
    #expect(try check(bytes.dropLast()).status == 65)
    #expect(try check(bytes + [0]).status == 65)
  }

  @Test(arguments: [Data(), Data("hello, world".utf8), Data([0x1F, 0x8B, 8, 0]), Data(count: 100)])
  func somethingElseIsNamedForWhatItIsNot(bytes: Data) throws {
    for pipe in [false, true] {
      let result = try check(bytes, pipe: pipe)
      #expect(result.status == 65)
      #expect(result.errors.hasPrefix("pmae-inspect: "))
    }
  }

  /// Where zstd's frames and the seek table start, from the table itself.
  private func frameStarts(_ bytes: Data) throws -> [Int] {
    let bytes = [UInt8](bytes)
    func number(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
    let count = number(bytes.count - 9)
    let table = bytes.count - 9 - 8 * count
    try #require(count == 5)
    return (0..<count).reduce(into: [0]) { $0.append($0.last! + number(table + 8 * $1)) }
  }
}
