import Autodiff
import Compute

/// Four maps of one size, those of an encoder's blocks, to four sizes: 4, 2, 1 and 1/2 times as large (BEiT's).
public struct Pyramid: Network {
  private let first: Doubling
  private let norm: MapNorm
  private let second: Doubling
  private let twice: Doubling

  public init(width: Int, engine: Engine, trained: Bool) {
    first = Doubling("up4.0", width, engine: engine, trained: trained)
    norm = MapNorm("up4.1", width, engine: engine, trained: trained)
    second = Doubling("up4.3", width, engine: engine, trained: trained)
    twice = Doubling("up2", width, engine: engine, trained: trained)
  }

  public var parameters: [Parameter] {
    first.parameters + norm.parameters + second.parameters + twice.parameters
  }
  public var constants: [Constant] { norm.constants }

  /// Maps [B·h·w, D] -> four levels, fine to coarse. The coarsest has at least one pixel, so h and w are at least 2.
  public func callAsFunction(_ tape: Tape, _ taps: [FeatureMap]) -> [FeatureMap] {
    let large = second(tape, norm(tape, first(tape, taps[0]), activation: .gelu))
    return [large, twice(tape, taps[1]), taps[2], tape.maxPooled(taps[3])]
  }
}
