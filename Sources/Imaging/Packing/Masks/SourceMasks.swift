// Where the masks of a source's pictures are.

import TensorStream

/// The masks of one source's pictures.
struct SourceMasks: Sendable {
  /// What the numbers in them mean.
  let table: MaskTable
  /// Where they come from, as in `masks from …`.
  let origin: String
  /// A picture's mask, by its number: what messages call it, and its bytes in the memory.
  /// - Throws: `Failure(.data)` or `.noInput` where there is none.
  let read: @Sendable (_ index: Int, _ memory: Scratch<UInt8>) throws -> (name: String, bytes: UnsafeRawBufferPointer)
}

/// Names that a mask may have beside its picture's: `street.seg.png`, `street_mask.png`, and so on.
enum MaskNames {
  private static let words = ["seg", "mask", "label", "labels", "segmentation", "annotation", "gt", "trimap"]

  /// The endings behind a picture's stem, the likeliest first.
  /// - Parameter isBeside: whether a mask lies in the picture's own folder, where STEM.png could be the picture.
  static func endings(isBeside: Bool) -> [[UInt8]] {
    (isBeside ? [] : [".png"].map { Array($0.utf8) })
      + words.flatMap { word in [".", "_", "-"].map { Array("\($0)\(word).png".utf8) } }
  }
}

extension SourceMasks {
  /// Masks in a folder of their own, each called as its picture: `b/7.png` of `b/7.jpg`.
  /// - Parameters:
  ///   - name: what a picture is called within its source.
  ///   - picture: what messages call it.
  static func folder(
    _ folder: FilePath, table: MaskTable, name: @escaping @Sendable (Int) -> [UInt8],
    picture: @escaping @Sendable (Int) -> String
  ) -> SourceMasks {
    let endings = MaskNames.endings(isBeside: false)
    return SourceMasks(table: table, origin: folder.description) { index, memory in
      let stem = PictureParts.stem(name(index))
      // An absolute path of a list is looked for by its last part.
      let base = Array(FilePath(bytes: Array(stem)).base)
      let places = [Array(stem.drop { $0 == UInt8(ascii: "/") }), base]
      for place in places[0] == base ? [base] : places {
        for ending in endings {
          let path = folder.appending(place + ending)
          if path.isFile { return try file(path, memory) }
        }
      }
      throw missing(picture(index), folder.appending(places[0] + Array(".png".utf8)).description)
    }
  }

  /// Masks beside their pictures: `7.seg.png` of `7.jpg`.
  /// - Parameter picture: the file of a picture.
  static func beside(table: MaskTable, picture: @escaping @Sendable (Int) -> FilePath) -> SourceMasks {
    let endings = MaskNames.endings(isBeside: true)
    return SourceMasks(table: table, origin: "files beside the pictures") { index, memory in
      let own = picture(index)
      let stem = Array(PictureParts.stem(own.bytes))
      for ending in endings {
        let path = FilePath(bytes: stem + ending)
        if path.isFile { return try file(path, memory) }
      }
      throw missing(own.description, FilePath(bytes: stem + endings[0]).description)
    }
  }

  static func file(_ path: FilePath, _ memory: Scratch<UInt8>) throws -> (String, UnsafeRawBufferPointer) {
    (path.description, try ByteFile(path).readAll(into: memory, limit: maximumPictureFileSize))
  }

  static func missing(_ picture: String, _ expected: String) -> Failure {
    Failure(.data, "\(picture): has no mask: expected \(expected)")
  }
}
