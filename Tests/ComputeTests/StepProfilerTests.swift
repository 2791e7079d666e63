import Compute
import Foundation
import Testing

/// The arithmetic of --profile, on steps whose figures are known.
struct StepProfilerTests {
  /// Two steps to warm up, then three of 0.25, 0.5 and 0.25 s.
  private func report() -> (messages: [String], json: String?) {
    let engine = Engine(threads: 1, profiling: true)
    let profiler = StepProfiler(engine)
    for seconds in [9, 9, 0.25, 0.5, 0.25] {
      engine.measure(.linear, flop: 2_000_000_000, values: 250_000_000) { _ = usleep(2000) }
      engine.measure(.linear, flop: 1_000_000_000, values: 250_000_000) {}
      engine.measure(.norm, values: 25_000_000) {}
      profiler.note(seconds, images: 10)
    }
    return profiler.report()
  }
  private func messages() -> [String] { report().messages }

  /// The other form has the same figures.
  @Test func asJSON() throws {
    let (messages, text) = report()
    let line = try #require(text)
    #expect(!line.contains("\n"))
    let json = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let expected: [String: Double] = [
      "steps": 3, "warmup_steps": 2, "threads": 1, "seconds": 1, "seconds_per_step": 0.25, "images_per_second": 40,
      "gflop_per_step": 3, "gflop_per_second": 12,
    ]
    for (key, value) in expected {
      #expect(abs(try #require(json[key] as? Double) - value) < 1e-9, "\(key)")
    }
    #expect(json["precision"] as? String == "float32")
    #expect(try #require(json["peak_gflop_per_second"] as? Double) > 0.1)
    #expect(try #require(json["peak_memory_mib"] as? Double) > 1)
    let operations = try #require(json["operations"] as? [[String: Any]])
    #expect(operations.compactMap { $0["name"] as? String } == ["norms", "linear layers", "all else"])
    #expect(operations.compactMap { $0["calls"] as? Int } == [3, 6, 0])
    #expect(abs(try #require(operations[1]["gflop"] as? Double) - 9) < 1e-9)
    #expect(abs(try #require(operations[1]["gigabytes"] as? Double) - 6) < 1e-9)
    #expect(rows(messages[0]).count == 4)
  }

  /// The cells of a table's row, without commas: calls, ms, share, GFLOP, MB, GFLOP/s, of peak, GB/s, s, GFLOP, GB.
  private func rows(_ table: String) -> [(name: String, cells: [String])] {
    table.components(separatedBy: "\n").dropFirst(3).map { line in
      let words = line.dropFirst(26).replacing(",", with: "").split(separator: " ").map(String.init)
      return (line.prefix(26).trimmingCharacters(in: .whitespaces), words)
    }
  }

  @Test func rowsAreWhatWasMeasured() throws {
    let rows = rows(messages()[0])
    #expect(rows.map(\.name) == ["norms", "linear layers", "all else", "total"])
    let (norms, linear, rest, total) = (rows[0].cells, rows[1].cells, rows[2].cells, rows[3].cells)
    #expect([linear[0], linear[3], linear[4]] == ["2.0", "3.000", "2000.00"])
    #expect([linear[9], linear[10]] == ["9.00", "6.000"])
    #expect(
      [norms[0], norms[3], norms[4], norms[5], norms[6], norms[9], norms[10]] == [
        "1.0", "-", "100.00", "-", "-", "-", "0.300",
      ])
    #expect(rest[0] == "-" && rest[3] == "-" && rest[10] == "-")
    #expect(
      total == ["3.0", "333.333", "100.0%", "3.000", "2100.00", "9.0", total[6], "6.3", "1.000", "9.00", "6.300"])
    // Three sleeps of 2 ms, or a little longer, by the clock.
    let seconds = try #require(Double(linear[8]))
    #expect(seconds >= 0.006 && seconds < 0.5)
  }

  @Test func partsAddUpToTheTotal() throws {
    let rows = rows(messages()[0])
    let parts = rows.dropLast()
    // Milliseconds, share, seconds: each cell is rounded.
    for (column, rounding) in [(1, 0.0005), (2, 0.05), (8, 0.0005)] {
      func value(_ cell: String) throws -> Double { try #require(Double(cell.replacing("%", with: ""))) }
      let sum = try parts.reduce(0) { $0 + (try value($1.cells[column])) }
      let total = try value(try #require(rows.last).cells[column])
      #expect(abs(sum - total) <= rounding * Double(rows.count) + 1e-9, "column \(column)")
    }
  }

  @Test func theSummaryIsTheMedianStep() throws {
    let found = try #require(
      try #/profile: 40\.00 images/s, 0\.2500 s and 3\.000 GFLOP a step, 12\.00 GFLOP/s, peak memory ([\d,]+) MiB/#
        .wholeMatch(in: messages()[1]))
    #expect(try #require(Int(found.1.replacing(",", with: ""))) > 1)
  }

  /// 12 GFLOP/s of what the machine has.
  @Test func theHeadComparesWithTheMachine() throws {
    let head = try #require(messages()[0].components(separatedBy: "\n").first)
    #expect(head.hasPrefix("profile of 3 steps in 1.000 s after 2 to warm up; threads: 1; kernels: "))
    let found = try #require(
      try #/.* in float32 reaches ([\d.,]+) GFLOP/s, of which the median step has ([\d.,]+)%/#.wholeMatch(in: head))
    let peak = try #require(Double(found.1.replacing(",", with: "")))
    let share = try #require(Double(found.2.replacing(",", with: "")))
    #expect(abs(share - 100 * 12 / peak) <= 0.05 + 0.001 * share)
  }

  @Test func stepsToWarmUpAreNoProfile() {
    let profiler = StepProfiler(Engine(threads: 1, profiling: true))
    profiler.note(1, images: 1)
    profiler.note(1, images: 1)
    let (messages, json) = profiler.report()
    #expect(messages == ["profile: of 2 steps the first 2 warm up, so there is nothing to tell"])
    #expect(json == nil)
  }
}
