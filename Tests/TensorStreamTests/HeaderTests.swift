import TensorStream
import Testing

/// What a safetensors header may say, and what not.
@Suite struct HeaderTests {
  private func parse(_ text: String, dataCount: Int? = nil) throws -> SafetensorsHeader {
    try parse(Array(text.utf8), dataCount: dataCount)
  }

  private func parse(_ text: [UInt8], dataCount: Int? = nil) throws -> SafetensorsHeader {
    try text.withUnsafeBytes { try SafetensorsHeader(json: $0, dataCount: dataCount) }
  }

  /// What is wrong with a header.
  private func complaint(_ text: [UInt8], dataCount: Int? = nil) -> String? {
    do {
      _ = try parse(text, dataCount: dataCount)
      return nil
    } catch Damage.malformed(let what) {
      return what
    } catch {
      return "\(error)"
    }
  }

  private func complaint(_ text: String, dataCount: Int? = nil) -> String? {
    complaint(Array(text.utf8), dataCount: dataCount)
  }

  private func tensor(_ shape: String, _ offsets: String, _ type: String = "F32") -> String {
    "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  @Test func anyOrderAndSpacingIsRead() throws {
    let header = try parse("{  }   ")
    #expect(header.entries.isEmpty)
    let two = try parse(
      "{\"b\" : {\"shape\":[ 1 , 2 ],\n\"data_offsets\":[4, 12],\"dtype\":\"F32\"},\"__metadata__\":{\"k\":\"v\"},"
        + "\"a\":\(tensor("[]", "[0,4]"))}\t\r\n ", dataCount: 12)
    #expect(two.entries.map(\.name) == ["a", "b"])
    #expect(two.entries.map(\.shape) == [[], [1, 2]])
    #expect(two.entries.map(\.range) == [0..<4, 4..<12])
    #expect(two.metadata == ["k": "v"])
  }

  @Test func emptyTensorsLieAnywhere() throws {
    let header = try parse(
      "{\"a\":\(tensor("[2]", "[0,8]")),\"z\":\(tensor("[0,9]", "[0,0]")),\"e\":\(tensor("[3,0]", "[8,8]"))}")
    #expect(header.entries.map(\.name) == ["z", "a", "e"])
  }

  @Test func stringsAreUnescaped() throws {
    let header = try parse(#"{"__metadata__":{"\u0041\n\t\"\\\/\b\f\r":"gr\u00fc\u00DF \ud83d\ude00 😀"}}"#)
    #expect(header.metadata == ["A\n\t\"\\/\u{8}\u{C}\r": "grüß 😀 😀"])
  }

  @Test func whatIsEncodedIsParsed() throws {
    let metadata = ["": "", "a\u{0}\u{1F}\u{7F}": "\\\"/\n", "😀": "日本語"]
    let tensors = sampleTensors(rows: 0..<3) + [("n\"", StoredTensor([1] as [UInt16], shape: []))]
    let (header, order) = try SafetensorsHeader.layout(metadata: metadata, tensors: tensors)
    let encoded = try header.encoded()
    #expect(encoded.count % 64 == 0)
    let parsed = try parse(Array(encoded.dropFirst(8)), dataCount: header.dataCount)
    #expect(parsed.metadata == metadata)
    #expect(parsed.entries.map(\.name) == order.map { tensors[$0].name })
    #expect(parsed.entries.map(\.name) == ["index", "label", "x", "n\"", "mask"])
  }

  @Test(arguments: [
    ("", "'{'"), (" {}", "'{'"), ("[]", "'{'"), ("{", "string"), ("{}}", "nothing"), ("{} x", "nothing"),
    (#"{"a"}"#, "':'"), (#"{"a":1}"#, "'{'"), (#"{"a":{},}"#, "no dtype"), (#"{"__metadata__":{"a":1}}"#, "string"),
    (#"{"__metadata__":{"a":null}}"#, "string"), (#"{"__metadata__":{"a":{}}}"#, "string"),
    (#"{"__metadata__":[]}"#, "'{'"), (#"{"__metadata__":{"a":"1","a":"2"}}"#, "duplicate name \"a\""),
    (#"{"__metadata__":{},"__metadata__":{}}"#, "duplicate"), (#"{"__metadata__":{"a":"\x"}}"#, "escape"),
    (#"{"__metadata__":{"a":"\u12g4"}}"#, "hexadecimal"), (#"{"__metadata__":{"a":"\ud800"}}"#, "surrogate"),
    (#"{"__metadata__":{"a":"\ud800\u0041"}}"#, "surrogate"), (#"{"__metadata__":{"a":"\udc00"}}"#, "surrogate"),
    ("{\"__metadata__\":{\"a\":\"\n\"}}", "control"), (#"{"__metadata__":{"a":"b}}"#, "end of a string"),
    (#"{"__metadata__":{"a":"b"},}"#, "string"), (#"{"__metadata__":{"a":"\"#, "escape"),
  ])
  func malformedJSONIsRefused(_ text: String, _ expected: String) {
    let found = complaint(text)
    #expect(found?.contains(expected) == true, "\(found ?? "accepted")")
  }

  @Test func malformedUTF8IsRefused() {
    for bad in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]] {
      let text = Array("{\"__metadata__\":{\"a\":\"".utf8) + bad + Array("\"}}".utf8)
      #expect(complaint(text)?.contains("UTF-8") == true)
    }
  }

  @Test(arguments: [
    ("[2]", "[0,4]", "takes 8 bytes"), ("[1]", "[0,8]", "takes 4 bytes"), ("[1]", "[4,0]", "before"),
    ("[-1]", "[0,4]", "negative"), ("[1.0]", "[0,4]", "integer"), ("[1e0]", "[0,4]", "integer"),
    ("[01]", "[0,4]", "leading zero"), ("[1]", "[0]", "data_offsets"), ("[1]", "[0,4,8]", "more than 2"),
    ("[1]", "[0,-4]", "negative"), ("[99999999999999999999]", "[0,4]", "too large"),
    ("[9223372036854775807]", "[0,4]", "larger than"), ("[4294967296,4294967296]", "[0,4]", "larger than"),
    ("[0,9223372036854775807,2]", "[0,0]", "larger than"), ("[4611686018427387904,4,0]", "[0,0]", "larger than"),
    ("[1]", "[4,8]", "gap"), ("1", "[0,4]", "'['"), ("[1 1]", "[0,4]", "']'"), ("[1,]", "[0,4]", "number"),
    ("[\"1\"]", "[0,4]", "number"), ("[[1]]", "[0,4]", "number"),
    ("[" + Array(repeating: "1", count: 65).joined(separator: ",") + "]", "[0,4]", "more than 64"),
  ])
  func impossibleTensorsAreRefused(_ shape: String, _ offsets: String, _ expected: String) {
    let found = complaint("{\"a\":\(tensor(shape, offsets))}")
    #expect(found?.contains(expected) == true, "\(found ?? "accepted")")
  }

  @Test func tensorsMustCoverTheDataExactly() {
    func two(_ a: String, _ b: String, _ type: String = "F32") -> String {
      "{\"a\":\(tensor("[1]", a)),\"b\":\(tensor("[1]", b, type))}"
    }
    #expect(complaint(two("[0,4]", "[4,8]"), dataCount: 8) == nil)
    #expect(complaint(two("[0,4]", "[4,8]"), dataCount: 9)?.contains("take 8 bytes") == true)
    #expect(complaint(two("[0,4]", "[4,8]"), dataCount: 7)?.contains("take 8 bytes") == true)
    #expect(complaint(two("[0,4]", "[0,4]"), dataCount: 4)?.contains("overlaps") == true)
    #expect(complaint(two("[0,4]", "[8,12]"), dataCount: 12)?.contains("gap") == true)
    #expect(complaint("{}", dataCount: 1)?.contains("take 0 bytes") == true)
    let misaligned = "{\"a\":\(tensor("[1]", "[0,1]", "U8")),\"b\":\(tensor("[1]", "[1,5]"))}"
    #expect(complaint(misaligned, dataCount: 5)?.contains("misaligned") == true)
    let twice = "{\"a\":\(tensor("[1]", "[0,4]")),\"a\":\(tensor("[1]", "[4,8]"))}"
    #expect(complaint(twice, dataCount: 8) == "duplicate name \"a\"")
  }

  @Test func fieldsMustBeKnownAndThere() {
    #expect(complaint("{\"a\":\(tensor("[1]", "[0,1]", "F8_E4M3"))}")?.contains("dtype \"F8_E4M3\"") == true)
    #expect(complaint(#"{"a":{"dtype":"F32","shape":[1]}}"#)?.contains("no data_offsets") == true)
    #expect(complaint(#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#)?.contains("no shape") == true)
    #expect(complaint(#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#)?.contains("no dtype") == true)
    #expect(complaint(#"{"a":{"dtype":"F32","dtype":"F32"}}"#)?.contains("duplicate") == true)
    #expect(complaint(#"{"a":{"stride":[1]}}"#)?.contains("unknown field \"stride\"") == true)
  }

  @Test func deepNestingIsNotFollowed() {
    let deep = "{\"a\":" + String(repeating: "{\"a\":[", count: 200_000)
    #expect(complaint(deep)?.contains("unknown field") == true)
    #expect(complaint("{\"a\":{\"shape\":" + String(repeating: "[", count: 200_000))?.contains("number") == true)
  }
}
