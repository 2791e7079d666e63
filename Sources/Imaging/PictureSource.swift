// What pmae-pack packs: pictures in some order, with or without labels, from files of some format.

import Compute
import TensorStream

/// A set of pictures that can be written as an images stream.
///
/// The stream's first record says what only a look at every picture can tell (mean, deviation, sizes), so the chosen ones are
/// surveyed first and written after.
public protocol PictureSource {
  /// What messages call it.
  var name: String { get }
  var count: Int { get }
  /// A class for each picture, from 0; nil where there are none.
  var labels: [Int32]? { get }
  /// The names of the classes; nil where there are no labels.
  var classes: [String]? { get }

  /// Looks at every chosen picture, which checks it, and returns the metadata of their stream but for the classes.
  /// `progress` is told how many are done.
  func survey(_ chosen: [Int], pool: ThreadPool, progress: (Int) -> Void) throws -> [String: String]

  /// Writes the chosen pictures, in that order, as data records.
  /// - Parameter rowsPerRecord: nil for the format's own choice.
  func write(_ chosen: [Int], rowsPerRecord: Int?, to writer: StreamWriter, progress: (Int) -> Void) throws
}

extension PictureSource {
  /// The metadata of the stream of the chosen pictures: `classes`, `mean`, `std`, `sizes`, `count`, …
  public func metadata(_ chosen: [Int], pool: ThreadPool, progress: (Int) -> Void) throws -> [String: String] {
    var metadata = try survey(chosen, pool: pool, progress: progress)
    if let classes { metadata["classes"] = try JSONText.encode(classes) }
    metadata["count"] = String(chosen.count)
    return metadata
  }

  /// The labels of some pictures as a tensor.
  func labelTensor(_ chosen: ArraySlice<Int>) -> [NamedTensor] {
    guard let labels else { return [] }
    return [(name: "label", tensor: StoredTensor(chosen.map { labels[$0] }, shape: [chosen.count]))]
  }
}
