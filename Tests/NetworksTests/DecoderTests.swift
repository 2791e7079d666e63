import Autodiff
import Compute
import Networks
import Testing

/// MAE's decoder, in which a masked patch is the same in every image until attention has seen the others.
struct DecoderTests {
  private let images = 5
  private let patches = 49
  private let visible = 12

  /// Of images' masks each one's own.
  private var shuffle: [Int32] {
    (0..<images).flatMap { image in (0..<patches).map { Int32(($0 * [5, 6, 8, 9, 10][image] + image) % patches) } }
  }

  /// What is wanted of an image: all that is masked.
  private func wanted(of shuffle: ArraySlice<Int32>, image: Int) -> [Int32] {
    shuffle.dropFirst(visible).map { Int32(image * (1 + patches)) + 1 + $0 }
  }

  private func values(_ tensor: Tensor) -> [Float] { (0..<tensor.rows).flatMap { tensor.values(ofRow: $0) } }

  /// Predictions of all images at once, or of one after the other, and the gradients of the sum of their squares: of the tokens, then
  /// of the parameters.
  private func results(_ precision: Precision, together: Bool) -> (predictions: [Float], gradients: [[Float]]) {
    let engine = Engine(threads: 2, precision: precision, poisoning: true)
    let encoder = EncoderConfiguration(image: 28, patch: 4, channels: 1, width: 24, depth: 1, heads: 1)
    let decoder = Decoder(
      DecoderConfiguration(width: 32, depth: 2, heads: 2), encoder: encoder, output: 16, engine: engine, trained: true)
    initialise(decoder, seed: 3, part: 0)
    var predictions: [Float] = []
    var ofTokens: [Float] = []
    for range in together ? [0..<images] : (0..<images).map({ $0..<$0 + 1 }) {
      let latent = Parameter("latent", shape: [range.count * (1 + visible), 24], engine: engine, trained: true)
      latent.values.withValues { values in
        let start = range.lowerBound * (1 + visible) * 24
        for i in values.indices { values[i] = Float((start + i) * 7919 % 1013) / 500 - 1 }
      }
      let shuffle = Array(self.shuffle[range.lowerBound * patches..<range.upperBound * patches])
      let tape = Tape(engine)
      let out = decoder(
        tape, latent.tensor, shuffle: shuffle, sequences: range.count,
        wanted: range.indices.flatMap { image in
          let place = image - range.lowerBound
          return wanted(of: shuffle[place * patches..<(place + 1) * patches], image: place)
        })
      predictions += values(out)
      let zeros = Tensor(rows: out.rows, columns: out.columns, values: engine.memory.take(out.count))
      zeros.values.zero()
      tape.backward([(tape.meanSquaredError(out, target: zeros), Float(out.rows))])
      ofTokens += values(latent.tensor.gradient!)
    }
    return (predictions, [ofTokens] + decoder.parameters.map { values($0.tensor.gradient!) })
  }

  private func expectClose(_ mine: [Float], _ theirs: [Float], relative: Float) {
    #expect(mine.count == theirs.count && !mine.isEmpty)
    let size = theirs.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let apart = zip(mine, theirs).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    #expect(apart <= relative * size && size > 0, "\(apart) of \(size)")
  }

  /// What images share is computed once for all, which changes nothing.
  @Test func imagesTogetherAreAsOneByOne() {
    let (together, apart) = (results(.float32, together: true), results(.float32, together: false))
    expectClose(together.predictions, apart.predictions, relative: 1e-5)
    for (mine, theirs) in zip(together.gradients, apart.gradients) { expectClose(mine, theirs, relative: 1e-4) }
  }

  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"), arguments: [false, true])
  func bfloat16IsNear(together: Bool) {
    let (narrow, whole) = (results(.bfloat16, together: together), results(.float32, together: together))
    #expect(narrow.predictions != whole.predictions)
    expectClose(narrow.predictions, whole.predictions, relative: 0.02)
    for (mine, theirs) in zip(narrow.gradients, whole.gradients) { expectClose(mine, theirs, relative: 0.05) }
  }
}
