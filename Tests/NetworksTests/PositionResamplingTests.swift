import Networks
import TensorStream
import TestSupport
import Testing

/// Learned positions for another grid, against timm's `resample_abs_pos_embed`.
struct PositionResamplingTests {
  @Test(arguments: [(4, 7), (7, 4), (3, 3), (5, 13), (14, 6), (2, 1)]) func agreesWithTimm(_ old: Int, _ new: Int)
    throws
  {
    let file = try readTensors(path: fixture("reference/resampled.safetensors"))
    let table = try #require(file["\(old)x\(new).from"]).values(of: Float.self)
    let theirs = try #require(file["\(old)x\(new).to"]).values(of: Float.self)
    let mine = resampledPositions(table, width: 6, from: old, to: new)
    #expect(mine.count == (1 + new * new) * 6 && mine.count == theirs.count)
    for (mine, theirs) in zip(mine, theirs) { #expect(abs(mine - theirs) < 1e-5) }
    #expect(mine.prefix(6) == table.prefix(6), "the class token's row stays")
  }
}
