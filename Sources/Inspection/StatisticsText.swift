// --statistics: what a set of pictures is like, as text and as JSON.

import CommandLineKit
import Foundation
import Imaging
import Parallel
import Schemas
import TensorStream

/// `--statistics`.
public func printStatistics(_ operand: InspectedFile, threads: Int, limit: Int, json: Bool) throws {
  let stream = try ImageRecords(path: operand.path, isFile: operand.byteCount != nil)
  var statistics = ImageStatistics(limit: limit)
  let progress = Progress(
    tool: "pmae-inspect", what: "pictures", total: stream.rows, quiet: isatty(STDERR_FILENO) != 1)
  try statistics.read(stream, pool: ThreadPool(threads: threads)) { progress.update($0) }
  progress.finish()
  let classes = try ClassNames.of(stream.header, source: operand.name)
  let report = StatisticsReport(
    name: operand.name, statistics: statistics, classes: classes ?? [],
    masks: try MaskClasses.of(stream.header, source: operand.name))
  try StandardOutput.write(json ? report.json() + "\n" : report.text)
}

struct StatisticsReport {
  let name: String
  let statistics: ImageStatistics
  let classes: [String]
  /// nil for pictures without masks.
  let masks: MaskClasses?

  private func className(_ label: Int32) -> String? {
    classes.indices.contains(Int(label)) ? classes[Int(label)] : nil
  }

  /// Shorter sides by powers of two: what fits which model.
  private var bins: [(range: Range<Int>, count: Int)] {
    var counts: [Int: Int] = [:]
    for (side, count) in statistics.shorterSides.counts {
      counts[Int.bitWidth - 1 - side.leadingZeroBitCount, default: 0] += count
    }
    guard let first = counts.keys.min(), let last = counts.keys.max() else { return [] }
    return (first...last).map { (1 << $0..<1 << ($0 + 1), counts[$0] ?? 0) }
  }

  var text: String {
    let s = statistics
    var lines = ["\(printable(name)): \(counted(s.count, "picture"))"]
    func add(_ key: String, _ value: String) {
      lines.append("  \(key.padding(toLength: 14, withPad: " ", startingAt: 0)) \(value)")
    }
    func add(rows: [Int], of count: Int) {
      if count > 0 {
        let shown = rows.map { printable(s.names.picture($0, row: $0)) }
        add("", "rows " + shown.joined(separator: ", ") + (count > rows.count ? ", …" : ""))
      }
    }
    func spread(_ tally: ImageStatistics.Tally, _ shown: (Int) -> String) -> String {
      guard let low = tally.minimum, let middle = tally.median, let high = tally.maximum else { return "none" }
      return "least \(shown(low)), median \(shown(middle)), greatest \(shown(high))"
    }
    add("height", spread(s.heights) { "\($0)" })
    add("width", spread(s.widths) { "\($0)" })
    add("width / height", spread(s.aspects) { String(format: "%.2f", Double($0) / 1000) })
    let widest = bins.map(\.count).max() ?? 0
    for (i, bin) in bins.enumerated() {
      let range = "\(bin.range.lowerBound)-\(bin.range.upperBound - 1)".padding(
        toLength: 12, withPad: " ", startingAt: 0)
      let count = grouped(bin.count)
      let bar = String(repeating: "#", count: (bin.count * 40 + widest - 1) / max(widest, 1))
      add(
        i == 0 ? "shorter side" : "",
        range + String(repeating: " ", count: max(0, 10 - count.count)) + count + "  " + bar)
    }
    if let mean = s.mean, let deviation = s.deviation {
      func shown(_ values: [Double]) -> String { values.map { String(format: "%.4f", $0) }.joined(separator: " ") }
      add("mean", "\(shown(mean)) (red, green, blue; 0 is black, 1 white)")
      add("deviation", shown(deviation))
    }
    add("grey", counted(s.greyCount, "picture"))
    add(
      "duplicates",
      s.duplicateCount == 0
        ? "none"
        : "\(counted(s.duplicateCount, "picture")) equal to an earlier one in size and pixels, in \(counted(s.duplicateGroups, "group"))"
    )
    for group in s.duplicates { add(rows: [group.first] + group.others.first, of: group.others.count + 1) }
    if s.duplicateGroups > s.duplicates.count { add("", "… (--limit)") }
    add(
      "near black",
      "\(counted(s.nearBlack.count, "picture")) (mean below \(Int(ImageStatistics.nearBlackBelow)) of 255)")
    add(rows: s.nearBlack.first, of: s.nearBlack.count)
    add(
      "of one colour",
      "\(counted(s.plain.count, "picture")) (deviation below \(Int(ImageStatistics.plainBelow)) of 255)")
    add(rows: s.plain.first, of: s.plain.count)
    add("broken", counted(s.broken.count, "picture"))
    for (_, reason) in s.broken.first { add("", shortened(printable(reason))) }
    if s.broken.count > s.broken.first.count { add("", "… (--limit)") }
    add("classes", s.labels.isEmpty ? "no labels" : grouped(s.labels.count))
    for (label, count) in s.labels.sorted(by: { $0.key < $1.key }) {
      let number = grouped(count)
      add(
        "",
        String(repeating: " ", count: max(0, 10 - number.count)) + number + "  \(label)"
          + (className(label).map { " " + shortened(printable($0), to: 60) } ?? ""))
    }
    for (label, name) in classes.enumerated() where s.labels[Int32(label)] == nil {
      add("", "         0  \(label) \(shortened(printable(name), to: 60))")
    }
    lines += MaskShares(statistics, masks)?.lines(add: 14) ?? []
    return lines.joined(separator: "\n") + "\n"
  }

  /// Keys: `name`, `count`, `height`, `width`, `aspect` (min, median, max), `shorter_side` (lists of from, to and count), `mean`,
  /// `deviation`, `pixels`, `grey`, `duplicates`, `near_black`, `plain`, `broken` (with counts, and the first rows with their names,
  /// null where they are not known), `classes`; with masks `mask_classes`.
  func json() throws -> String {
    let s = statistics
    func spread(_ tally: ImageStatistics.Tally, scale: Double = 1) -> Any {
      guard let low = tally.minimum, let middle = tally.median, let high = tally.maximum else { return NSNull() }
      func value(_ number: Int) -> Any { scale == 1 ? number : Double(number) / scale }
      return ["min": value(low), "median": value(middle), "max": value(high)]
    }
    func fileName(_ row: Int) -> Any { (s.names?.known(row)).map { $0 as Any } ?? NSNull() }
    var object: [String: Any] = [
      "name": name, "count": s.count, "height": spread(s.heights), "width": spread(s.widths),
      "aspect": spread(s.aspects, scale: 1000),
      "shorter_side": bins.map { [$0.range.lowerBound, $0.range.upperBound - 1, $0.count] },
      "mean": s.mean ?? NSNull(), "deviation": s.deviation ?? NSNull(), "pixels": s.pixels, "grey": s.greyCount,
      "duplicates": [
        "count": s.duplicateCount, "groups": s.duplicateGroups,
        "rows": s.duplicates.map { [$0.first] + $0.others.first },
        "names": s.duplicates.map { ([$0.first] + $0.others.first).map(fileName) },
      ],
      "near_black": [
        "count": s.nearBlack.count, "rows": s.nearBlack.first, "names": s.nearBlack.first.map(fileName),
      ],
      "plain": ["count": s.plain.count, "rows": s.plain.first, "names": s.plain.first.map(fileName)],
      "broken": [
        "count": s.broken.count,
        "pictures": s.broken.first.map {
          ["row": $0.row, "name": fileName($0.row), "reason": $0.reason] as [String: Any]
        },
      ],
      "classes": s.labels.sorted { $0.key < $1.key }.map { label, count in
        ["label": Int(label), "name": className(label) as Any? ?? NSNull(), "count": count] as [String: Any]
      },
    ]
    object["mask_classes"] = MaskShares(statistics, masks)?.json
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }
}
