import Testing
import TensorStream

@Suite struct RoundTripTests {
  @Test func smoke() throws {
    let path = "/tmp/smoke-stream.stz"
    let w = try StreamWriter(path: path, kind: "features", metadata: ["a": "é\"\n"], overwrite: true)
    try w.write([
      ("x", StoredTensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])),
      ("label", StoredTensor([1, 2] as [Int32], shape: [2])), ("b", StoredTensor([1, 2] as [UInt8], shape: [2])),
    ])
    try w.write([
      ("x", StoredTensor([7, 8, 9] as [Float], shape: [1, 3])), ("label", StoredTensor([3] as [Int32], shape: [1])),
      ("b", StoredTensor([3] as [UInt8], shape: [1])),
    ])
    try w.finish()
    let r = try StreamReader(path: path)
    #expect(r.header.metadata["a"] == "é\"\n")
    let one = try #require(try r.next())
    #expect(try one["x"]?.values(of: Float.self) == [1, 2, 3, 4, 5, 6])
    #expect(try r.next()?.rows == 1)
    #expect(try r.next() == nil)
    let i = try IndexedStream(path: path)
    #expect(i.digest == r.digest)
    #expect(i.rowsPerRecord == [2, 1])
    #expect(try i.record(1)["label"]?.values(of: Int32.self) == [3])
    try StreamWriter.writeOneRecord(
      path: "/tmp/smoke-w.stz", kind: "weights", metadata: ["config": "{}"],
      tensors: [("w", StoredTensor([1, 2] as [Double], shape: [2])), ("h", StoredTensor([1] as [UInt8], shape: []))],
      overwrite: true)
    let t = try readTensors(path: "/tmp/smoke-w.stz", kinds: ["weights"])
    #expect(t.tensors.count == 2)
    try writeSafetensors(path: "/tmp/smoke-w.safetensors", metadata: [:], tensors: t.tensors, overwrite: true)
    #expect(try readTensors(path: "/tmp/smoke-w.safetensors").tensors.count == 2)
  }
}
