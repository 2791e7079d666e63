import Networks
import Parallel

extension Encoder {
  /// Which samples each block's branches keep; nil where nothing is ever dropped. Each sample draws from its own
  /// numbers, so nothing depends on the batch.
  public func drawKeeps(_ samples: [CounterRandom]) -> [BranchKeep]? {
    if blocks.allSatisfy({ $0.dropPath == 0 }) { return nil }
    var samples = samples
    return blocks.map { block in
      var keep = BranchKeep(attention: [], mlp: [])
      for s in samples.indices {
        if samples[s].uniform() >= block.dropPath { keep.attention.append(Int32(s)) }
        if samples[s].uniform() >= block.dropPath { keep.mlp.append(Int32(s)) }
      }
      return keep
    }
  }
}
