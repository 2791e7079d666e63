import Autodiff
import CKernels
import Compute

/// Visual tokens without a network: a patch's token is the nearest of C centres, as k-means finds them. Each patch is first brought
/// to zero mean and unit deviation, so a token says nothing of a patch's brightness and contrast.
public struct PatchTokenizer: Network {
  /// [C, W], W = P²·channels values in row, column, channel order.
  public let centres: Tensor
  /// By which pixels are normalised for it, [1, channels] each: not always those of the model that learns its tokens.
  private let mean: Tensor
  private let deviation: Tensor
  /// P.
  public let patch: Int
  public let channels: Int
  /// C.
  public var vocabulary: Int { centres.rows }

  public var parameters: [Parameter] { [] }
  public var constants: [Constant] {
    [
      Constant(name: "centres", shape: [centres.rows, centres.columns], tensor: centres),
      Constant(name: "mean", shape: [channels], tensor: mean),
      Constant(name: "std", shape: [channels], tensor: deviation),
    ]
  }

  /// - Parameters:
  ///   - mean, deviation: of each channel, in units of 1 (white).
  ///   - values: [C, W]; zeros where they are still to be read.
  public init(
    vocabulary: Int, patch: Int, channels: Int, mean: [Float]? = nil, deviation: [Float]? = nil,
    values: [Float]? = nil, engine: Engine
  ) {
    let width = patch * patch * channels
    precondition(values?.count ?? vocabulary * width == vocabulary * width)
    (self.patch, self.channels) = (patch, channels)
    centres = Tensor(rows: vocabulary, columns: width, values: engine.memory.take(vocabulary * width))
    centres.withValues { own in
      own.update(repeating: 0)
      if let values { _ = own.update(fromContentsOf: values) }
    }
    func row(_ given: [Float]?, else value: Float) -> Tensor {
      let row = Tensor(rows: 1, columns: channels, values: engine.memory.take(channels))
      row.withValues { _ = $0.update(fromContentsOf: given ?? [Float](repeating: value, count: channels)) }
      return row
    }
    self.mean = row(mean, else: 0)
    self.deviation = row(deviation, else: 1)
  }

  /// The images by its own mean and deviation.
  public func normalised(_ images: ImageBatch) -> ImageBatch {
    ImageBatch(
      pixels: images.pixels, count: images.count, side: images.side, channels: images.channels,
      mean: mean.values(ofRow: 0), std: deviation.values(ofRow: 0))
  }

  /// Whether it can divide by its deviations.
  public var isUsable: Bool { deviation.values(ofRow: 0).allSatisfy { $0 > 0 } }

  /// Patches as the centres are compared with: places [R], image · N + patch -> [R, W].
  public static func rows(_ images: ImageBatch, places: [Int32], patch: Int, engine: Engine) -> Tensor {
    let tape = Tape(engine, recording: false, precision: .float32)
    return tape.standardiseRows(
      patchRows(images, places: places, patch: patch, order: .channelsLast, engine: engine))
  }

  /// The tokens of some patches, by their places: [R].
  public func callAsFunction(_ images: ImageBatch, places: [Int32], engine: Engine) -> [Int32] {
    nearest(Self.rows(normalised(images), places: places, patch: patch, engine: engine), engine: engine)
  }

  /// The nearest centre of each row [R, W], the first of equals.
  public func nearest(_ x: Tensor, engine: Engine) -> [Int32] {
    let halves = Tensor(rows: 1, columns: vocabulary, values: engine.memory.take(vocabulary))
    engine.rows(over: centres, halves, cost: centres.columns, as: .labels, values: centres.count) { c, halves, range in
      for r in range { halves.pointer[r] = Float(-0.5 * pmae_dot(c.row(r), c.row(r), c.columns)) }
    }
    let tape = Tape(engine, recording: false, precision: .float32)
    var ids: [Int32] = []
    ids.reserveCapacity(x.rows)
    // A part of the rows at a time: the products of all with all centres may not fit.
    let part = max(1, (1 << 24) / vocabulary)
    for first in stride(from: 0, to: x.rows, by: part) {
      let rows = (first..<min(x.rows, first + part)).map { Int32($0) }
      // x·c − |c|² / 2 is greatest where |x − c| is least.
      let products = tape.linear(rows.count == x.rows ? x : tape.gatherRows(x, rows), centres, halves)
      ids += [Int32](unsafeUninitializedCapacity: rows.count) { buffer, count in
        let out = buffer
        engine.rows(over: products, cost: vocabulary, as: .labels, values: products.count) { products, range in
          for r in range { out[r] = Int32(pmae_argmax(products.row(r), products.columns)) }
        }
        count = rows.count
      }
    }
    return ids
  }
}
