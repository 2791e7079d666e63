import Foundation
import Imaging
import TensorStream

/// What timm made of two pictures, and how it and torchvision draw: Fixtures/make_timm.py says how.
struct TimmFixtures {
  struct Case: Decodable, CustomStringConvertible {
    let operation: String
    let source: String
    let result: String
    var number: Int?
    var argument: Float?
    var filter: Int?
    var seed: UInt32?
    var boxes: [[Int]]?
    var parameters: [String: Float]?

    var description: String { "\(operation) \(number ?? 0) of \(argument ?? 0), case \(result)" }
  }

  /// Of some values the share of `count` draws that is not above it.
  struct Shares: Decodable {
    let count: Int
    let points: [Double]
    let shares: [Double]

    /// The largest difference between their shares and those of `values`, over the bound that two samples of one distribution exceed
    /// once in a thousand times (Kolmogorov and Smirnov).
    func distance(to values: [Double]) -> Double {
      let sorted = values.sorted()
      let bound = 1.95 * (1 / Double(count) + 1 / Double(max(1, values.count))).squareRoot()
      var place = 0
      return zip(points, shares).map { point, share in
        while place < sorted.count && sorted[place] <= point { place += 1 }
        return abs(Double(place) / Double(max(1, sorted.count)) - share) / bound
      }.max() ?? .infinity
    }
  }

  let cases: [Case]
  let draws: [String: Shares]
  private let record: Record

  init() throws {
    record = try readTensors(path: PillowFixtures.folder.appendingPathComponent("timm.safetensors").path)
    cases = try JSONText.decode([Case].self, from: record.metadata["cases"] ?? "", what: "cases")
    draws = try JSONText.decode([String: Shares].self, from: record.metadata["draws"] ?? "", what: "draws")
  }

  func picture(_ name: String) throws -> Picture {
    guard let tensor = record[name] else { throw Failure(.data, "no fixture named \(name)") }
    return Picture(
      height: tensor.shape[0], width: tensor.shape[1], channels: tensor.shape[2],
      pixels: try tensor.values(of: UInt8.self))
  }
}
