import Autodiff
import Compute
import Networks
import Parallel
import Schemas
import TestSupport
import Testing
import Training

/// Drop path leaves samples out of a branch, and what a sample gives does not depend on those beside it.
struct DropPathTests {
  static let two = EncoderConfiguration(image: 12, patch: 4, channels: 3, width: 20, depth: 2, heads: 5)
  static let one = EncoderConfiguration(image: 12, patch: 4, channels: 3, width: 20, depth: 1, heads: 5)

  let engine = Engine(threads: 2, poisoning: true)
  let images = testImages([0, 1, 2], side: 12, channels: 3)
  /// Rows of a sample: its class token and nine patches.
  let tokens = 10

  func run(_ encoder: Encoder, _ images: ImageBatch, _ keeps: [BranchKeep]? = nil) -> Tensor {
    encoder(Tape(engine), images, keeps: keeps)
  }

  private func close(_ a: [Float], _ b: [Float], tolerance: Float = 2e-6) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }

  static let all: [Int32] = [0, 1, 2]

  @Test func ratesRiseInALineFromZero() {
    let encoder = Encoder(
      EncoderConfiguration(image: 8, patch: 4, channels: 1, width: 8, depth: 5, heads: 2), dropPath: 0.2,
      engine: engine,
      trained: true)
    for (block, rate) in zip(encoder.blocks, [0, 0.05, 0.1, 0.15, 0.2]) { #expect(abs(block.dropPath - rate) < 1e-15) }
    let single = Encoder(Self.one, dropPath: 0.2, engine: engine, trained: true)
    #expect(single.blocks[0].dropPath == 0)
    #expect(
      single.drawKeeps([CounterRandom(seed: 0, epoch: 0, sample: 0, purpose: 0)]) == nil, "nothing is ever dropped")
  }

  /// A block with everything dropped passes its input through: the network without it gives the same bits.
  @Test func aBlockThatIsDroppedIsNotThere() {
    let deep = testEncoder(Self.two, dropPath: 0.25, engine: engine)
    let shallow = Encoder(Self.one, engine: engine, trained: true)
    let byName = Dictionary(uniqueKeysWithValues: deep.parameters.map { ($0.name, $0) })
    for parameter in shallow.parameters {
      parameter.values.pointer.update(from: byName[parameter.name]!.values.pointer, count: parameter.tensor.count)
    }
    let nothing = BranchKeep(attention: [], mlp: [])
    let dropped = run(deep, images, [BranchKeep(attention: Self.all, mlp: Self.all), nothing])
    #expect(dropped.array == run(shallow, images).array)
    #expect(dropped.array != run(deep, images).array)
  }

  /// A kept sample's branch counts 1 / (1 − rate): with a rate of a half, as much as weights of twice the size.
  @Test func keptBranchesAreScaled() {
    let dropping = testEncoder(Self.two, dropPath: 0.5, engine: engine)
    let doubled = testEncoder(Self.two, engine: engine)
    for parameter in doubled.parameters
    where parameter.name.hasPrefix("blocks.1.attn.proj") || parameter.name.hasPrefix("blocks.1.mlp.fc2") {
      for i in 0..<parameter.tensor.count { parameter.values.pointer[i] *= 2 }
    }
    let everything = BranchKeep(attention: Self.all, mlp: Self.all)
    let kept = run(dropping, images, [everything, everything])
    #expect(close(kept.array, run(doubled, images).array))
    #expect(!close(kept.array, run(dropping, images).array, tolerance: 1e-3), "scaled in training alone")
  }

  /// Which samples are kept changes the others in nothing.
  @Test func samplesDoNotMix() {
    let encoder = testEncoder(Self.two, dropPath: 0.25, engine: engine)
    func output(_ attention: [Int32], _ mlp: [Int32], _ sample: Int) -> [Float] {
      let keep = BranchKeep(attention: attention, mlp: mlp)
      return run(encoder, images, [BranchKeep(attention: Self.all, mlp: Self.all), keep])
        .rows(sample * tokens..<(sample + 1) * tokens)
    }
    for sample in 0..<3 {
      let s = Int32(sample)
      let others = Self.all.filter { $0 != s }
      #expect(close(output([s], [s], sample), output(Self.all, Self.all, sample)))
      #expect(close(output([s], [], sample), output(Self.all, others, sample)))
      #expect(close(output([], [s], sample), output(others, Self.all, sample)))
      #expect(close(output([], [], sample), output(others, others, sample)))
      #expect(!close(output([s], [], sample), output([s], [s], sample), tolerance: 1e-3))
      #expect(!close(output([], [s], sample), output([s], [s], sample), tolerance: 1e-3))
    }
  }

  /// Gradients of dropped branches: a block that no sample passes gets none.
  @Test func aDroppedBlockGetsNoGradient() {
    let encoder = testEncoder(Self.two, dropPath: 0.25, engine: engine)
    let tape = Tape(engine)
    let y = encoder(
      tape, images, keeps: [BranchKeep(attention: Self.all, mlp: [1]), BranchKeep(attention: [], mlp: [0, 2])])
    let target = Tensor(rows: y.rows, columns: y.columns, values: engine.memory.take(y.count))
    target.values.zero()
    tape.backward([(tape.meanSquaredError(y, target: target), 1)])
    for parameter in encoder.parameters {
      let isDropped = parameter.name.hasPrefix("blocks.1.attn") || parameter.name.hasPrefix("blocks.1.norm1")
      #expect((parameter.tensor.gradient == nil) == isDropped, "\(parameter.name)")
    }
  }

  @Test func whatIsDrawnDependsOnTheSampleAlone() throws {
    let encoder = Encoder(
      EncoderConfiguration(image: 8, patch: 4, channels: 1, width: 8, depth: 4, heads: 2), dropPath: 0.5,
      engine: engine,
      trained: true)
    func random(_ sample: Int) -> CounterRandom {
      CounterRandom(seed: 3, epoch: 1, sample: sample, purpose: Purpose.dropPath.rawValue)
    }
    /// For each sample the branches that keep it.
    func kept(_ samples: [Int]) throws -> [[Bool]] {
      let keeps = try #require(encoder.drawKeeps(samples.map(random)))
      return samples.indices.map { s in
        keeps.flatMap { [$0.attention.contains(Int32(s)), $0.mlp.contains(Int32(s))] }
      }
    }
    let samples = Array(0..<400)
    let together = try kept(samples)
    for s in [0, 7, 399] { #expect(try kept([s]) == [together[s]]) }
    #expect(try kept(samples.reversed()) == together.reversed())
    // And as often as the rates say: 0, 1/6, 1/3 and 1/2 are dropped, attention and MLP apart.
    for branch in 0..<8 {
      let rate = Double(branch / 2) / 6
      let dropped = Double(together.count { !$0[branch] }) / 400
      #expect(abs(dropped - rate) <= 4 * (rate * (1 - rate) / 400).squareRoot())
    }
    #expect(together.contains { $0[6] != $0[7] }, "the two branches are drawn apart")
  }

  /// An image's tokens are the same whatever images stand beside it, and whichever way its patches are dealt out.
  @Test func anImageGivesTheSameInAnyBatch() {
    let encoder = testEncoder(Self.two, engine: engine)
    let together = run(encoder, testImages([0, 1, 2, 3, 4, 5, 6], side: 12, channels: 3))
    for number in [0, 3, 6] {
      let alone = run(encoder, testImages([number], side: 12, channels: 3))
      #expect(close(alone.array, together.rows(number * tokens..<(number + 1) * tokens)))
    }
    // Folds: two sequences of an image are those of the image twice.
    let pair = testImages([4, 5], side: 12, channels: 3)
    let folds: [Int32] = [3, 1, 8, 0, 2, 5, 7, 4, 6, 6, 0, 1]
    let folded = encoder(Tape(engine), pair, ids: folds, sequencesPerImage: 2)
    let twice = encoder(Tape(engine), testImages([4, 4, 5, 5], side: 12, channels: 3), ids: folds)
    #expect(folded.rows == 16 && folded.array == twice.array)
    // The order of a sequence's patches changes nothing but the order of its tokens.
    let turned = encoder(Tape(engine), testImages([4], side: 12, channels: 3), ids: [8, 3, 1])
    for (place, from) in [(0, 0), (1, 3), (2, 1), (3, 2)] {
      #expect(close(turned.rows(place..<place + 1), folded.rows(from..<from + 1), tolerance: 1e-5))
    }
  }

  @Test func bitsDoNotDependOnTheThreads() {
    let batch = testImages(Array(0..<40), side: 12, channels: 3)
    var results: [[Float]] = []
    for threads in [1, 2, 3, 7] {
      let engine = Engine(threads: threads, poisoning: true)
      let encoder = testEncoder(Self.two, dropPath: 0.25, engine: engine)
      let keep = BranchKeep(attention: (0..<40).filter { $0 % 3 != 0 }, mlp: (0..<40).filter { $0 % 4 != 0 })
      results.append(encoder(Tape(engine), batch, keeps: [keep, keep]).array)
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}
