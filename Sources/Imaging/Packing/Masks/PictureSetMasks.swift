// The masks of several sources as one set's.

import Schemas
import TensorStream

struct PictureSetMasks: Sendable {
  let classes: MaskClasses
  /// Of each source.
  let sources: [SourceMasks]

  /// nil where no source has masks.
  /// - Throws: `Failure(.usage)` where the options leave open what masks mean or there are none for them; `.data` for sources of which
  ///   only some have masks, or whose masks have different classes.
  init?(_ pictures: [any PictureSource], options: SourceOptions) throws {
    if options.leavesMasksOut { return nil }
    let own = pictures.map(\.masks)
    if options.masks != nil, options.maskTable == nil, own.contains(where: { $0 == nil }) {
      throw Failure(
        .usage,
        "--masks needs --mask-classes, which says what the numbers in masks mean: a file of names, or how many classes there are"
      )
    }
    let all = try zip(pictures, own).map { picture, own in
      try own ?? options.maskTable.map { try Self.masks(of: picture, table: $0, folder: options.masks) }
    }
    guard let first = all.firstIndex(where: { $0 != nil }), let masks = all[first] else { return nil }
    if let without = all.firstIndex(where: { $0 == nil }) {
      throw Failure(
        .data,
        "\(pictures[first].name) has masks, but \(pictures[without].name) has none: pack them apart, or leave masks out with "
          + "--no-masks")
    }
    for (picture, other) in zip(pictures, all) {
      try requireSameMasks(
        masks.table.classes, of: pictures[first].name, other!.table.classes, of: picture.name)
    }
    classes = masks.table.classes
    sources = all.map { $0! }
  }

  private static func masks(
    of pictures: any PictureSource, table: MaskTable, folder: String?
  ) throws -> SourceMasks {
    if pictures.pixelShape != nil {
      throw Failure(.usage, "\(pictures.name): holds pixels: masks go with picture files")
    }
    if let folder {
      let path = FilePath(operand: folder)
      guard try ByteFile(path).isFolder else {
        throw Failure(.usage, "--masks \(path.description): expected a folder of masks")
      }
      return .folder(path, table: table) {
        pictures.entryName($0, isAlone: true)
      } picture: {
        pictures.path($0)
      }
    }
    guard pictures.file(0) != nil else {
      throw Failure(.usage, "\(pictures.name): has no masks beside its pictures: --masks names a folder of them")
    }
    return .beside(table: table) { pictures.file($0)! }
  }

  var origin: String {
    var different: [String] = []
    for source in sources where !different.contains(source.origin) { different.append(source.origin) }
    return different.prefix(3).joined(separator: "; ") + (different.count > 3 ? "; …" : "")
  }
}
