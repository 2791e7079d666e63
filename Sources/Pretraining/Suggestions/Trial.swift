import Foundation
import Networks
import Schemas

/// A run of MAE that was made to find settings, and how well classes of pictures that it has not seen are told apart by its features.
///
/// `best` is the table of pmae-pretrain(1), section "Your own images", which says how it was made.
public struct Trial: Equatable, Sendable {
  /// Of 100 pictures, how many are told right.
  public struct Accuracy: Equatable, Sendable {
    /// By the 20 nearest neighbours, of whitened features.
    public let neighbours: Double
    /// By logistic regression, on all labels.
    public let line: Double

    public init(neighbours: Double, line: Double) { (self.neighbours, self.line) = (neighbours, line) }
  }

  /// What the pictures are.
  public let set: String
  public let pictures: Int
  /// Of the views.
  public let encoder: EncoderConfiguration
  public let epochs: Int
  /// The least share of a picture that a view shows.
  public let crop: Double
  public let features: Accuracy
  /// The same of the pixels of the pictures, with a side of 32 where they are larger.
  public let pixels: Accuracy

  public init(
    _ set: String, pictures: Int, image: Int, patch: Int, channels: Int, epochs: Int, crop: Double,
    features: Accuracy, pixels: Accuracy
  ) {
    (self.set, self.pictures, self.epochs, self.crop) = (set, pictures, epochs, crop)
    encoder = EncoderConfiguration(image: image, patch: patch, channels: channels, width: 64, depth: 4, heads: 2)
    (self.features, self.pixels) = (features, pixels)
  }

  /// What all trials have in common.
  public static let batch = 64
  public static let learningRate = 4e-3
  public static let dropPath = 0.05
  public var decoder: DecoderConfiguration {
    DecoderConfiguration(width: encoder.width / 2, depth: 1, heads: encoder.heads)
  }

  /// The trial that is nearest: of those with the largest views that the pictures fill, and where there are any as grey or coloured, the
  /// one with the nearest number of pictures.
  static func nearest(to extent: PictureExtent) -> Trial {
    let sides = Set(best.map(\.encoder.image))
    // A picture that is a little smaller is made larger.
    let side = sides.filter { Double($0) <= 1.2 * extent.side }.max() ?? sides.min()!
    func distance(_ trial: Trial) -> Double { abs(log(Double(trial.pictures) / Double(extent.pictures))) }
    let large = best.filter { $0.encoder.image == side }
    let alike = large.filter { $0.encoder.channels == extent.channels }
    return (alike.isEmpty ? large : alike).min { distance($0) < distance($1) }!
  }

  /// The side of views of pictures: the pictures' own, in whole patches, up to a half more than was tried.
  func image(for side: Double) -> Int {
    let own = Int((side / Double(encoder.patch)).rounded()) * encoder.patch
    return Double(own) <= 1.5 * Double(encoder.image) ? max(own, 2 * encoder.patch) : encoder.image
  }
}
