import TensorStream

/// What turns pixels into a network's input, (pixel / 255 − mean) / std: for each channel its mean and standard deviation over a set of
/// images, of values from 0 to 1. The metadata `mean` and `std` of images, views, weights and checkpoints.
public struct Normalisation: Equatable, Sendable {
  public let mean: [Double]
  public let std: [Double]

  public init(mean: [Double], std: [Double]) {
    self.mean = mean
    self.std = std
  }

  /// From a record's metadata; nil where neither key is there. A deviation may be 0, of a channel that is the same everywhere:
  /// `requireUsable` says whether a network can be given such pixels.
  /// - Parameter channels: how many values are expected; nil for any.
  /// - Throws: `Failure(.data)` where one of the two is missing, or a value is not finite.
  public init?(of record: Record, channels: Int? = nil, source: String) throws {
    let fields = MetadataFields(record, source: source)
    let mean = try fields.value(MetadataKey.mean, [Double].self)
    let std = try fields.value(MetadataKey.std, [Double].self)
    if mean == nil && std == nil { return nil }
    guard let mean, let std else {
      throw Failure(.data, "\(source): has no \"\(mean == nil ? MetadataKey.mean : MetadataKey.std)\"")
    }
    self.init(mean: mean, std: std)
    try require(channels: channels ?? mean.count, source: source)
  }

  /// Throws `Failure(.data)` where these are not values for so many channels.
  public func require(channels count: Int, source: String) throws {
    guard mean.count == std.count, mean.allSatisfy(\.isFinite), std.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw Failure(
        .data, "\(source): mean \(mean) and std \(std): expected as many finite values each, std 0 or more")
    }
    guard mean.count == count else {
      throw Failure(
        .data,
        "\(source): mean and std are of \(counted(mean.count, "channel")): expected \(count), as --channels says or a model has"
      )
    }
  }

  /// Throws `Failure(.data)` where a channel has no variance: its pixels cannot be divided by the deviation.
  public func requireUsable(source: String) throws {
    guard let channel = std.firstIndex(where: { !($0 > 0) }) else { return }
    throw Failure(
      .data,
      "\(source): channel \(channel) of \(std.count) has no variance (std \(std)), and a network's input is divided by it: give pmae-augment others with --mean and --std"
    )
  }

  /// The two keys.
  public func metadata() throws -> [String: String] {
    [MetadataKey.mean: try JSONText.encode(mean), MetadataKey.std: try JSONText.encode(std)]
  }
}
