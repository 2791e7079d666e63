import Autodiff
import Compute

/// A class for each pixel: an encoder read by four of its blocks, a pyramid, UPerNet, and in training an auxiliary head. Names are those of
/// `Tests/Oracle/segmentation.py`, a part's prefix before each.
public struct Segmenter {
  public let configuration: SegmentationConfiguration
  public let backbone: Backbone
  public let pyramid: Pyramid
  public let head: UPerNet
  public let auxiliary: FCNHead

  public init(_ encoder: Encoder, _ c: SegmentationConfiguration, engine: Engine, trained: Bool) {
    let width = encoder.configuration.width
    configuration = c
    backbone = Backbone(encoder, taps: c.taps)
    pyramid = Pyramid(width: width, engine: engine, trained: trained)
    head = UPerNet(width: width, c, engine: engine, trained: trained)
    auxiliary = FCNHead(width: width, c, engine: engine, trained: trained)
  }

  /// The networks by the prefixes of their names.
  public var parts: [(prefix: String, network: any Network)] {
    [("backbone.", backbone), ("pyramid.", pyramid), ("head.", head), ("auxiliary.", auxiliary)]
  }

  public var patch: Int { backbone.encoder.configuration.patch }

  /// The pyramid's levels of images whose sides are multiples of the patch, at least two.
  /// - Parameter grid: see `Encoder.taps`.
  public func features(
    _ tape: Tape, _ images: ImageBatch, grid: PatchGrid? = nil, keeps: [BranchKeep]? = nil
  ) -> [FeatureMap] {
    pyramid(
      tape,
      backbone.encoder.taps(
        tape, images, at: configuration.taps, grid: grid, isStretched: configuration.stretchesPositions, keeps: keeps))
  }

  /// Fresh weights of all but the encoder: PyTorch's own of a convolution, norms 1 and 0, classes normal with deviation 0.01.
  /// - Parameters:
  ///   - seed, part: as for `initialise(_:seed:part:)`; it takes three numbers from `part` on.
  public func initialiseHeads(seed: UInt64, part: Int) {
    for (place, network) in ([pyramid, head, auxiliary] as [any Network]).enumerated() {
      let inputs = Dictionary(
        network.parameters.filter { $0.shape.count == 4 }.map {
          ($0.name.dropLast("weight".count), $0.shape[1] * $0.shape[2] * $0.shape[3])
        }, uniquingKeysWith: { $1 })
      initialise(network, seed: seed, part: part + place) { parameter in
        if parameter.name.hasPrefix("classify") { return parameter.shape.count == 4 ? .normal(0.01) : nil }
        // A norm has no weight of four dimensions.
        let name = parameter.name
        return name.lastIndex(of: ".").flatMap { inputs[name[...$0]] }.map { .torch(inputs: $0) }
      }
    }
  }
}
