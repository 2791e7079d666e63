import TensorStream

/// What turns pixels into a network's input, (pixel / 255 − mean) / std, a value per channel.
public struct Normalisation: Equatable, Sendable {
  public let mean: [Float]
  public let std: [Float]

  public init(mean: [Float], std: [Float]) {
    self.mean = mean
    self.std = std
  }

  /// From `mean` and `std` of a file's metadata; nil where neither is there.
  /// - Parameter channels: how many values are expected; nil for any.
  init?(_ metadata: [String: String], channels: Int?, source: String) throws {
    guard metadata["mean"] != nil || metadata["std"] != nil else { return nil }
    func values(_ key: String) throws -> [Float] {
      guard let text = metadata[key] else { throw Failure(.data, "\(source): has no \"\(key)\"") }
      return try JSONText.decode([Float].self, from: text, what: "\(source): metadata \"\(key)\"")
    }
    (mean, std) = (try values("mean"), try values("std"))
    let channels = channels ?? mean.count
    guard mean.count == channels, std.count == channels, mean.allSatisfy(\.isFinite),
      std.allSatisfy({ $0.isFinite && $0 > 0 })
    else {
      throw Failure(
        .data, "\(source): mean \(mean) and std \(std): expected \(channels) finite values each, std above 0")
    }
  }

  func metadata() throws -> [String: String] {
    ["mean": try JSONText.encode(mean), "std": try JSONText.encode(std)]
  }
}
