import Imaging
import TensorStream
import Testing

/// Several sets of pictures as one: how often each comes, in which order, and what they say of themselves.
@Suite struct ImageSetsTests {
  private func epoch(_ quotas: [SetQuota], rows: [Int], number: Int, memory: Int = 1 << 30) -> [Int] {
    // Records of at most five rows, a kilobyte each.
    let records = rows.flatMap { rows in stride(from: 0, to: rows, by: 5).map { min(5, rows - $0) } }
    let order = EpochOrder(
      recordRows: records, recordBytes: records.map { _ in 1024 }, memory: memory, seed: 7, epoch: number,
      shuffles: true, quotas: quotas)
    return order.rows(0..<order.rows)
  }

  @Test func weightsAreSharesOfAnEpoch() {
    let quotas = SetQuota.quotas(rows: [100, 10], weights: [7, 3])
    #expect(quotas.map { $0.taken } == [77, 33])
    #expect(SetQuota.quotas(rows: [10, 10, 10], weights: [1, 1, 1]).map { $0.taken } == [10, 10, 10])
    #expect(SetQuota.quotas(rows: [5, 5, 1], weights: [1, 1, 1]).map { $0.taken } == [4, 4, 3])
  }

  @Test(arguments: [1 << 30, 4096])
  func everyPictureComesEquallyOften(memory: Int) {
    let rows = [100, 13]
    let quotas = SetQuota.quotas(rows: rows, weights: [0.6, 0.4])
    #expect(quotas.map { $0.taken } == [68, 45])
    var times = [Int](repeating: 0, count: 113)
    for number in 0..<100 {
      let samples = epoch(quotas, rows: rows, number: number, memory: memory)
      #expect(samples.count == 113 && Set(samples).count == 113, "repetitions have numbers of their own")
      let own = samples.map { $0 % 113 }
      #expect(own.count { $0 < 100 } == 68)
      // The second set's each three or four times.
      for row in 100..<113 { #expect((3...4).contains(own.count { $0 == row })) }
      for row in own { times[row] += 1 }
    }
    // 100 epochs of 68 of 100: each 68 times. 100 epochs of 45 of 13: 346.15 times.
    #expect(times[..<100].allSatisfy { $0 == 68 })
    #expect(times[100...].allSatisfy { abs(Double($0) - 4500 / 13.0) < 1 })
  }

  private func write(_ path: String, metadata: [String: String], labels: [Int32], level: UInt8 = 0) throws {
    let writer = try StreamWriter(path: path, kind: "images", metadata: metadata, overwrite: true)
    for start in stride(from: 0, to: labels.count, by: 4) {
      let part = Array(labels[start..<min(start + 4, labels.count)])
      try writer.write([
        (
          "pixels",
          StoredTensor(
            part.indices.flatMap { [UInt8](repeating: level + UInt8(start + $0), count: 75) },
            shape: [part.count, 5, 5, 3])
        ),
        ("label", StoredTensor(part, shape: [part.count])),
      ])
    }
    try writer.finish()
  }

  @Test func statisticsAreThoseOfTheMixture() throws {
    try withTemporaryFolder { folder in
      try write(folder + "/a.stz", metadata: ["mean": "[0.2]", "std": "[0.1]"], labels: [0, 0, 0, 0])
      try write(
        folder + "/b.stz", metadata: ["mean": "[0.6,0.5,0.4]", "std": "[0.2,0.2,0.3]"],
        labels: [Int32](repeating: 0, count: 12))
      func statistics(_ weights: [Double?]) throws -> ChannelStatistics? {
        try ImageStore(
          zip(["/a.stz", "/b.stz"], weights).map { ImageInput(path: folder + $0, weight: $1) }, memory: 1 << 20
        ).statistics
      }
      // A quarter of one distribution and three of the other, worked out by hand.
      let plain = try #require(try statistics([nil, nil]))
      #expect(zip(plain.mean, [0.5, 0.425, 0.35]).allSatisfy { abs($0 - $1) < 1e-12 })
      #expect(abs(plain.std[0] - (0.0325 + 0.04 * 0.75).squareRoot()) < 1e-12)
      let even = try #require(try statistics([1, 1]))
      #expect(zip(even.mean, [0.4, 0.35, 0.3]).allSatisfy { abs($0 - $1) < 1e-12 })
      try write(folder + "/b.stz", metadata: [:], labels: [0])
      #expect(try statistics([nil, nil]) == nil)
    }
  }

  @Test func operandsAreFilesWithOrWithoutWeights() throws {
    try withTemporaryFolder { folder in
      #expect(try ImageInput(operand: "a.stz") == ImageInput(path: "a.stz"))
      #expect(try ImageInput(operand: "a.stz:0.7") == ImageInput(path: "a.stz", weight: 0.7))
      #expect(try ImageInput(operand: "a:b.stz") == ImageInput(path: "a:b.stz"))
      #expect(throws: Failure.self) { try ImageInput(operand: "a.stz:0") }
      #expect(throws: Failure.self) { try ImageInput(operand: "a.stz:-1") }
      let odd = folder + "/odd:2"
      try write(odd, metadata: [:], labels: [0])
      #expect(try ImageInput(operand: odd) == ImageInput(path: odd))
      #expect(try ImageInput(operand: odd + ":3") == ImageInput(path: odd, weight: 3))
    }
  }
}
