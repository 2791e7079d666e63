import Autodiff
import Compute
import Networks
import TestSupport
import Testing

/// An encoder over all patches: some hidden, some rows wanted alone, images of another size.
struct EncoderViewTests {
  private let engine = Engine(threads: 2, poisoning: true)
  private let shape = EncoderConfiguration(image: 16, patch: 4, channels: 3, width: 16, depth: 3, heads: 2)

  private func gradients(_ encoder: Encoder, _ tape: Tape, _ output: Tensor) -> [[Float]] {
    let zeros = Tensor(rows: output.rows, columns: output.columns, values: engine.memory.take(output.count))
    zeros.values.zero()
    tape.backward([(tape.meanSquaredError(output, target: zeros), Float(output.rows))])
    return encoder.parameters.map { parameter in
      defer { parameter.tensor.clearGradient() }
      guard let gradient = parameter.tensor.gradient else { return [] }
      return (0..<gradient.rows).flatMap { gradient.values(ofRow: $0) }
    }
  }

  /// Leaving out what nobody reads changes neither tokens nor gradients, with drop path and without.
  @Test(arguments: [false, true]) func wantedRowsAreThoseOfAll(drops: Bool) {
    let encoder = testEncoder(shape, dropPath: 0.5, engine: engine)
    let images = testImages([1, 2, 3, 4], side: 16, channels: 3)
    // Of the last block the third image's MLP is left out, of the second's attention the first's.
    let all: [Int32] = [0, 1, 2, 3]
    let keeps = [
      BranchKeep(attention: all, mlp: all), BranchKeep(attention: [1, 2, 3], mlp: all),
      BranchKeep(attention: [0, 2], mlp: [0, 1, 3]),
    ]
    let wanted: [Int32] = [0, 17, 34, 51, 5, 20, 40, 41]
    let results = [true, false].map { part -> (tokens: [[Float]], gradients: [[Float]]) in
      let tape = Tape(engine)
      let tokens =
        part
        ? encoder(tape, images, keeps: drops ? keeps : nil, wanted: wanted)
        : tape.gatherRows(encoder(tape, images, keeps: drops ? keeps : nil), wanted)
      let values = (0..<tokens.rows).map { tokens.values(ofRow: $0) }
      return (values, gradients(encoder, tape, tokens))
    }
    // OpenBLAS adds up a row in an order that depends on how many there are. Our kernels do not.
    let bound: Float = engine.kernels == "openblas" ? 1e-5 : 0
    let (part, whole) = (results[0].tokens.flatMap { $0 }, results[1].tokens.flatMap { $0 })
    #expect(part.count == whole.count && zip(part, whole).allSatisfy { abs($0 - $1) <= bound })
    for (mine, theirs) in zip(results[0].gradients, results[1].gradients) {
      let size = theirs.map(abs).max() ?? 0
      #expect(zip(mine, theirs).allSatisfy { abs($0 - $1) <= 2e-5 * size })
    }
  }

  @Test func withoutHiddenPatchesTheTokenIsNotRead() {
    let encoder = testEncoder(shape, engine: engine)
    let images = testImages([1, 2], side: 16, channels: 3)
    let token = Tensor(rows: 1, columns: 16, values: engine.memory.take(16))
    token.withValues { $0.update(repeating: .nan) }
    let tape = Tape(engine, recording: false)
    let none = HiddenPatches([Bool](repeating: false, count: 32), patches: 16)
    #expect(encoder(tape, images, hidden: (none, token)).array == encoder(tape, images).array)
  }

  /// What is hidden cannot be seen: images that differ there alone have the same tokens.
  @Test func hiddenPatchesAreNotSeen() {
    let encoder = testEncoder(shape, engine: engine)
    let images = testImages([1, 2], side: 16, channels: 3)
    let token = Tensor(rows: 1, columns: 16, values: engine.memory.take(16))
    token.withValues { $0.update(repeating: 0.3) }
    // The first row of patches of the first image, which is its first 4 rows of pixels.
    let hidden = HiddenPatches((0..<32).map { $0 < 4 }, patches: 16)
    #expect(hidden.rows == [1, 2, 3, 4] && hidden.counts == [4, 0])
    let top = ImageMix(share: 0.75, box: PixelBox(rows: 0..<4, columns: 0..<16))
    let other = images.mixed(with: [UInt8](repeating: 9, count: 2 * 16 * 16 * 3), by: [top, top])
    let tape = Tape(engine, recording: false)
    func first(_ images: ImageBatch) -> [Float] { encoder(tape, images, hidden: (hidden, token)).rows(0..<17) }
    #expect(first(images) == first(other))
    #expect(encoder(tape, images).rows(0..<17) != encoder(tape, other).rows(0..<17))
  }

  /// The grid of a smaller image lies over the encoder's as pixels of a resized picture do.
  @Test func positionsOfAnotherGrid() {
    func table(_ grid: Int, _ full: Int) -> Tensor { positionTable(width: 8, grid: grid, full: full, engine: engine) }
    #expect(table(5, 5).array == positionTable(width: 8, grid: 5, engine: engine).array)
    // Patches of 2 in 6 are at 1 and at 4, in the middle of three each; of 3 in 9 at 1, 4 and 7.
    let six = positionTable(width: 8, grid: 6, engine: engine)
    let two = table(2, 6)
    for (place, patch) in [(0, 1 * 6 + 1), (1, 1 * 6 + 4), (2, 4 * 6 + 1), (3, 4 * 6 + 4)] {
      #expect(two.values(ofRow: 1 + place) == six.values(ofRow: 1 + patch))
    }
    #expect(two.values(ofRow: 0) == six.values(ofRow: 0))
    let encoder = testEncoder(shape, engine: engine)
    let tape = Tape(engine, recording: false)
    #expect(encoder(tape, testImages([1, 2, 3], side: 8, channels: 3)).rows == 3 * 5)
  }
}
