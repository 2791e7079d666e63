import Autodiff
import CKernels
import Compute

/// A batch normalisation of maps: weight and bias [C], running mean and variance.
struct MapNorm: Network {
  let weight: Parameter
  let bias: Parameter
  private let mean: Tensor
  private let variance: Tensor
  private let name: String

  init(_ name: String, _ channels: Int, engine: Engine, trained: Bool) {
    self.name = name
    weight = Parameter("\(name).weight", shape: [channels], engine: engine, trained: trained)
    bias = Parameter("\(name).bias", shape: [channels], engine: engine, trained: trained)
    weight.values.withValues { $0.update(repeating: 1) }
    mean = Self.row(0, channels, engine)
    variance = Self.row(1, channels, engine)
  }

  private static func row(_ value: Float, _ channels: Int, _ engine: Engine) -> Tensor {
    let row = Tensor(rows: 1, columns: channels, values: engine.memory.take(channels))
    row.withValues { $0.update(repeating: value) }
    return row
  }

  var parameters: [Parameter] { [weight, bias] }

  var constants: [Constant] {
    [("running_mean", mean), ("running_var", variance)].map { part, tensor in
      Constant(name: "\(name).\(part)", shape: [tensor.columns], tensor: tensor)
    }
  }

  /// On a tape that records by the batch's statistics, which move the running ones a tenth of the way; on another by the running ones.
  func callAsFunction(_ tape: Tape, _ x: FeatureMap, activation: Activation) -> FeatureMap {
    guard tape.isRecording else {
      let known = Tensor(rows: 2, columns: x.channels, values: tape.engine.memory.take(2 * x.channels))
      withMatrices(known, mean, variance) { known, mean, variance in
        known.row(0).update(from: mean.pointer, count: mean.columns)
        known.row(1).update(from: variance.pointer, count: mean.columns)
      }
      return tape.batchNorm(x, weight.tensor, bias.tensor, activation: activation, known: known).y
    }
    let (y, found) = tape.batchNorm(x, weight.tensor, bias.tensor, activation: activation)
    // PyTorch's momentum, and its unbiased variance.
    let unbiased = Float(Double(found.rows) / Double(found.rows - 1))
    withMatrices(mean, variance, found.values) { mean, variance, found in
      pmae_axpby(0.1, found.row(0), 0.9, mean.pointer, mean.columns)
      pmae_axpby(0.1 * unbiased, found.row(1), 0.9, variance.pointer, variance.columns)
    }
    return y
  }
}

/// A convolution without bias, a batch normalisation and max(0, ·): `NAME.0` and `NAME.1`.
struct ConvolutionNorm: Network {
  let weight: Parameter
  let norm: MapNorm
  private let side: Int

  init(_ name: String, _ inputs: Int, _ outputs: Int, side: Int, engine: Engine, trained: Bool) {
    self.side = side
    weight = Parameter("\(name).0.weight", shape: [outputs, inputs, side, side], engine: engine, trained: trained)
    norm = MapNorm("\(name).1", outputs, engine: engine, trained: trained)
  }

  var parameters: [Parameter] { [weight] + norm.parameters }
  var constants: [Constant] { norm.constants }

  /// Of several maps one behind the other, resized to the first's size.
  func callAsFunction(_ tape: Tape, _ maps: [FeatureMap]) -> FeatureMap {
    norm(tape, tape.convolution(maps, weight.tensor, side: side), activation: .rectified)
  }
}

/// A transposed convolution that doubles a map's sides: weight [I, O, 2, 2], bias [O].
struct Doubling: Network {
  let weight: Parameter
  let bias: Parameter

  init(_ name: String, _ channels: Int, engine: Engine, trained: Bool) {
    weight = Parameter("\(name).weight", shape: [channels, channels, 2, 2], engine: engine, trained: trained)
    bias = Parameter("\(name).bias", shape: [channels], engine: engine, trained: trained)
  }

  var parameters: [Parameter] { [weight, bias] }

  func callAsFunction(_ tape: Tape, _ x: FeatureMap) -> FeatureMap {
    tape.transposedConvolution(x, weight.tensor, bias: bias.tensor)
  }
}

/// Dropout of whole channels, then a 1 × 1 convolution to the classes: `NAME.conv`.
struct PixelClassifier: Network {
  let weight: Parameter
  let bias: Parameter
  private let rate: Double

  init(_ name: String, _ channels: Int, classes: Int, rate: Double, engine: Engine, trained: Bool) {
    self.rate = rate
    weight = Parameter("\(name).conv.weight", shape: [classes, channels, 1, 1], engine: engine, trained: trained)
    bias = Parameter("\(name).conv.bias", shape: [classes], engine: engine, trained: trained)
  }

  var parameters: [Parameter] { [weight, bias] }

  /// - Parameter keep: [N·C] of 0 and 1: the channels that are kept; nil for all, unscaled.
  func callAsFunction(_ tape: Tape, _ x: FeatureMap, keep: [UInt8]?) -> FeatureMap {
    let kept = keep.map { tape.keepingChannels(x, $0, scale: Float(1 / (1 - rate))) } ?? x
    return tape.convolution([kept], weight.tensor, bias: bias.tensor, side: 1)
  }
}
