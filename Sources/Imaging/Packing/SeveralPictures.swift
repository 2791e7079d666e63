// Files that hold several pictures: pages of a TIFF file, frames of an animation. The first is packed, and a note has
// to say so.

import Synchronization
import TensorStream

/// Counts such files, whichever thread reads them.
final class SeveralPictures: Sendable {
  private struct Found {
    var files = 0
    var first: (index: Int, name: String, pictures: Int)?
  }

  private let found = Mutex(Found())

  /// Looks at a picture file. `index` is its place, so that the one that is named does not depend on threads.
  func look(at bytes: UnsafeRawBufferPointer, index: Int, name: @autoclosure () -> String) {
    let pictures = ImageFile.pictures(bytes)
    if pictures < 2 { return }
    let name = name()
    found.withLock { found in
      found.files += 1
      if index < found.first?.index ?? .max { found.first = (index, name, pictures) }
    }
  }

  /// For people; nil where there was none.
  var sentence: String? {
    found.withLock { found in
      found.first.map { first in
        "\(first.name): holds \(grouped(first.pictures)) pictures, and the first was packed"
          + (found.files > 1 ? "; so it is with \(counted(found.files - 1, "other file"))" : "")
          + ". To pack all, write each to a file of its own (tiffsplit, webpmux)"
      }
    }
  }
}
