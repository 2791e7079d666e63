import Compute
import Networks
import Schemas
import TensorStream
import Training

extension Segmentation {
  /// mIoU, mAcc and aAcc on held-out pictures, whole ones, each at the size that its view has.
  /// - Throws: `Failure(.data)` where it is no views of pictures with masks of the model's classes.
  public func heldOut(_ path: String, beside views: MaskedViews, engine: Engine) throws -> () throws -> [Figure] {
    let (classes, normalisation) = (views.classes, views.normalisation)
    func open() throws -> MaskedViews {
      let reader = try heldOutViews(path)
      let held = try MaskedViews(
        reader, masks: .ofPictures(classes: classes), channels: encoder.configuration.channels,
        normalisation: normalisation)
      try held.batches.requireOneEpoch()
      try requireSameMasks(classes, of: "the views", held.classes, of: reader.name)
      return held
    }
    _ = try open()
    return { [self] in
      let ranks = engine.ranks
      let counts = try ranks.agree {
        let views = try open()
        return try measure(
          ranks.pieces(of: views.batches.rowsPerEpoch), of: views, by: PixelPredictor(segmenter, engine: engine))
      }.total(over: ranks)
      return [
        Figure("mIoU", counts.meanIoU), Figure("mAcc", counts.meanAccuracy), Figure("aAcc", counts.pixelAccuracy),
      ]
    }
  }

  /// What is right and wrong of some pictures, by their rows.
  private func measure(
    _ rows: some Sequence<Int>, of views: MaskedViews, by predict: PixelPredictor
  ) throws -> SegmentationCounts {
    var counts = SegmentationCounts(classes: views.classes.count)
    for row in rows {
      try views.batches.skip(row - views.batches.position)
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
    return counts
  }
}
