import Foundation
import Parallel

/// How well clusters agree with classes, which they were made without.
public enum ClusterFigures {
  static let names = ["nmi", "ari", "purity"]

  /// Normalised mutual information (by the mean of the two entropies), the adjusted Rand index (Hubert & Arabie 1985) and purity, the
  /// share of images that are of their cluster's most frequent class.
  /// - Parameters:
  ///   - labels, clusters: one an image, from 0 on; at least one image.
  public static func of(
    labels: [Int32], clusters: [Int32], bootstrap: Bootstrap, threads: ThreadPool
  ) -> [Figure] {
    precondition(labels.count == clusters.count && !labels.isEmpty)
    let (classes, groups) = (Int(labels.max() ?? 0) + 1, Int(clusters.max() ?? 0) + 1)
    func compute(_ times: (Int) -> Double, _ out: UnsafeMutableBufferPointer<Double>) {
      var table = [Double](repeating: 0, count: classes * groups)
      for row in labels.indices { table[Int(labels[row]) * groups + Int(clusters[row])] += times(row) }
      let found = Contingency(table, groups: groups)
      (out[0], out[1], out[2]) = (found.mutualInformation, found.adjustedRand, found.purity)
    }
    var values = [Double](repeating: 0, count: names.count)
    values.withUnsafeMutableBufferPointer { compute({ _ in 1 }, $0) }
    let intervals = bootstrap.intervals(
      about: values, rows: labels.count, figures: names.count, threads: threads
    ) { drawn, out in
      compute({ Double(drawn[$0]) }, out)
    }
    return names.enumerated().map { place, name in
      // None of them is above 1.
      Figure(name, values[place], intervals[place].map { min(1, $0.lowerBound)...min(1, $0.upperBound) })
    }
  }
}

/// How many images are of a class and in a cluster.
private struct Contingency {
  private let table: [Double]
  private let groups: Int
  private let total: Double
  private var (classSums, groupSums): ([Double], [Double])

  init(_ table: [Double], groups: Int) {
    (self.table, self.groups) = (table, groups)
    total = table.reduce(0, +)
    classSums = [Double](repeating: 0, count: table.count / groups)
    groupSums = [Double](repeating: 0, count: groups)
    for (place, count) in table.enumerated() {
      classSums[place / groups] += count
      groupSums[place % groups] += count
    }
  }

  private func entropy(_ sums: [Double]) -> Double {
    -sums.reduce(0) { $1 > 0 ? $0 + $1 / total * log($1 / total) : $0 }
  }

  var mutualInformation: Double {
    // One class and one cluster agree as well as can be.
    if classSums.count(where: { $0 > 0 }) == 1 && groupSums.count(where: { $0 > 0 }) == 1 { return 1 }
    var information = 0.0
    for (place, count) in table.enumerated() where count > 0 {
      information += count / total * log(count * total / (classSums[place / groups] * groupSums[place % groups]))
    }
    let normaliser = (entropy(classSums) + entropy(groupSums)) / 2
    return normaliser > 0 ? max(0, information) / normaliser : 0
  }

  var adjustedRand: Double {
    func pairs(_ counts: [Double]) -> Double { counts.reduce(0) { $0 + $1 * ($1 - 1) / 2 } }
    let (both, classes, groups) = (pairs(table), pairs(classSums), pairs(groupSums))
    let expected = classes * groups / (total * (total - 1) / 2)
    let most = (classes + groups) / 2
    return most == expected || total < 2 ? 1 : (both - expected) / (most - expected)
  }

  var purity: Double {
    var sum = 0.0
    for group in 0..<groups {
      sum += stride(from: group, to: table.count, by: groups).reduce(0) { max($0, table[$1]) }
    }
    return sum / total
  }
}
