// The order of an epoch. A set that fits into memory is permuted as a whole. Of a larger set, the records are permuted
// and taken in groups that fill half of the memory; then the rows of each group are permuted. So every record is needed
// in one group alone.

import Parallel

/// The rows of one epoch in their order. Where sets have quotas, a row may come several times: the k-th repetition has
/// its own number plus k times the number of all rows. It needs memory for a number a record, and for the rows of one
/// group.
public final class EpochOrder {
  /// Of the whole epoch.
  public let rows: Int
  /// The records of each group, in the order in which the groups come.
  public let groups: [[Int]]
  private let starts: [Int]
  private let firstRows: [Int]
  private let recordRows: [Int]
  private let seed: UInt64
  private let epoch: Int
  private let allRows: Int
  /// Of each record; empty without quotas.
  private let quotas: [SetQuota]
  private let shuffles: Bool
  private var last: (group: Int, rows: [Int])?

  private static let purpose: UInt32 = 0x7669_6500

  /// - Parameters:
  ///   - recordRows: the rows of each record.
  ///   - recordBytes: what each takes in memory.
  ///   - memory: bytes that may be held at once; two groups are, at the border between them.
  ///   - shuffles: false for the rows' own order.
  ///   - quotas: of sets that follow each other and end with a record; empty for every row once.
  public init(
    recordRows: [Int], recordBytes: [Int], memory: Int, seed: UInt64, epoch: Int, shuffles: Bool,
    quotas: [SetQuota] = []
  ) {
    (self.recordRows, self.seed, self.epoch, self.shuffles) = (recordRows, seed, epoch, shuffles)
    var sum = 0
    let firstRows = recordRows.map { count in
      defer { sum += count }
      return sum
    }
    allRows = sum
    var set = 0
    let own: [SetQuota] =
      quotas.isEmpty
      ? []
      : firstRows.map { row in
        while set + 1 < quotas.count && quotas[set + 1].firstRow <= row { set += 1 }
        return quotas[set]
      }
    let counts = recordRows.indices.map { record in
      own.isEmpty
        ? recordRows[record]
        : own[record].count(firstRows[record]..<(firstRows[record] + recordRows[record]), epoch: epoch)
    }
    (self.firstRows, self.quotas) = (firstRows, own)
    rows = counts.reduce(0, +)
    if recordBytes.reduce(0, +) <= memory {
      groups = [Array(recordRows.indices)]
    } else {
      var random = CounterRandom(seed: seed, epoch: epoch, sample: 1, purpose: Self.purpose)
      var groups: [[Int]] = []
      var bytes = Int.max / 2
      for record in shuffles ? random.permutation(recordRows.count) : Array(recordRows.indices) {
        // This epoch takes nothing of it, so it need not be read.
        if counts[record] == 0 { continue }
        if bytes + recordBytes[record] > memory / 2 {
          groups.append([])
          bytes = 0
        }
        groups[groups.count - 1].append(record)
        bytes += recordBytes[record]
      }
      self.groups = groups
    }
    var start = 0
    starts = groups.map { group in
      defer { start += group.reduce(0) { $0 + counts[$1] } }
      return start
    }
  }

  /// The rows at these places of the epoch.
  public func rows(_ places: Range<Int>) -> [Int] {
    groupNumbers(at: places).flatMap { number in
      let order = order(ofGroup: number)
      let start = starts[number]
      return order[max(0, places.lowerBound - start)..<min(order.count, places.upperBound - start)]
    }
  }

  /// All records of the groups that these places lie in.
  func records(at places: Range<Int>) -> Set<Int> { Set(groupNumbers(at: places).flatMap { groups[$0] }) }

  private func groupNumbers(at places: Range<Int>) -> [Int] {
    groups.indices.filter { number in
      let end = number + 1 < starts.count ? starts[number + 1] : rows
      return starts[number] < places.upperBound && end > places.lowerBound
    }
  }

  /// With repetitions.
  private func rows(ofRecord record: Int) -> [Int] {
    let own = firstRows[record]..<(firstRows[record] + recordRows[record])
    if quotas.isEmpty { return Array(own) }
    return own.flatMap { row in
      (0..<quotas[record].count(row..<(row + 1), epoch: epoch)).map { row + $0 * allRows }
    }
  }

  private func order(ofGroup number: Int) -> [Int] {
    if let last, last.group == number { return last.rows }
    let own = groups[number].flatMap { rows(ofRecord: $0) }
    var result = own
    if shuffles {
      // Number 0 orders a set that fits, 1 the records of one that does not, those from 2 on its groups.
      let sample = groups.count == 1 ? 0 : number + 2
      var random = CounterRandom(seed: seed, epoch: epoch, sample: sample, purpose: Self.purpose)
      result = random.permutation(own.count).map { own[$0] }
    }
    last = (number, result)
    return result
  }
}
