import Foundation
import TensorStream
import Testing

/// What each damage is called. That no damage is missed is MutationTests' business.
@Suite struct CorruptionTests {
  private let first = #"{"__metadata__":{"stream":"1","kind":"features"}}"#
  private let end = #"{"__metadata__":{"end":"3","rows":"[1, 2]"}}"#
  private func rows(_ count: Int) -> [UInt8] {
    frame(
      document(
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[\(count)],\"data_offsets\":[0,\(count)]}}",
        data: [UInt8](repeating: 5, count: count)))
  }
  private func stream(
    first: String? = nil, _ records: [[UInt8]]? = nil, end: String? = nil, after: [UInt8] = []
  ) -> [UInt8] {
    frame(document(first ?? self.first)) + (records ?? [rows(1), rows(2)]).joined() + frame(document(end ?? self.end))
      + after
  }

  /// What both readers say of a stream.
  private func complaint(_ bytes: [UInt8], kinds: [String]? = nil) throws -> String {
    let scratch = try Scratch()
    let path = scratch.file("a.stz")
    try save(bytes, path)
    let message = failure(.data) { _ = try contents(StreamReader(path: path, kinds: kinds)) }
    failure(.data) { _ = try contents(IndexedStream(path: path, kinds: kinds)) }
    #expect(message.hasPrefix(path + ": "))
    return String(message.dropFirst(path.count + 2))
  }

  @Test func theSampleIsWhole() throws {
    #expect(try readPipe(stream()).count == 3)
  }

  @Test func noEndRecord() throws {
    let many = frame(document(first)) + rows(640) + rows(640)
    let killed = "input ends without an end record after 1,280 rows: the writer upstream failed or was killed"
    #expect(try complaint(many) == killed)
    #expect(try complaint(many + frame(document(end)).dropLast(1)) == killed)
    #expect(try complaint(many + rows(9).dropLast(9)) == killed)
    #expect(try complaint(frame(document(first))).contains("after 0 rows"))
    #expect(try complaint(Array(frame(document(first)).prefix(9))).contains("after 0 rows"))
  }

  @Test func everyCutOfAPipeIsNoticed() throws {
    let scratch = try Scratch()
    try writeSample(scratch.file("a.stz"))
    let file = try bytes(ofFile: scratch.file("a.stz"))
    let ends = try frameEnds(file)
    let whole = try #require(ends.last)
    var seen = 0
    for count in 0..<file.count {
      if count == whole {
        #expect(try readPipe(Array(file.prefix(count))).count == 4)
        continue
      }
      let message = failure(.data) { _ = try readPipe(Array(file.prefix(count))) }
      if count == 0 {
        #expect(message == "pipe: empty; expected a tensor stream")
      } else if count < whole {
        let complete = max(ends.filter { $0 <= count }.count - 1, 0)
        let text = ["0 rows", "4 rows", "8 rows", "10 rows"][complete]
        #expect(message.hasPrefix("pipe: input ends without an end record after \(text): the writer upstream"))
        seen += 1
      } else {
        #expect(message.contains("seek table after the end record is cut short"))
      }
    }
    #expect(seen == whole - 1)
  }

  @Test func notAStream() throws {
    #expect(try complaint(Array("GIF89a, and so on".utf8)).contains("starts with 47 49 46 38"))
    #expect(try complaint([0x28]).contains("without an end record"))
    #expect(try complaint([]).contains("empty"))
    #expect(try complaint(document(first)).contains("a plain safetensors file?"))
    #expect(try complaint(frame(Array("too short".utf8))).contains("record 0"))
    #expect(try complaint(stream(first: "{}")).contains("no \"stream\""))
    #expect(try complaint(stream(first: #"{"__metadata__":{"stream":"2","kind":"images"}}"#)).contains("version \"2\""))
    #expect(try complaint(stream(first: #"{"__metadata__":{"stream":"1"}}"#)).contains("no \"kind\""))
  }

  @Test func theWrongKind() throws {
    let message = try complaint(stream(), kinds: ["images", "views"])
    #expect(message == "record 0: holds \"features\", expected images or views")
  }

  @Test func theEndRecordMustBeRight() throws {
    func with(_ end: String, _ rows: String?) throws -> String {
      let text = rows.map { ",\"rows\":\"\($0)\"" } ?? ""
      return try complaint(stream(end: "{\"__metadata__\":{\"end\":\"\(end)\"\(text)}}"))
    }
    #expect(try with("4", "[1,3]").contains("promises 4 rows in 2 records, found 3 rows in 2 records"))
    #expect(try with("3", "[3]").contains("promises 3 rows in 1 record, found 3 rows in 2 records"))
    #expect(try with("3", "[2,1]").contains("promises 2 rows in record 1, found 1"))
    #expect(try with("4", "[1,2]").contains("add up to 3"))
    #expect(try with("3", nil).contains("no \"rows\""))
    #expect(try with("three", "[1,2]").contains("\"end\""))
    #expect(try with("", "[1,2]").contains("\"end\""))
    #expect(try with("3 ", "[1,2] x").contains("\"rows\""))
    #expect(try with("3", "[1,2.0]").contains("\"rows\""))
    #expect(try with("3", "[9223372036854775807,9223372036854775807]").contains("too many"))
    let tensor = #"{"__metadata__":{"end":"3","rows":"[1,2]"},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
    let loaded = frame(document(first)) + rows(1) + rows(2) + frame(document(tensor, data: [1]))
    #expect(try complaint(loaded).contains("end record: holds the tensor \"x\""))
  }

  @Test func nothingFollowsTheEnd() throws {
    #expect(try complaint(stream(after: rows(1))).contains("more input after the end record"))
    #expect(try complaint(stream(after: [1, 2, 3])).contains("more input after the end record"))
    #expect(try complaint(stream(after: stream())).contains("more input after the end record"))
    // Frames that zstd passes over are neither records nor a seek table.
    let skippable: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9]
    #expect(try complaint(stream(after: skippable)).contains("nothing but a seek table, found 53 2a 4d 18"))
    #expect(try complaint(stream([rows(1), skippable, rows(2)])).contains("record 2: expected a zstd frame"))
  }

  @Test func aSeekTableMustBeRightWhereThereIsOne() throws {
    let records = [frame(document(first)), rows(1), rows(2), frame(document(end))]
    // Stored frames take 18 bytes and their content.
    let table = SeekTable(frames: records.map { SeekTable.Frame(compressed: $0.count, content: $0.count - 20) })
    let bytes = try #require(table.encoded())
    #expect(bytes.count == 8 + 4 * 8 + 9)
    #expect(try readPipe(stream(after: bytes)).count == 3)
    for offset in bytes.indices {
      var wrong = bytes
      wrong[offset] ^= 0x41
      let message = try complaint(stream(after: wrong))
      #expect(message.contains(offset < 4 ? "nothing but a seek table" : "seek table: byte \(offset) is"))
    }
    #expect(try complaint(stream(after: bytes + [0])).contains("nothing but a seek table, found 00"))
    #expect(try complaint(stream(after: bytes + bytes)).contains("nothing but a seek table, found 5e"))
    #expect(try complaint(stream(after: Array(bytes.dropLast()))).contains("cut short"))
    var entries = table.frames
    entries[1...2] = [
      SeekTable.Frame(
        compressed: entries[1].compressed + entries[2].compressed, content: entries[1].content + entries[2].content)
    ]
    #expect(try complaint(stream(after: SeekTable(frames: entries).encoded()!)).contains("seek table: byte 4"))
  }

  @Test func dataRecordsMustAgree() throws {
    let tensor = #"{"dtype":"U8","shape":[2],"data_offsets":[0,2]}"#
    let longer = #"{"dtype":"U8","shape":[3],"data_offsets":[2,5]}"#
    let scalar = #"{"dtype":"U8","shape":[],"data_offsets":[0,1]}"#
    func with(_ header: String, _ data: [UInt8]) throws -> String {
      try complaint(stream([rows(1), frame(document(header, data: data))]))
    }
    #expect(
      try with("{\"a\":\(tensor),\"b\":\(longer)}", [1, 2, 3, 4, 5])
        == "record 2: tensor \"b\" has shape [3], but \"a\" is of 2 rows")
    #expect(try with("{\"a\":\(scalar)}", [1]).contains("scalar"))
    #expect(try with("{}", []).contains("without tensors"))
    #expect(try with(first, []).contains("first record of another stream"))
    let header = "{\"__metadata__\":{\"stream\":\"1\",\"kind\":\"features\"},\"a\":\(tensor)}"
    let loaded = frame(document(header, data: [1, 2])) + rows(1) + rows(2) + frame(document(end))
    #expect(try complaint(loaded).contains("the first of several records has none"))
  }

  @Test func framesMustBeWhatTheySay() throws {
    func with(_ record: [UInt8]) throws -> String { try complaint(stream([record, rows(2)])) }
    var good = rows(1)
    func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
      var bytes = good
      bytes[offset] = value
      return bytes
    }
    #expect(try with(changed(4, 0b1110_0000)).contains("without a checksum"))
    #expect(try with(changed(4, 0b1111_0100)).contains("reserved"))
    #expect(try with(changed(4, 0b1110_1100)).contains("reserved"))
    #expect(try with(changed(4, 0b1110_0101)).contains("dictionary"))
    #expect(try with(changed(4, 0b0000_0100)).contains("content size"))
    #expect(try with(changed(0, 0)).contains("record 1: expected a zstd frame (28 b5 2f fd), found 00 b5 2f fd"))
    #expect(try with(changed(good.count - 1, good.last! ^ 1)).contains("record 1: damaged (zstd: "))
    #expect(try with(frame(document("{}"), claiming: 1 << 63)).contains("claims 9,223,372,036,854,775,808"))
    #expect(try with(frame(document("{}"), claiming: 1 << 50)).contains("window"))
    #expect(try with(frame(document("{}"), claiming: 11)).contains("record 1: damaged"))
    #expect(try with(frame(document("{}"), claiming: 9)).contains("record 1: "))
    good.insert(contentsOf: [0x28, 0xB5], at: 0)
    #expect(try with(good).contains("record 1: expected a zstd frame"))
  }

  @Test func claimsAreCheckedBeforeMemoryIsTaken() throws {
    // A frame of a window of 1 MiB that claims 2^60 bytes, and has a few.
    let huge: [UInt8] =
      [0x28, 0xB5, 0x2F, 0xFD, 0b1100_0100, 10 << 3] + littleEndian(UInt64(1) << 60) + [0x09, 0, 0, 1, 0, 0, 0, 0]
    let before = try peakMemory()
    _ = try complaint(stream([huge]))
    for length in [1 << 63, 1 << 60, 100_000_001, 100_000_000, 3] as [UInt64] {
      let message = try complaint(stream([frame(littleEndian(length) + [0x7B, 0x7D])]))
      #expect(message.contains("record 1: a header"))
    }
    for header in [
      #"{"a":{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}}"#,
      #"{"a":{"dtype":"U8","shape":[4294967296,1048576],"data_offsets":[0,4503599627370496]}}"#,
    ] {
      #expect(try complaint(stream([frame(document(header))])).contains("bytes of data"))
      let scratch = try Scratch()
      try save(document(header, data: [1, 2]), scratch.file("a.safetensors"))
      #expect(failure(.data) { _ = try readTensors(path: scratch.file("a.safetensors")) }.contains("cut short"))
    }
    #expect(try peakMemory() - before < 1 << 30)
  }

  /// The most address space that this process has had, in bytes.
  private func peakMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") })
    return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1])) * 1024
  }

  @Test func aReaderThatFailedStaysFailed() throws {
    try throughPipe(frame(document(first)) + rows(1) + rows(1).dropLast(1)) { pipe in
      let reader = try StreamReader(fileDescriptor: pipe, name: "pipe")
      #expect(try reader.next()?.rows == 1)
      let one = failure(.data) { _ = try reader.next() }
      let two = failure(.data) { _ = try reader.next() }
      #expect(one == two)
      #expect(reader.rowsRead == 1)
    }
  }

  @Test func inputsThatCannotBeOpened() throws {
    let scratch = try Scratch()
    for path in [scratch.file("none.stz"), scratch.path] {
      #expect(failure(.noInput) { _ = try StreamReader(path: path) }.hasPrefix(path + ": "))
      failure(.noInput) { _ = try IndexedStream(path: path) }
      failure(.noInput) { _ = try readTensors(path: path) }
    }
    failure(.usage) { _ = try IndexedStream(path: "/dev/null") }
  }
}
