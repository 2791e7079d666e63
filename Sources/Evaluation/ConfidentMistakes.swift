import Networks
import TensorStream
import Training

/// The images that a classifier is wrong about and most sure of, with their pixels.
public struct ConfidentMistakes: Sendable {
  public struct Mistake: Sendable {
    public let verdict: Verdict
    /// The image's number in its set.
    public let index: Int64
    /// Its file, where that is known.
    public let name: String?
    /// [side, side, channels] of the view.
    public let pixels: [UInt8]
    public let side: Int
    public let channels: Int
  }

  private let most: Int
  /// The surest first; of equally sure ones in their order.
  public private(set) var mistakes: [Mistake] = []

  /// - Parameter most: how many are kept.
  public init(most: Int) { self.most = most }

  /// Looks at a batch and what was said of each of its images.
  public mutating func add(_ batch: LabelledViews.Batch, _ verdicts: ArraySlice<Verdict>) {
    for (row, verdict) in verdicts.enumerated() where verdict.label != verdict.predicted {
      if mistakes.count == most, let last = mistakes.last, verdict.confidence <= last.verdict.confidence { continue }
      let images = batch.images
      let size = images.side * images.side * images.channels
      let mistake = Mistake(
        verdict: verdict, index: batch.index[row], name: batch.names?.known(row),
        pixels: Array(images.pixels[row * size..<(row + 1) * size]), side: images.side, channels: images.channels)
      let place = mistakes.firstIndex { $0.verdict.confidence < verdict.confidence } ?? mistakes.count
      mistakes.insert(mistake, at: place)
      if mistakes.count > most { mistakes.removeLast() }
    }
  }
}
