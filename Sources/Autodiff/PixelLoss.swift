import CKernels
import Compute

/// What the classes of pixels cost. Of several ranks each has the loss of its own images, whose mean over the ranks is that of all.
public struct PixelLoss {
  public let loss: Loss
  /// Pixels of all ranks whose label has the greatest logit, of those that are not ignored.
  public let hits: Int
  /// Pixels of all ranks that are not ignored.
  public let valid: Int
}

/// What the sum over the pixels is divided by.
public enum PixelAverage: String, Codable, CaseIterable, Sendable {
  /// All pixels, those that are ignored too: mmsegmentation's.
  case all
  /// Those that are not ignored.
  case valid
}

extension Tape {
  /// Cross-entropy with a class for each pixel, of logits that are first resized bilinearly to the labels' size; the resized ones are never
  /// whole in memory. logits [N·h·w, K]; labels [N·height·width], row by row, below K or `ignored`.
  public func pixelCrossEntropy(
    _ logits: FeatureMap, labels: [UInt8], height: Int, width: Int, ignored: UInt8 = 255, average: PixelAverage = .all
  ) -> PixelLoss {
    let (x, classes, count) = (logits.tensor, logits.channels, logits.images * height * width)
    precondition(labels.count == count && labels.allSatisfy { Int($0) < classes || $0 == ignored })
    let (rows, columns) = (
      Interpolation(from: logits.height, to: height), Interpolation(from: logits.width, to: width)
    )
    // The rows of pixels between the same two rows of logits are one task, whose gradients are for these two.
    let groups = rows.groups
    let line = logits.width * classes
    let tasks = logits.images * logits.height
    let isTracked = isRecording && x.tracksGradient
    let parts = isTracked ? Tensor(rows: 2 * tasks, columns: line, values: engine.memory.take(2 * tasks * line)) : nil
    var found = [(loss: Double, hits: Int)](repeating: (0, 0), count: tasks)
    engine.measure(.losses, values: x.count * 2) {
      found.withUnsafeMutableBufferPointer { found in
        nonisolated(unsafe) let found = found
        labels.withUnsafeBufferPointer { labels in
          withMatrices(x, parts ?? x) { x, parts in
            engine.run(tasks, scratch: 2 * line + 2 * classes) { task, scratch in
              let (image, row) = task.quotientAndRemainder(dividingBy: logits.height)
              let slope = scratch + line
              if isTracked {
                for part in [parts.row(2 * task), parts.row(2 * task + 1)] { part.update(repeating: 0, count: line) }
              }
              for place in groups[row] {
                let at = rows[place]
                let low = logits.raster.row(image, at.lower, 0), high = logits.raster.row(image, at.upper, 0)
                for column in 0..<logits.width {
                  pmae_between_rows(
                    x.row(low + column), x.row(high + column), at.share, scratch + column * classes, classes)
                }
                if isTracked { slope.update(repeating: 0, count: line) }
                found[task].loss += pmae_pixel_loss(
                  scratch, classes, columns.places, width, labels.baseAddress! + (image * height + place) * width,
                  ignored, classes, isTracked ? slope : nil, &found[task].hits, scratch + 2 * line)
                if isTracked {
                  pmae_axpy(1 - at.share, slope, parts.row(2 * task), line)
                  if at.share != 0 { pmae_axpy(at.share, slope, parts.row(2 * task + 1), line) }
                }
              }
            }
          }
        }
      }
    }
    let own = [found.reduce(0) { $0 + $1.hits }, labels.count { $0 != ignored }]
    let (hits, valid) = { ($0[0], $0[1]) }(engine.ranks.sum([own]))
    let over = average == .all ? Double(max(1, count)) : Double(max(1, valid)) / Double(engine.ranks.count)
    let slopes: Tensor? = parts.map { self.slopes(of: logits, parts: $0) }
    let loss = Loss(value: found.reduce(0) { $0 + $1.loss } / over) { [engine] weight in
      guard let slopes else { return }
      let (d, isFirst) = x.gradientSink(engine)
      engine.rows(over: slopes, d, cost: classes, as: .losses, values: 2 * x.count) { slopes, d, range in
        for r in range { pmae_axpby(weight / Float(over), slopes.row(r), isFirst ? 0 : 1, d.row(r), classes) }
      }
    }
    return PixelLoss(loss: loss, hits: hits, valid: valid)
  }

  /// The gradient of the sum for the logits: of each row what came from the pixels below it and from those above.
  private func slopes(of logits: FeatureMap, parts: Tensor) -> Tensor {
    let (height, width, classes) = (logits.height, logits.width, logits.channels)
    let slopes = Tensor(
      rows: logits.raster.pixels, columns: classes, values: engine.memory.take(logits.raster.pixels * classes))
    engine.rows(
      over: parts, slopes, count: logits.images * height, cost: width * classes, as: .losses, values: 2 * parts.count
    ) { parts, slopes, range in
      for row in range {
        let to = slopes.row(row * width)
        to.update(from: parts.row(2 * row), count: width * classes)
        if row % height > 0 { pmae_axpy(1, parts.row(2 * row - 1), to, width * classes) }
      }
    }
    return slopes
  }
}

extension Interpolation {
  /// For each place of the axis that is stretched, the places between it and the next.
  fileprivate var groups: [Range<Int>] {
    var first = 0
    return (0..<from).map { lower in
      var end = first
      while end < to, self[end].lower == lower { end += 1 }
      defer { first = end }
      return first..<end
    }
  }
}
