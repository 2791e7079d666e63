import Networks
import Parallel
import Schemas
import TensorStream
import Training

/// Views of noise, for a run that is timed and kept nowhere.
enum NoiseViews {
  /// The small views of a recipe that several are made by, as the papers of such objectives have them: 8 of 96 pixels where the large ones
  /// have 224.
  private static let small = (count: 8, side: 96, large: 224)

  /// Writes one epoch of the views that an objective reads.
  /// - Parameter rows: of a record, of which there are `steps`.
  static func write(
    _ path: String, for needs: [ViewNeed], of encoder: EncoderConfiguration, rows: Int, steps: Int
  ) throws {
    var views: [(name: String, side: Int)] = []
    for need in needs {
      guard let family = need.family else {
        views.append((need.name, need.side))
        continue
      }
      let side = max(encoder.image * small.side / small.large / encoder.patch, 1) * encoder.patch
      views += (1...small.count).map { ("\(family)_\($0)", side) }
    }
    let channels = encoder.channels
    var header = ViewsHeader(
      recipes: views.map { ViewsHeader.Recipe(name: $0.name) }, epochs: 1, rowsPerEpoch: rows * steps)
    header.normalisation = Normalisation(
      mean: [Double](repeating: 0.5, count: channels), std: [Double](repeating: 0.25, count: channels))
    let writer = try StreamWriter(path: path, kind: StreamKind.views.rawValue, metadata: try header.metadata())
    let tensors = views.enumerated().map { number, view -> NamedTensor in
      let values = view.side * view.side * channels
      var random = CounterRandom(seed: 0, epoch: 0, sample: number, purpose: 0)
      let picture = (0..<values).map { _ in UInt8(truncatingIfNeeded: random.next32()) }
      let bytes = [UInt8]([[UInt8]](repeating: picture, count: rows).joined())
      return (view.name, StoredTensor(bytes, shape: [rows, view.side, view.side, channels]))
    }
    for _ in 0..<steps { try writer.write(tensors) }
    try writer.finish()
  }
}
