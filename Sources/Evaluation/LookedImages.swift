import Compute
import Networks
import Schemas
import TensorStream
import Training

/// Some images, evenly spread through a set, and where the model looks in them.
public struct LookedImages: Sendable {
  /// An image, and what was said of it.
  public struct Image: Sendable {
    public let verdict: Verdict
    /// Its number in the set.
    public let index: Int64
    /// Its file, where that is known.
    public let name: String?
    /// [side, side, channels] of the view.
    public let pixels: [UInt8]
  }

  /// What an encoder makes of an image's patches [N], row by row.
  public struct Look: Sendable {
    /// The class token's attention in the last block, the mean of the heads.
    public let attention: [Float]
    /// The patches' features along the first three principal components of all images' patches, from 0 to 1 each.
    public let components: [[Double]]

    public init(attention: [Float], components: [[Double]]) {
      (self.attention, self.components) = (attention, components)
    }
  }

  /// Places in the set that are wanted, rising.
  private let wanted: [Int]
  private var position = 0
  public private(set) var images: [Image] = []
  public private(set) var side = 0
  public private(set) var channels = 0

  /// - Parameters:
  ///   - count: images of the set.
  ///   - most: how many are kept.
  public init(of count: Int, most: Int) {
    let kept = min(count, most)
    wanted = (0..<kept).map { (2 * $0 + 1) * count / (2 * kept) }
  }

  /// Looks at the set's next batch and what was said of each of its images.
  public mutating func add(_ batch: LabelledViews.Batch, _ verdicts: ArraySlice<Verdict>) {
    add(
      batch.images, index: batch.index, names: verdicts.indices.map { batch.names?.known($0 - verdicts.startIndex) },
      verdicts)
  }

  /// The same of images with their numbers in the set and their files.
  public mutating func add(_ batch: ImageBatch, index: [Int64], names: [String?], _ verdicts: ArraySlice<Verdict>) {
    (side, channels) = (batch.side, batch.channels)
    let size = side * side * channels
    for (row, verdict) in verdicts.enumerated() where wanted.contains(position + row) {
      images.append(
        Image(
          verdict: verdict, index: index[row], name: names[row],
          pixels: Array(batch.pixels[row * size..<(row + 1) * size])))
    }
    position += batch.count
  }

  /// What an encoder makes of them; none where a feature is not finite.
  public func looks(by encoder: Encoder, normalisation: Normalisation, engine: Engine) -> [Look] {
    if images.isEmpty { return [] }
    let batch = ImageBatch(
      pixels: images.flatMap(\.pixels), count: images.count, side: side, channels: channels,
      mean: normalisation.mean.map(Float.init), std: normalisation.std.map(Float.init))
    let found = encoder.look(at: batch, engine: engine)
    let features = images.indices.flatMap { found.patchFeatures(image: $0) }
    guard let coordinates = principalComponents(features, count: 3) else { return [] }
    let (colours, patches) = (colourShares(coordinates), found.tokensPerImage - 1)
    return images.indices.map { image in
      var attention = [Float](repeating: 0, count: patches)
      for head in 0..<found.heads {
        for (patch, share) in found.patchAttention(image: image, head: head).enumerated() {
          attention[patch] += share / Float(found.heads)
        }
      }
      return Look(attention: attention, components: Array(colours[image * patches..<(image + 1) * patches]))
    }
  }
}
