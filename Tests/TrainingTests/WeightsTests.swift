import Autodiff
import Compute
import Networks
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

/// Weights in and out of a file's record.
struct WeightsTests {
  static let small = EncoderConfiguration(image: 8, patch: 4, channels: 1, width: 12, depth: 2, heads: 3)

  static func record(_ parts: [Part]) -> Record {
    Record(
      tensors: storedTensors(parts).map { name, tensor in
        // A copy: what a network holds may change.
        (name, tensor.withUnsafeBytes { StoredTensor(type: tensor.type, shape: tensor.shape, bytes: Array($0)) })
      })
  }

  static func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return (error as? Failure)?.kind == .data ? "\(error)" : "another error: \(error)"
    }
  }

  @Test func whatWasStoredComesBack() throws {
    let engine = Engine(threads: 1, poisoning: true)
    let source = testEncoder(Self.small, engine: engine)
    let record = Self.record([Part("student.", source)])
    #expect(record["student.blocks.1.attn.qkv.weight"]?.shape == [36, 12])
    #expect(record["student.patch_embed.proj.weight"]?.shape == [12, 1, 4, 4])
    #expect(record["student.cls_token"]?.shape == [1, 1, 12])
    #expect(record["student.pos_embed"]?.shape == [1, 5, 12])
    #expect(record.tensors.count == source.parameters.count + 1)

    let target = Encoder(Self.small, engine: engine, trained: false)
    try load([Part("student.", target)], from: record, source: "x.stz")
    for (mine, theirs) in zip(target.parameters, source.parameters) {
      #expect(mine.tensor.array == theirs.tensor.array)
    }
    // Two parts of one file, and what may be there besides.
    var both = Self.record([Part("a.", source), Part("b.", target)])
    both.tensors.append(("optimizer.x", StoredTensor([Float(1)], shape: [1])))
    try load([Part("a.", target), Part("b.", target)], from: both, source: "x.stz") { $0.hasPrefix("optimizer.") }
  }

  /// All that is wrong is said at once, by name, and no weight is changed.
  @Test func everythingThatDoesNotFitIsNamedAtOnce() {
    let engine = Engine(threads: 1, poisoning: true)
    let source = testEncoder(Self.small, engine: engine)
    var record = Self.record([Part("", source)])
    record.tensors.removeAll { $0.name == "blocks.0.norm1.weight" || $0.name == "cls_token" }
    record.tensors.append(("blocks.2.norm1.weight", StoredTensor([Float(1)], shape: [1])))
    record.tensors.append(("optimizer.x", StoredTensor([Float(1)], shape: [1])))
    func replace(_ name: String, _ tensor: StoredTensor) {
      if let place = record.tensors.firstIndex(where: { $0.name == name }) { record.tensors[place].tensor = tensor }
    }
    replace("norm.weight", StoredTensor([Float](repeating: 1, count: 13), shape: [13]))
    replace("blocks.1.mlp.fc1.weight", StoredTensor([Float](repeating: 1, count: 48 * 12), shape: [12, 48]))
    replace("norm.bias", StoredTensor([Double](repeating: 1, count: 12), shape: [12]))
    var values = [Float](repeating: 1, count: 12)
    values[7] = .nan
    replace("blocks.0.norm2.bias", StoredTensor(values, shape: [12]))
    values[7] = 0
    values[3] = -.infinity
    replace("blocks.1.norm2.bias", StoredTensor(values, shape: [12]))

    let target = testEncoder(Self.small, engine: engine)
    for parameter in target.parameters { parameter.values.values.update(repeating: 5) }
    let message = Self.message { try load([Part("", target)], from: record, source: "run/x.stz") }
    #expect(message.hasPrefix("run/x.stz: "))
    for part in [
      "missing: cls_token, blocks.0.norm1.weight", "not expected: blocks.2.norm1.weight, optimizer.x",
      "norm.weight is F32 [13], expected F32 [12]", "blocks.1.mlp.fc1.weight is F32 [12, 48], expected F32 [48, 12]",
      "norm.bias is F64 [12], expected F32 [12]", "blocks.0.norm2.bias holds nan at 7",
      "blocks.1.norm2.bias holds -inf at 3",
    ] { #expect(message.contains(part), "\(part) is not in: \(message)") }
    #expect(target.parameters.allSatisfy { $0.tensor.array.allSatisfy { $0 == 5 } }, "no weight was set")
  }

  @Test func aNetworkTakesAnothersValues() {
    let engine = Engine(threads: 1, poisoning: true)
    let source = testEncoder(Self.small, engine: engine)
    let target = Encoder(Self.small, engine: engine, trained: false)
    target.copy(from: source)
    for (mine, theirs) in zip(target.parameters, source.parameters) {
      #expect(mine.tensor.array == theirs.tensor.array)
    }
    #expect(source.weightCount == source.parameters.reduce(0) { $0 + $1.shape.reduce(1, *) })
  }

  /// Fresh weights: by seed, part and place alone; Xavier's bounds; tokens small; biases zero, norms one.
  @Test func freshWeightsFollowFromTheirSeed() {
    let engine = Engine(threads: 1, poisoning: true)
    func fresh(_ seed: UInt64, _ part: Int) -> [[Float]] {
      let encoder = Encoder(Self.small, engine: engine, trained: true)
      initialise(encoder, seed: seed, part: part)
      return encoder.parameters.map(\.tensor.array)
    }
    #expect(fresh(1, 0) == fresh(1, 0))
    #expect(fresh(1, 0) != fresh(2, 0) && fresh(1, 0) != fresh(1, 1))
    let encoder = Encoder(Self.small, engine: engine, trained: true)
    initialise(encoder, seed: 1, part: 0)
    for parameter in encoder.parameters {
      let values = parameter.tensor.array
      if parameter.decays {
        let bound = (6 / Float(parameter.tensor.rows + parameter.tensor.columns)).squareRoot()
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / Float(values.count)).squareRoot()
        #expect(values.allSatisfy { abs($0) <= bound } && values.contains { $0 > 0.5 * bound })
        #expect(abs(deviation - bound / Float(3).squareRoot()) < 0.15 * bound, "\(parameter.name)")
      } else if parameter.name == "cls_token" {
        #expect(values.allSatisfy { $0 != 0 && abs($0) < 0.1 })
      } else {
        #expect(
          values.allSatisfy { $0 == (parameter.name.contains("norm") && parameter.name.hasSuffix("weight") ? 1 : 0) })
      }
    }
  }
}
