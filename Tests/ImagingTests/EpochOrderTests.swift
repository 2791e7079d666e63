import Imaging
import Parallel
import Testing

/// How near the order of a set that does not fit into memory comes to a permutation of all.
@Suite struct EpochOrderTests {
  private let records = 1000
  private let rowsPerRecord = 20

  private func order(memory: Int, epoch: Int = 0, shuffles: Bool = true) -> EpochOrder {
    EpochOrder(
      recordRows: [Int](repeating: rowsPerRecord, count: records), recordBytes: [Int](repeating: 100, count: records),
      memory: memory, seed: 5, epoch: epoch, shuffles: shuffles)
  }

  private func rows(_ order: EpochOrder) -> [Int] { order.rows(0..<order.rows) }

  /// Of each row and the next in the order; 1 for the rows' own order, 0 but for chance for a permutation.
  private func serialCorrelation(_ rows: [Int]) -> Double {
    let mean = Double(rows.count - 1) / 2
    let deviations = rows.map { Double($0) - mean }
    var (products, squares) = (0.0, 0.0)
    for (a, b) in zip(deviations, deviations.dropFirst()) { products += a * b }
    for a in deviations { squares += a * a }
    return products / squares
  }

  /// The mean distance of a row's place from its own, as a share of the rows: 1/3 for a permutation.
  private func displacement(_ rows: [Int]) -> Double {
    var sum = 0
    for (place, row) in rows.enumerated() { sum += abs(place - row) }
    return Double(sum) / Double(rows.count * rows.count)
  }

  @Test func aSetThatFitsIsPermutedAsAWhole() {
    var random = CounterRandom(seed: 5, epoch: 3, sample: 0, purpose: 0x7669_6500)
    #expect(rows(order(memory: 100 * records, epoch: 3)) == random.permutation(records * rowsPerRecord))
  }

  /// Each picture of the order's beginning in a row, wherever one begins to read; each view with a number of its own.
  @Test(arguments: [100 * 1000, 4000]) func repeatedPicturesFollowEachOther(memory: Int) {
    let pictures = records * rowsPerRecord
    let repeated = RepeatedOrder(order(memory: memory), repeats: 3, pictures: pictures)
    let rows = repeated.rows(0..<repeated.rows)
    let plain = self.rows(order(memory: memory))
    #expect(rows.count == pictures && Set(rows).count == pictures)
    #expect(rows.indices.allSatisfy { rows[$0] == plain[$0 / 3] + $0 % 3 * pictures })
    for places in [0..<1, 1..<2, 5..<11, 299..<304, 19_998..<20_000] {
      #expect(repeated.rows(places) == Array(rows[places]), "\(places)")
    }
    // What comes several times already, as of sets with weights, has other numbers still.
    let weighted = EpochOrder(
      recordRows: [1, 3], recordBytes: [1, 1], memory: 10, seed: 1, epoch: 0, shuffles: false,
      quotas: SetQuota.quotas(rows: [1, 3], weights: [3, 1]))
    #expect(weighted.rows(0..<3) == [0, 4, 8])
    #expect(RepeatedOrder(weighted, repeats: 2, pictures: 4).rows(0..<4) == [0, 4, 8, 12])
  }

  @Test func ownOrderIsKeptWithAnyMemory() {
    for memory in [1, 1000, 100 * records] {
      #expect(rows(order(memory: memory, shuffles: false)) == Array(0..<(records * rowsPerRecord)))
    }
  }

  /// A fifth of the set fits, so that a group is a tenth: a hundred records.
  @Test func aTenthAtATimeIsNearlyAPermutation() {
    let all = rows(order(memory: 100 * records))
    let part = order(memory: 100 * records / 5)
    #expect(part.groups.count == 10)
    let rows = rows(part)
    #expect(rows.sorted() == Array(0..<all.count))
    #expect(rows != self.rows(order(memory: 100 * records / 5, epoch: 1)))
    for order in [all, rows] {
      #expect(abs(displacement(order) - 1.0 / 3) < 0.03)
      #expect(abs(serialCorrelation(order)) < 0.04)
    }
    // Neighbours from one record: 1 in 1000 for a permutation of all, 1 in 100 here.
    var pairs = 0
    for (a, b) in zip(rows, rows.dropFirst()) where a / rowsPerRecord == b / rowsPerRecord { pairs += 1 }
    let share = Double(pairs) / Double(rows.count)
    #expect(share > 0.005 && share < 0.015)
  }

  /// Groups share no record, so none is read twice; two of them fit into memory.
  @Test func everyRecordIsInOneGroup() {
    let bytes = (0..<50).map { 1 + $0 * 7 % 40 }
    let order = EpochOrder(
      recordRows: [Int](repeating: 3, count: 50), recordBytes: bytes, memory: 160, seed: 0, epoch: 0, shuffles: true)
    #expect(order.groups.flatMap { $0 }.sorted() == Array(0..<50))
    for group in order.groups { #expect(group.reduce(0) { $0 + bytes[$1] } <= 80) }
    // Any part of the order is that part of the whole.
    let whole = order.rows(0..<150)
    for start in stride(from: 0, to: 150, by: 11) {
      let places = start..<min(150, start + 40)
      #expect(order.rows(places) == Array(whole[places]))
    }
  }
}
