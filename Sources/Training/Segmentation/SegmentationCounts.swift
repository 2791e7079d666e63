import Ranks
import Schemas

/// How often each class is right, said and true among the pixels of some pictures. What mmsegmentation's figures are made of.
///
///     var counts = SegmentationCounts(classes: 3)
///     counts.add(predicted: [0, 1, 1, 2], labels: [0, 1, 2, 255])
///     print(counts.meanIoU)                          // (1 + 1/2 + 0) / 3
public struct SegmentationCounts: Equatable, Sendable {
  /// Pixels of each class [K].
  public struct Pixels: Equatable, Sendable {
    /// Of the class, and said to be.
    public internal(set) var right: [Double]
    /// Said to be of the class.
    public internal(set) var predicted: [Double]
    /// Of the class.
    public internal(set) var labelled: [Double]

    public init(classes: Int) {
      right = Array(repeating: 0, count: classes)
      (predicted, labelled) = (right, right)
    }

    /// Adds another's, each so often.
    public mutating func add(_ other: Pixels, times: Double = 1) {
      for k in right.indices {
        right[k] += times * other.right[k]
        predicted[k] += times * other.predicted[k]
        labelled[k] += times * other.labelled[k]
      }
    }

    /// Right over right, wrongly said and missed together; NaN for a class that is neither labelled nor said.
    public func iou(_ label: Int) -> Double {
      right[label] / (predicted[label] + labelled[label] - right[label])
    }
    /// The share of a class's pixels that are right; NaN for a class without pixels.
    public func accuracy(_ label: Int) -> Double { right[label] / labelled[label] }

    /// mIoU: the mean over classes that have one. A class that is said but never labelled has 0, and counts.
    public var meanIoU: Double { mean { self.iou($0) } }
    /// mAcc: the mean accuracy of the classes that have pixels.
    public var meanAccuracy: Double { mean { self.accuracy($0) } }
    /// aAcc: the share of all pixels that are right.
    public var pixelAccuracy: Double { right.reduce(0, +) / labelled.reduce(0, +) }

    private func mean(_ value: (Int) -> Double) -> Double {
      var (sum, count) = (0.0, 0.0)
      for k in right.indices {
        let value = value(k)
        if !value.isNaN { (sum, count) = (sum + value, count + 1) }
      }
      return sum / count
    }
  }

  /// K.
  public let classes: Int
  /// Pixels by class and by prediction [K, K]: row k is what the pixels of class k are taken for.
  public private(set) var confusion: [Int]

  public init(classes: Int) {
    precondition((1...255).contains(classes))
    self.classes = classes
    confusion = Array(repeating: 0, count: classes * classes)
  }

  /// Those of all ranks.
  public func total(over ranks: Ranks) -> SegmentationCounts {
    var total = self
    total.confusion = ranks.sum([confusion])
    return total
  }

  /// Counts the pixels of a picture, or of a part of one.
  /// - Precondition: as many of each; labels are below K or `MaskClasses.ignored`, and what is said of the others is below K.
  public mutating func add(predicted: UnsafeBufferPointer<UInt8>, labels: UnsafeBufferPointer<UInt8>) {
    precondition(predicted.count == labels.count)
    let classes = classes
    confusion.withUnsafeMutableBufferPointer { confusion in
      for i in labels.indices where labels[i] != MaskClasses.ignored {
        precondition(labels[i] < classes && predicted[i] < classes)
        confusion[Int(labels[i]) &* classes &+ Int(predicted[i])] &+= 1
      }
    }
  }

  public mutating func add(predicted: [UInt8], labels: [UInt8]) {
    predicted.withUnsafeBufferPointer { predicted in
      labels.withUnsafeBufferPointer { add(predicted: predicted, labels: $0) }
    }
  }

  /// Adds the pixels of other pictures.
  public mutating func add(_ other: SegmentationCounts) {
    precondition(other.classes == classes)
    for i in confusion.indices { confusion[i] += other.confusion[i] }
  }

  public var pixels: Pixels {
    var pixels = Pixels(classes: classes)
    for label in 0..<classes {
      for predicted in 0..<classes {
        let count = Double(confusion[label * classes + predicted])
        pixels.labelled[label] += count
        pixels.predicted[predicted] += count
        if label == predicted { pixels.right[label] = count }
      }
    }
    return pixels
  }

  /// mIoU, from 0 to 1; NaN where no pixel is labelled.
  public var meanIoU: Double { pixels.meanIoU }
  /// mAcc, from 0 to 1; NaN where no pixel is labelled.
  public var meanAccuracy: Double { pixels.meanAccuracy }
  /// aAcc, from 0 to 1; NaN where no pixel is labelled.
  public var pixelAccuracy: Double { pixels.pixelAccuracy }
}
