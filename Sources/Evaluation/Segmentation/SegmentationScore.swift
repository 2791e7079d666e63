import Training

/// How well maps of class ids fit labels, added up picture by picture.
public struct SegmentationScore: Sendable {
  /// Of all pictures together.
  public private(set) var counts: SegmentationCounts
  /// Of each picture, in their order.
  public private(set) var pictures: [SegmentationCounts.Pixels] = []

  /// - Parameter classes: K, from 1 to 255.
  public init(classes: Int) { counts = SegmentationCounts(classes: classes) }

  /// Counts one picture whole.
  /// - Parameters:
  ///   - predicted: the class of each pixel, below K.
  ///   - labels: as many: below K, or 255 for a pixel that counts for nothing.
  public mutating func add(predicted: UnsafeBufferPointer<UInt8>, labels: UnsafeBufferPointer<UInt8>) {
    var own = SegmentationCounts(classes: counts.classes)
    own.add(predicted: predicted, labels: labels)
    add(own)
  }

  public mutating func add(predicted: [UInt8], labels: [UInt8]) {
    predicted.withUnsafeBufferPointer { predicted in
      labels.withUnsafeBufferPointer { add(predicted: predicted, labels: $0) }
    }
  }

  /// One picture that was counted already, perhaps in parts.
  public mutating func add(_ picture: SegmentationCounts) {
    counts.add(picture)
    pictures.append(picture.pixels)
  }
}
