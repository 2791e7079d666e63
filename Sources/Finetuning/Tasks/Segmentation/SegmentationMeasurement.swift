import Compute
import Networks
import Schemas
import TensorStream
import Training

extension Segmentation {
  /// mIoU, mAcc and aAcc on held-out pictures, whole ones, each at the size that its view has. The stream is read from its beginning each
  /// time: a file.
  /// - Throws: `Failure(.data)` where it is no views of pictures with masks of the model's classes.
  public func measure(_ path: String, classes: MaskClasses, normalisation: Normalisation, engine: Engine) throws
    -> [Figure]
  {
    let views = try Self.heldOut(path, classes: classes, encoder: encoder.configuration, normalisation: normalisation)
    let predict = PixelPredictor(segmenter, engine: engine)
    var counts = SegmentationCounts(classes: classes.count)
    for _ in 0..<views.batches.rowsPerEpoch {
      let place = "\(views.batches.reader.name): row \(views.batches.position)"
      let batch = try views.take(1)
      guard !batch.masks.isEmpty else { throw Failure(.data, "\(place): no mask to measure by") }
      guard predict.fits(height: batch.images.height, width: batch.images.width) else {
        throw Failure(
          .data,
          "\(place): a view of \(batch.images.height) × \(batch.images.width), which has more than "
            + "\(grouped(PixelPredictor.mostPatches)) patches: make smaller ones to watch a run by")
      }
      counts.add(predicted: predict(batch.images, height: batch.height, width: batch.width), labels: batch.masks)
    }
    return [
      Figure("mIoU", counts.meanIoU), Figure("mAcc", counts.meanAccuracy), Figure("aAcc", counts.pixelAccuracy),
    ]
  }

  /// The held-out views, checked against the model.
  public static func heldOut(
    _ path: String, classes: MaskClasses, encoder: EncoderConfiguration, normalisation: Normalisation
  ) throws -> MaskedViews {
    let reader = try StreamReader(path: path, kinds: [StreamKind.views.rawValue])
    let views = try MaskedViews(
      reader, masks: .ofPictures(classes: classes), channels: encoder.channels, normalisation: normalisation)
    try requireSameMasks(classes, of: "the views", views.classes, of: reader.name)
    return views
  }
}
