import Foundation
import TensorStream
import Testing

/// Against other programs: what Python wrote, and what the zstd command makes of our files.
@Suite struct InteroperationTests {
  @Test func aStreamFromPython() throws {
    let reader = try StreamReader(path: fixture("features.stz"), kinds: ["features"])
    #expect(reader.header.metadata["note"] == "grüße, \"quoted\" \\ \n 😀")
    #expect(reader.header.metadata["classes"] == #"["a","b"]"#)
    let first = try #require(try reader.next())
    #expect(first["x"]?.shape == [4, 3])
    #expect(try first["x"]?.values(of: Float.self) == (0..<12).map { Float($0) / 8 })
    #expect(try first["label"]?.values(of: Int32.self) == [3, 1, 4, 1])
    let second = try #require(try reader.next())
    #expect(try second["x"]?.values(of: Float.self) == [0, -1, -2, -3, -4, -5])
    #expect(try second["label"]?.values(of: Int32.self) == [5, 9])
    #expect(try reader.next() == nil)
    let stream = try IndexedStream(path: fixture("features.stz"))
    #expect(stream.rowsPerRecord == [4, 2])
    #expect(stream.digest == reader.digest)
  }

  @Test func pixelsFromPython() throws {
    let stream = try IndexedStream(path: fixture("pixels.stz"), kinds: ["images"])
    #expect(stream.rowsPerRecord == [2, 2, 2])
    for i in 0..<3 {
      let record = try stream.record(i)
      #expect(record["pixels"]?.shape == [2, 5, 4, 3])
      #expect(try record["pixels"]?.values(of: UInt8.self) == (0..<120).map { UInt8($0) })
    }
  }

  @Test func weightsFromSafetensors() throws {
    let record = try readTensors(path: fixture("weights.safetensors"), kinds: ["weights"])
    #expect(record.metadata == ["config": "{\"width\": 3}"])
    #expect(record["half"]?.type == .f16)
    #expect(record["half"]?.withUnsafeBytes { Array($0) } == [0x00, 0x3C, 0x00, 0xC0])
    #expect(record["brain"]?.type == .bf16)
    #expect(record["brain"]?.shape == [2, 1])
    #expect(record["brain"]?.withUnsafeBytes { Array($0) } == [0xC0, 0x3F, 0x40, 0xC0])
    #expect(record["flag"]?.withUnsafeBytes { Array($0) } == [1, 0, 1])
    #expect(try record["scalar"]?.values(of: Int64.self) == [7])
    #expect(record["none"]?.shape == [0, 5])
    #expect(try record["weight"]?.values(of: Float.self) == [0, 1, 2, 3, 4, 5])
    #expect(try record["d"]?.values(of: Double.self) == [0.1])
    #expect(try record["u"]?.values(of: UInt8.self) == [255])
  }

  @Test func weightsSurviveBothForms() throws {
    let scratch = try Scratch()
    let record = try readTensors(path: fixture("weights.safetensors"))
    try StreamWriter.writeOneRecord(
      path: scratch.file("w.stz"), kind: "weights", metadata: record.metadata, tensors: record.tensors)
    let stream = try readTensors(path: scratch.file("w.stz"), kinds: ["weights"])
    try writeSafetensors(path: scratch.file("w.safetensors"), metadata: record.metadata, tensors: stream.tensors)
    let plain = try readTensors(path: scratch.file("w.safetensors"))
    #expect(plain.metadata == record.metadata)
    let byName = { (record: Record) in Content(record).tensors.sorted { $0.name < $1.name } }
    #expect(byName(stream) == byName(record))
    #expect(Content(plain).tensors == Content(stream).tensors)
  }

  @Test func zstdFindsOurFilesWhole() throws {
    let scratch = try Scratch()
    try writeSample(scratch.file("a.stz"))
    try StreamWriter.writeOneRecord(
      path: scratch.file("w.stz"), kind: "weights", metadata: [:], tensors: sampleTensors(rows: 0..<1000))
    for name in ["a.stz", "w.stz"] {
      #expect(try run("zstd", ["-q", "-t", scratch.file(name)]).status == 0)
    }
    var damaged = try bytes(ofFile: scratch.file("w.stz"))
    damaged[damaged.count / 2] ^= 4
    try save(damaged, scratch.file("d.stz"))
    #expect(try run("zstd", ["-q", "-t", scratch.file("d.stz")]).status != 0)
  }

  /// Into a pipe, blocks are stored; zstd checks them and what they hold, which is what the file holds.
  @Test func zstdFindsWhatGoesIntoAPipeWhole() throws {
    let scratch = try Scratch()
    let (pipe, saved) = (scratch.file("pipe"), scratch.file("saved.stz"))
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = Process()
    reader.executableURL = URL(fileURLWithPath: "/bin/sh")
    reader.arguments = ["-c", "cat \"$0\" > \"$1\"", pipe, saved]
    try reader.run()
    // Records that end within a block, at its end, and after it; tensors that end within the hash's stripes.
    var records = [0, 1, 31, 1 << 17, 400_000].map { size -> [NamedTensor] in
      [
        ("a", StoredTensor((0..<size).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) }, shape: [1, size])),
        ("b", StoredTensor([Int32(size)], shape: [1])),
      ]
    }
    records.append(sampleTensors(rows: 0..<4))
    for path in [pipe, scratch.file("file.stz")] {
      let writer = try StreamWriter(path: path, kind: "features", metadata: ["note": "ü"])
      for record in records { try writer.write(record) }
      try writer.finish()
    }
    reader.waitUntilExit()
    #expect(try bytes(ofFile: saved).count > 1 << 17 + 400_000)
    #expect(try run("zstd", ["-q", "-t", saved]).status == 0)
    #expect(try run("zstd", ["-qdc", saved]).output == run("zstd", ["-qdc", scratch.file("file.stz")]).output)
    #expect(
      try contents(StreamReader(path: saved)) == contents(StreamReader(path: scratch.file("file.stz"))))
    var damaged = try bytes(ofFile: saved)
    damaged[damaged.count / 2] ^= 4
    try save(damaged, saved)
    #expect(try run("zstd", ["-q", "-t", saved]).status != 0)
  }

  /// `zstd -d` of a one-record file is a safetensors document, taken apart here by Foundation's JSON parser, not by ours.
  @Test func zstdTurnsWeightsIntoSafetensors() throws {
    let scratch = try Scratch()
    let tensors = sampleTensors(rows: 0..<300)
    try StreamWriter.writeOneRecord(
      path: scratch.file("w.stz"), kind: "weights", metadata: ["config": "{\"a\":\"\\\\\"}"], tensors: tensors)
    let (status, plain) = try run("zstd", ["-q", "-d", "-c", scratch.file("w.stz")])
    #expect(status == 0)
    let length = plain.withUnsafeBytes { Int($0.load(as: UInt64.self)) }
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(plain[8..<8 + length])) as? [String: [String: Any]])
    #expect(
      json["__metadata__"] as? [String: String] == [
        "stream": "1", "kind": "weights", "end": "0", "rows": "[]", "config": "{\"a\":\"\\\\\"}",
      ])
    #expect(json.count == tensors.count + 1)
    var end = 0
    for (name, tensor) in tensors {
      let entry = try #require(json[name])
      #expect(entry["dtype"] as? String == tensor.type.rawValue)
      #expect(entry["shape"] as? [Int] == tensor.shape)
      let offsets = try #require(entry["data_offsets"] as? [Int])
      let start = 8 + length
      #expect(Array(plain[start + offsets[0]..<start + offsets[1]]) == tensor.withUnsafeBytes { Array($0) })
      end = max(end, offsets[1])
    }
    #expect(8 + length + end == plain.count)
    try save(plain, scratch.file("w.safetensors"))
    #expect(
      try Content(readTensors(path: scratch.file("w.safetensors"))) == Content(readTensors(path: scratch.file("w.stz")))
    )
    // It still says what it holds.
    failure(.data) { _ = try readTensors(path: scratch.file("w.safetensors"), kinds: ["checkpoint"]) }
  }

  @Test func readTensorsTellsWhatItGot() throws {
    let scratch = try Scratch()
    let path = scratch.file("a")
    func complaint(_ bytes: [UInt8]) throws -> String {
      try save(bytes, path)
      return failure(.data) { _ = try readTensors(path: path, kinds: ["weights"]) }
    }
    #expect(try complaint([]).contains("empty"))
    #expect(
      try complaint(Array("GIF89a".utf8)).contains("neither a tensor stream nor a safetensors file: starts with 47 49"))
    #expect(try complaint([1, 2]).contains("neither"))
    let plain = try bytes(ofFile: fixture("weights.safetensors"))
    #expect(try complaint(Array(plain.dropLast())).contains("cut short"))
    #expect(try complaint(Array(plain.prefix(100))).contains("cut short"))
    #expect(try complaint(plain + [0]).contains("more input after"))
    #expect(try complaint([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x7B]).contains("header that claims"))
    try writeSample(path, overwrite: true)
    #expect(failure(.data) { _ = try readTensors(path: path) }.contains("in several records"))
    #expect(failure(.data) { _ = try readTensors(path: path, kinds: ["weights"]) }.contains("holds \"features\""))
  }

  @Test func digestsAreXXH64() {
    func hash(_ text: String) -> UInt64 { Array(text.utf8).withUnsafeBytes { xxh64($0) } }
    // From the algorithm's own test vectors.
    #expect(hash("") == 0xEF46_DB37_51D8_E999)
    #expect(hash("a") == 0xD24E_C4F1_A98C_6E5B)
    #expect(hash("abc") == 0x44BC_2CF5_AD77_0999)
    #expect(hash("Nobody inspects the spammish repetition") == 0xFBCE_A83C_8A37_8BF1)
  }

  @Test func structureInsideMetadataIsJSON() throws {
    let text = try JSONText.encode(["b": [1, 2.5], "a": []])
    #expect(text == #"{"a":[],"b":[1,2.5]}"#)
    #expect(try JSONText.decode([String: [Double]].self, from: text, what: "x") == ["a": [], "b": [1, 2.5]])
    failure(.software) { _ = try JSONText.encode([Double.nan]) }
    let message = failure(.data) { _ = try JSONText.decode([Int].self, from: "{\n", what: "a.stz: metadata \"mean\"") }
    #expect(message.hasPrefix("a.stz: metadata \"mean\": expected JSON"))
  }
}
