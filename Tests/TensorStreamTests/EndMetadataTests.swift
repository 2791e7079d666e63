import Foundation
import TensorStream
import Testing

/// What a writer knows only at the end, and says in the end record.
@Suite struct EndMetadataTests {
  @Test func theEndRecordAddsToTheFirstRecordsMetadata() throws {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-end-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try StreamWriter(path: path, kind: "images", metadata: ["a": "first", "b": "first"])
    try writer.write([(name: "x", tensor: StoredTensor([UInt8](1...6), shape: [2, 3]))])
    try writer.finish(metadata: ["b": "end", "c": "end", "stream": "9", "kind": "views", "end": "7", "rows": "[7]"])

    let expected = ["stream": "1", "kind": "images", "a": "first", "b": "end", "c": "end"]
    let indexed = try IndexedStream(path: path)
    #expect(indexed.header.metadata == expected)
    #expect(indexed.rows == 2)

    let reader = try StreamReader(path: path)
    #expect(reader.header.metadata == ["stream": "1", "kind": "images", "a": "first", "b": "first"])
    while try reader.next() != nil {}
    #expect(reader.header.metadata == expected)
    #expect(reader.kind == "images" && reader.digest == indexed.digest)
  }
}
