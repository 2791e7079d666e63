import Autodiff
import Compute

extension Encoder {
  /// What chosen blocks put out over every patch of images of any size, raw, as maps without the class token: [B·h·w, D] each, in the order
  /// of the blocks. Blocks after the last of them are not computed, and the last norm is not applied.
  /// - Parameters:
  ///   - images: whose sides are multiples of the patch, unless a grid is given.
  ///   - grid: of patches over the images, and over the mean colour to the right of them and below.
  ///   - isStretched: see `positions(of:isStretched:)`.
  ///   - keeps: for drop path, a block each.
  public func taps(
    _ tape: Tape, _ images: ImageBatch, at taps: [Int], grid: PatchGrid? = nil, isStretched: Bool,
    keeps: [BranchKeep]? = nil
  ) -> [FeatureMap] {
    let patch = configuration.patch
    let grid = grid ?? PatchGrid(rows: images.height / patch, columns: images.width / patch)
    precondition(grid.rows * patch >= images.height && grid.columns * patch >= images.width, "parts of patches")
    let ids = (0..<images.count).flatMap { _ in 0..<Int32(grid.patches) }
    let rows = patchRows(
      images, places: (0..<Int32(images.count * grid.patches)).map { $0 }, patch: patch, grid: grid, engine: tape.engine
    )
    var x = tape.encoderTokens(
      patchEmbedding(tape, rows), classToken: classToken.tensor,
      positions: positions(of: grid, isStretched: isStretched), ids: ids, sequences: images.count)
    let tokens = Int32(1 + grid.patches)
    let patches = (0..<Int32(images.count)).flatMap { image in (1..<tokens).map { image * tokens + $0 } }
    var maps: [FeatureMap] = []
    for (place, block) in blocks.enumerated() where place <= taps.max() ?? -1 {
      x = block(tape, x, sequences: images.count, keep: keeps?[place])
      for _ in taps.filter({ $0 == place }) {
        maps.append(
          FeatureMap(tape.gatherRows(x, patches), images: images.count, height: grid.rows, width: grid.columns))
      }
    }
    return maps
  }
}

/// An encoder that is read by its blocks: what is trained of it, and what a file holds. Its last norm is left out, since
/// nothing reads it.
public struct Backbone: Network {
  public let encoder: Encoder
  public let taps: [Int]

  public init(_ encoder: Encoder, taps: [Int]) { (self.encoder, self.taps) = (encoder, taps) }

  public var parameters: [Parameter] {
    let norm = Set(encoder.norm.parameters.map(\.name))
    return encoder.parameters.filter { !norm.contains($0.name) }
  }

  /// Whether something that is read depends on a parameter.
  public func uses(_ parameter: Parameter) -> Bool {
    let parts = parameter.name.split(separator: ".")
    guard parts.count > 1, parts[0] == "blocks", let block = Int(parts[1]) else { return true }
    return block <= taps.max() ?? -1
  }
}
