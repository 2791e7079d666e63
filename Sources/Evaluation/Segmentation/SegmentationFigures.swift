import Parallel
import Training

/// mmsegmentation's figures of maps of class ids, each with the interval that the bootstrap over pictures gives.
public struct SegmentationFigures: Sendable {
  /// One class that is labelled or said somewhere.
  public struct Class: Sendable {
    public let label: Int
    /// Of the class, and said to be.
    public let pixels: Int
    public let predicted: Int
    /// `iou`, and `accuracy` where the class has pixels.
    public let figures: [Figure]
  }

  /// `mIoU`, `mAcc` and `aAcc`, from 0 to 1: means over the classes that have one, and the share of all pixels that are right.
  public let whole: [Figure]
  public let classes: [Class]
  /// How often pixels of a class are taken for a class, where that is above 0: by label, then by prediction.
  public let confusion: [(label: Int, predicted: Int, pixels: Int)]

  /// - Parameters:
  ///   - score: of at least one picture.
  ///   - isDetailed: whether figures of classes have intervals too.
  public init(_ score: SegmentationScore, bootstrap: Bootstrap, isDetailed: Bool, threads: ThreadPool) {
    let count = score.counts.classes
    func values(_ pixels: SegmentationCounts.Pixels) -> [Double] {
      let whole = [pixels.meanIoU, pixels.meanAccuracy, pixels.pixelAccuracy]
      return whole + (isDetailed ? (0..<count).flatMap { [pixels.iou($0), pixels.accuracy($0)] } : [])
    }
    let pixels = score.counts.pixels
    let found = values(pixels)
    let intervals = bootstrap.intervals(rows: score.pictures.count, figures: found.count, threads: threads) {
      drawn, out in
      var resample = SegmentationCounts.Pixels(classes: count)
      for (picture, times) in zip(score.pictures, drawn) where times > 0 { resample.add(picture, times: Double(times)) }
      for (place, value) in values(resample).enumerated() { out[place] = value }
    }
    whole = ["mIoU", "mAcc", "aAcc"].enumerated().map { Figure($1, found[$0], intervals[$0]) }
    classes = (0..<count).compactMap { label in
      if pixels.labelled[label] + pixels.predicted[label] == 0 { return nil }
      let place = 3 + 2 * label
      let figures = [("iou", pixels.iou(label)), ("accuracy", pixels.accuracy(label))].enumerated().compactMap {
        $1.1.isNaN ? nil : Figure($1.0, $1.1, isDetailed ? intervals[place + $0] : nil)
      }
      return Class(
        label: label, pixels: Int(pixels.labelled[label]), predicted: Int(pixels.predicted[label]), figures: figures)
    }
    confusion = score.counts.confusion.enumerated().compactMap { place, pixels in
      pixels == 0 ? nil : (place / count, place % count, pixels)
    }
  }
}
