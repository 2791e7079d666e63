import Networks
import Parallel

/// Which samples each block's branches keep; nil where nothing is ever dropped. Each sample draws from its own numbers, so nothing
/// depends on the batch.
/// - Parameter rates: of each block.
public func drawKeeps(_ samples: [CounterRandom], rates: [Double]) -> [BranchKeep]? {
  if rates.allSatisfy({ $0 == 0 }) { return nil }
  var samples = samples
  return rates.map { rate in
    var keep = BranchKeep(attention: [], mlp: [])
    for s in samples.indices {
      if samples[s].uniform() >= rate { keep.attention.append(Int32(s)) }
      if samples[s].uniform() >= rate { keep.mlp.append(Int32(s)) }
    }
    return keep
  }
}

extension Encoder {
  /// Those of its blocks.
  public func drawKeeps(_ samples: [CounterRandom]) -> [BranchKeep]? {
    Training.drawKeeps(samples, rates: blocks.map(\.dropPath))
  }
}
