import Autodiff
import CKernels
import Compute

/// Classes of the pixels of whole pictures, by all of a picture at once or by windows. Only the small maps of logits are kept, and only
/// those of windows that rows still need; a row of pixels is made when it is its turn. So memory grows with a picture's width, not with
/// its area.
public struct PixelPredictor {
  /// Windows of `side` pixels every `stride`. The last of a row or column is moved back to end at the edge, and a picture smaller than a
  /// window is one smaller window. mmsegmentation: 512, 341.
  public struct Windows: Equatable, Sendable {
    public let side: Int
    public let stride: Int

    public init(side: Int, stride: Int) { (self.side, self.stride) = (side, stride) }

    /// What the windows along an edge cover, in order.
    public func ranges(_ length: Int) -> [Range<Int>] {
      (0...(max(length - side + stride - 1, 0) / stride)).map { place in
        let end = min(place * stride + side, length)
        return max(end - side, 0)..<end
      }
    }
  }

  /// Patches that are computed at once at most, since attention is between all of them.
  public static let mostPatches = 1 << 14

  private let segmenter: Segmenter
  private let engine: Engine
  private let windows: Windows?

  /// - Parameter windows: nil for whole pictures.
  public init(_ segmenter: Segmenter, windows: Windows? = nil, engine: Engine) {
    (self.segmenter, self.windows, self.engine) = (segmenter, windows, engine)
  }

  /// Whether a picture, or a window of it, has no more patches than can be computed at once.
  public func fits(height: Int, width: Int) -> Bool {
    let side = windows?.side ?? .max
    return grid(min(height, side), min(width, side)).patches <= Self.mostPatches
  }

  private func grid(_ height: Int, _ width: Int) -> PatchGrid {
    let patch = segmenter.patch
    // The coarsest level is half of it.
    return PatchGrid(rows: max(2, (height + patch - 1) / patch), columns: max(2, (width + patch - 1) / patch))
  }

  /// The logits of a picture's pixels [1, K] each, row by row, as they are before they are resized to the picture's own size: for tests.
  public func logits(_ image: ImageBatch) -> [Float] {
    var values: [Float] = []
    forEachRow(of: image) { row, _ in values.append(contentsOf: row) }
    return values
  }

  /// The class of each pixel, [height, width]: the one with the highest logit after the logits are resized to that size.
  /// - Parameter image: one picture, at the size that the network sees.
  public func callAsFunction(_ image: ImageBatch, height: Int, width: Int) -> [UInt8] {
    let rows = Interpolation(from: image.height, to: height), columns = Interpolation(from: image.width, to: width)
    let classes = segmenter.configuration.classes
    var prediction = [UInt8](repeating: 0, count: height * width)
    var before: [Float] = []
    var next = 0
    forEachRow(of: image) { row, y in
      // The rows of the prediction that lie between this row and the one before it.
      while next < height, rows[next].share == 0 ? rows[next].lower == y : rows[next].upper == y {
        let share = rows[next].share
        prediction.withUnsafeMutableBufferPointer { prediction in
          nonisolated(unsafe) let out = prediction.baseAddress! + next * width
          row.withUnsafeBufferPointer { row in
            before.withUnsafeBufferPointer { before in
              let (high, low) = (row.baseAddress!, share == 0 ? row.baseAddress! : before.baseAddress!)
              classify(low, high, share, columns, classes: classes, into: out)
            }
          }
        }
        next += 1
      }
      before = row
    }
    return prediction
  }

  /// One row of the prediction.
  private func classify(
    _ low: UnsafePointer<Float>, _ high: UnsafePointer<Float>, _ share: Float, _ columns: Interpolation, classes: Int,
    into out: UnsafeMutablePointer<UInt8>
  ) {
    let block = max(1, 16384 / classes)
    engine.run((columns.to + block - 1) / block, scratch: 3 * classes) { task, scratch in
      for x in task * block..<min(columns.to, (task + 1) * block) {
        let at = columns[x]
        pmae_between_rows(low + at.lower * classes, high + at.lower * classes, share, scratch, classes)
        pmae_between_rows(low + at.upper * classes, high + at.upper * classes, share, scratch + classes, classes)
        pmae_between_rows(scratch, scratch + classes, at.share, scratch + 2 * classes, classes)
        out[x] = UInt8(pmae_argmax(scratch + 2 * classes, classes))
      }
    }
  }

  /// What is known of a window: its map of logits, and where its rows and columns lie between those of the map.
  private struct Part {
    let logits: FeatureMap
    let rows: Range<Int>
    let columns: Range<Int>
    let down: Interpolation
    let across: Interpolation
  }

  private func part(_ image: ImageBatch, rows: Range<Int>, columns: Range<Int>) -> Part {
    let (patch, grid) = (segmenter.patch, grid(rows.count, columns.count))
    let tape = Tape(engine, recording: false)
    let features = segmenter.features(tape, image.cropped(rows: rows, columns: columns), grid: grid)
    let logits = segmenter.head(tape, features, keep: nil)
    return Part(
      logits: logits, rows: rows, columns: columns, down: Interpolation(from: logits.height, to: grid.rows * patch),
      across: Interpolation(from: logits.width, to: grid.columns * patch))
  }

  /// Calls `body` with the logits of each row of pixels, [width · K], from the first to the last.
  private func forEachRow(of image: ImageBatch, _ body: (_ row: [Float], _ y: Int) -> Void) {
    precondition(image.count == 1)
    let down = windows?.ranges(image.height) ?? [0..<image.height]
    let across = windows?.ranges(image.width) ?? [0..<image.width]
    let counts = (0..<image.width).map { x in across.count { $0.contains(x) } }
    var parts: [Part] = []
    for (place, rows) in down.enumerated() {
      for columns in across { parts.append(part(image, rows: rows, columns: columns)) }
      // No later window has a row above the next one's first.
      let end = place + 1 < down.count ? down[place + 1].lowerBound : image.height
      for y in rows.lowerBound..<end {
        body(row(y, of: parts, counts, image.width), y)
      }
      parts.removeAll { $0.rows.upperBound <= end }
    }
  }

  /// The mean of the windows over each pixel of a row.
  private func row(_ y: Int, of parts: [Part], _ counts: [Int], _ width: Int) -> [Float] {
    let classes = segmenter.configuration.classes
    let over = parts.filter { $0.rows.contains(y) }
    let high = Set(over.map(\.rows)).count
    var row = [Float](repeating: 0, count: width * classes)
    row.withUnsafeMutableBufferPointer { row in
      nonisolated(unsafe) let row = row.baseAddress!
      for part in over {
        let at = part.down[y - part.rows.lowerBound]
        let line = part.logits.width
        part.logits.tensor.withMatrix { logits in
          // In blocks of neighbouring pixels, each of which needs few columns of the map.
          let block = 64
          engine.run((part.columns.count + block - 1) / block, scratch: line * classes) { task, scratch in
            let from = task * block, to = min(part.columns.count, from + block)
            for x in part.across[from].lower...part.across[to - 1].upper {
              pmae_between_rows(
                logits.row(at.lower * line + x), logits.row(at.upper * line + x), at.share, scratch + x * classes,
                classes)
            }
            part.across.add(
              scratch, pixels: from..<to, to: row + part.columns.lowerBound * classes, channels: classes)
          }
        }
      }
      if high * (counts.max() ?? 1) > 1 {
        for x in 0..<width {
          let share = Float(high * counts[x])
          for c in x * classes..<(x + 1) * classes { row[c] /= share }
        }
      }
    }
    return row
  }
}

extension ImageBatch {
  /// A part of each image.
  public func cropped(rows: Range<Int>, columns: Range<Int>) -> ImageBatch {
    if rows == 0..<height, columns == 0..<width { return self }
    var part: [UInt8] = []
    part.reserveCapacity(count * rows.count * columns.count * channels)
    for image in 0..<count {
      for y in rows {
        let line = (image * height + y) * width
        part.append(contentsOf: pixels[(line + columns.lowerBound) * channels..<(line + columns.upperBound) * channels])
      }
    }
    return with(part, height: rows.count, width: columns.count)
  }
}
