import Autodiff
import Compute

/// UPerNet's head (Xiao et al., 2018): the coarsest level with its pooled means, a feature pyramid down to the finest, and all of them
/// together. Names are those of `Tests/Oracle/segmentation.py`.
public struct UPerNet: Network {
  private let pools: [Int]
  private let pooled: [ConvolutionNorm]
  private let bottleneck: ConvolutionNorm
  private let lateral: [ConvolutionNorm]
  private let levels: [ConvolutionNorm]
  private let fuse: ConvolutionNorm
  private let classify: PixelClassifier

  public init(width: Int, _ c: SegmentationConfiguration, engine: Engine, trained: Bool) {
    func layer(_ name: String, _ inputs: Int, _ side: Int) -> ConvolutionNorm {
      ConvolutionNorm(name, inputs, c.channels, side: side, engine: engine, trained: trained)
    }
    pools = c.pools
    pooled = c.pools.indices.map { layer("pooled.\($0)", width, 1) }
    bottleneck = layer("bottleneck", width + c.pools.count * c.channels, 3)
    lateral = (0..<3).map { layer("lateral.\($0)", width, 1) }
    levels = (0..<3).map { layer("fpn.\($0)", c.channels, 3) }
    fuse = layer("fuse", 4 * c.channels, 3)
    classify = PixelClassifier(
      "classify", c.channels, classes: c.classes, rate: c.dropout, engine: engine, trained: trained)
  }

  private var layers: [ConvolutionNorm] { pooled + [bottleneck] + lateral + levels + [fuse] }
  public var parameters: [Parameter] { layers.flatMap(\.parameters) + classify.parameters }
  public var constants: [Constant] { layers.flatMap(\.constants) }

  /// Four levels, fine to coarse -> logits of the finest level's size, [B·h·w, K].
  public func callAsFunction(_ tape: Tape, _ features: [FeatureMap], keep: [UInt8]?) -> FeatureMap {
    let top = features[3]
    let parts = zip(pooled, pools).map { $0(tape, [tape.averagePooled(top, to: $1)]) }
    var maps = zip(lateral, features).map { $0(tape, [$1]) } + [bottleneck(tape, [top] + parts)]
    for i in [3, 2, 1] {
      maps[i - 1] = tape.resized(maps[i], height: maps[i - 1].height, width: maps[i - 1].width, onto: maps[i - 1])
    }
    maps = zip(levels, maps).map { $0(tape, [$1]) } + [maps[3]]
    return classify(tape, fuse(tape, maps), keep: keep)
  }
}

/// The auxiliary head on the third level, in training alone.
public struct FCNHead: Network {
  private let convolution: ConvolutionNorm
  private let classify: PixelClassifier

  public init(width: Int, _ c: SegmentationConfiguration, engine: Engine, trained: Bool) {
    convolution = ConvolutionNorm("conv", width, c.auxiliaryChannels, side: 3, engine: engine, trained: trained)
    classify = PixelClassifier(
      "classify", c.auxiliaryChannels, classes: c.classes, rate: c.dropout, engine: engine, trained: trained)
  }

  public var parameters: [Parameter] { convolution.parameters + classify.parameters }
  public var constants: [Constant] { convolution.constants }

  /// [B·h·w, D] -> logits [B·h·w, K].
  public func callAsFunction(_ tape: Tape, _ x: FeatureMap, keep: [UInt8]?) -> FeatureMap {
    classify(tape, convolution(tape, [x]), keep: keep)
  }
}
