import Foundation
import Schemas
import TensorStream

extension ViewBatches {
  /// - Throws: `Failure(.data)` where the stream shows a picture more than once.
  public func requireOneEpoch() throws {
    if epochs != 1 {
      throw Failure(
        .data, "\(reader.name): holds \(epochs) epochs: evaluation looks at each picture once, so one is expected")
    }
  }
}

/// A reader of held-out views, which are looked at again and again.
/// - Throws: `Failure(.usage)` where they come by a pipe; as `StreamReader` does.
public func heldOutViews(_ path: String) throws -> StreamReader {
  var status = stat()
  let isPipe = path == "-" || stat(path, &status) == 0 && !status.isRegularFile && !status.isFolder
  if isPipe {
    throw Failure(.usage, "\(inputName(path)): held-out views are read many times: save them in a file first")
  }
  return try StreamReader(path: path, kinds: [StreamKind.views.rawValue])
}
