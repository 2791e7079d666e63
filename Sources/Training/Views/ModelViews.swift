import Schemas
import TensorStream

/// One recipe of a `views` stream as what a model is trained on.
public protocol ModelViews: AnyObject {
  var batches: ViewBatches { get }
  /// The recipe that is read.
  var view: String { get }
  var normalisation: Normalisation { get }
}

extension ViewsHeader {
  /// The recipe that is meant.
  /// - Parameters:
  ///   - view: its name; nil for the stream's only one, or of several the first of `preferred` that is there.
  ///   - channels: of the model.
  func chosen(_ view: String?, preferred: [String], channels: Int, source: String) throws -> String {
    let recipes = recipes.map(\.name)
    let there = recipes.isEmpty ? "none by name" : recipes.joined(separator: ", ")
    let chosen: String
    if let view {
      if !recipes.isEmpty && !recipes.contains(view) {
        throw Failure(.data, "\(source): has no view \"\(view)\", only \(there)")
      }
      chosen = view
    } else if recipes.count == 1 {
      chosen = recipes[0]
    } else if let first = preferred.first(where: recipes.contains) {
      chosen = first
    } else {
      throw Failure(.data, "\(source): its views are \(there): choose one with --view")
    }
    if let own = normalisation, own.mean.count != channels {
      throw Failure(.data, "\(source): views of \(own.mean.count) channels, but the model takes \(channels)")
    }
    return chosen
  }

  func requireWholeEpochs(_ mayBeginWithin: Bool, source: String) throws {
    guard mayBeginWithin || firstRow == 0 else {
      throw Failure(
        .data,
        "\(source): begins at row \(firstRow) of an epoch: whole epochs are needed here (see pmae-augment --from)")
    }
  }
}
