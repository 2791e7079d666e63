import Training

/// The pictures on which a model is worst, small enough to show: those with the lowest share of right pixels.
public struct WorstPictures: Sendable {
  public struct Entry: Sendable {
    /// The picture's number in its set, and its file where that is known.
    public let index: Int64
    public let name: String?
    /// mIoU of the picture alone, and the share of its pixels that are right.
    public let meanIoU: Double
    public let accuracy: Double
    public let height: Int
    public let width: Int
    /// [height, width, channels] of the picture.
    public let pixels: [UInt8]
    public let channels: Int
    /// [height, width].
    public let predicted: [UInt8]
    public let labels: [UInt8]
  }

  private let most: Int
  /// The worst first; of equal ones in their order.
  public private(set) var entries: [Entry] = []
  /// The longer side of what is kept, at most.
  static let side = 384

  /// - Parameter most: how many are kept.
  public init(most: Int) { self.most = most }

  /// Looks at one picture.
  /// - Parameters:
  ///   - view: the picture at any size, [height, width, channels].
  ///   - predicted, labels: the maps, [height, width] both, perhaps of another size than the view.
  ///   - counts: of this picture alone.
  public mutating func add(
    index: Int64, name: String?, view: (pixels: [UInt8], height: Int, width: Int, channels: Int),
    predicted: [UInt8], labels: [UInt8], size: (height: Int, width: Int), counts: SegmentationCounts
  ) {
    let accuracy = counts.pixelAccuracy
    if most == 0 || accuracy.isNaN { return }
    if entries.count == most, let last = entries.last, accuracy >= last.accuracy { return }
    let scale = min(1, Double(Self.side) / Double(max(size.height, size.width)))
    let height = max(1, Int(Double(size.height) * scale))
    let width = max(1, Int(Double(size.width) * scale))
    func smaller(_ values: [UInt8], _ from: (height: Int, width: Int), channels: Int) -> [UInt8] {
      var result: [UInt8] = []
      result.reserveCapacity(height * width * channels)
      for y in 0..<height {
        let row = y * from.height / height * from.width
        for x in 0..<width {
          let start = (row + x * from.width / width) * channels
          result.append(contentsOf: values[start..<start + channels])
        }
      }
      return result
    }
    let entry = Entry(
      index: index, name: name, meanIoU: counts.meanIoU, accuracy: accuracy, height: height, width: width,
      pixels: smaller(view.pixels, (view.height, view.width), channels: view.channels), channels: view.channels,
      predicted: smaller(predicted, size, channels: 1), labels: smaller(labels, size, channels: 1))
    entries.insert(entry, at: entries.firstIndex { $0.accuracy > accuracy } ?? entries.count)
    if entries.count > most { entries.removeLast() }
  }
}
