import Foundation
import TensorStream

/// What a run wrote into `metrics.jsonl`: a number a step for each name.
public struct RunMetrics: Sendable {
  /// The folder's name.
  public let name: String
  /// The run's `config.json`; nil where there is none.
  public let configuration: String?
  /// For each metric its steps and values, in order. A value that is null or absent in a line has no point.
  public private(set) var series: [String: [(step: Double, value: Double)]] = [:]

  /// - Parameter path: a run folder.
  /// - Throws: `Failure(.noInput)` where there are no metrics, `.data` that names the line that is none. A last line without its end, which
  ///   a run is about to write, is passed over.
  public init(_ path: String) throws {
    name = path
    let file = RunFolder(path).metrics
    configuration = FileManager.default.contents(atPath: RunFolder(path).configuration).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw Failure(.noInput, "\(path): not a run folder: there is no \(file)")
    }
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    _ = lines.popLast()
    for (number, line) in lines.enumerated() {
      guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
        let step = (object["step"] as? NSNumber)?.doubleValue
      else { throw Failure(.data, "\(file): line \(number + 1): expected a JSON object with a step") }
      for (key, value) in object where key != "step" {
        if let value = value as? NSNumber { series[key, default: []].append((step, value.doubleValue)) }
      }
    }
    if series.isEmpty { throw Failure(.data, "\(file): holds no step yet") }
  }

  /// A metric in at most `limit` points, since a drawing cannot show more. Each is the mean of equally many neighbours.
  public func points(_ metric: String, limit: Int) -> [(step: Double, value: Double)] {
    let all = series[metric] ?? []
    let size = max(1, (all.count + limit - 1) / limit)
    return stride(from: 0, to: all.count, by: size).map { start in
      let part = all[start..<min(start + size, all.count)]
      let n = Double(part.count)
      return (part.reduce(0) { $0 + $1.step } / n, part.reduce(0) { $0 + $1.value } / n)
    }
  }
}
