import Evaluation
import Foundation
import Testing

@Suite struct SampleTests {
  private struct Expected: Decodable {
    let values: [Double]
    let mean, median, least, most: Double
    let deviation: Double?
  }

  private static let fixture =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    + "/Fixtures/tables/samples.jsonl"

  @Test func agreesWithPython() throws {
    let lines = try String(contentsOfFile: Self.fixture, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 14)
    for line in lines {
      let expected = try JSONDecoder().decode(Expected.self, from: Data(line.utf8))
      let sample = Sample(expected.values)
      func isNear(_ value: Double, _ other: Double) -> Bool { abs(value - other) <= 1e-12 * max(abs(other), 1e-12) }
      #expect(sample.count == expected.values.count)
      #expect(isNear(sample.mean, expected.mean), "\(line)")
      #expect(isNear(sample.median, expected.median), "\(line)")
      #expect(sample.least == expected.least && sample.most == expected.most)
      #expect((sample.deviation == nil) == (expected.deviation == nil))
      if let mine = sample.deviation, let theirs = expected.deviation { #expect(isNear(mine, theirs), "\(line)") }
    }
  }
}
