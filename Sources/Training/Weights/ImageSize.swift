import Compute
import Foundation
import Networks
import TensorStream

extension EncoderConfiguration {
  /// Another size of pictures for an encoder whose tensors are at hand: a fixed table of positions is computed for the new
  /// grid, and learned positions are interpolated.
  /// - Returns: what was done, in words.
  /// - Throws: `Failure(.usage)` where the patches do not divide the new size; `.data` where the positions are not as the
  ///   configuration says.
  mutating func resize(to newImage: Int, record: inout Record, source: String) throws -> String {
    var new = self
    new.image = newImage
    do {
      try new.validate()
      try record.requirePlausible(weights: new.approximateWeights, source: source)
    } catch let failure as Failure {
      throw Failure(.usage, "\(source): cannot take pictures of --image \(newImage): \(failure.message)")
    }
    guard let place = record.tensors.firstIndex(where: { $0.name == "pos_embed" }),
      case let tensor = record.tensors[place].tensor, tensor.shape == [1, 1 + patches, width]
    else {
      throw Failure(.data, "\(source): has no pos_embed [1, \(1 + patches), \(width)], which --image is to change")
    }
    let grids = "\(grid) x \(grid) patches to \(new.grid) x \(new.grid)"
    let values: [Float]
    let change: String
    switch positions {
    case .sineCosine:
      values = positionTable(width: width, grid: new.grid, engine: Engine(threads: 1)).values.array
      change = "image \(image) to \(newImage): the position table was computed for \(grids)"
    case .learned:
      values = resampledPositions(try tensor.values(of: Float.self), width: width, from: grid, to: new.grid)
      change = "image \(image) to \(newImage): learned positions were interpolated, \(grids)"
    }
    record.tensors[place].tensor = StoredTensor(
      Array(values.prefix((1 + new.patches) * width)), shape: [1, 1 + new.patches, width])
    self = new
    return change
  }
}
