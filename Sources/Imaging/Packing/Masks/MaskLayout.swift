// The layouts of sets with masks: ADE20K's, Pascal VOC's and Cityscapes', told by their folders.

import Foundation
import Schemas
import TensorStream

enum MaskLayout {
  /// A folder in one of these layouts; nil where it is something else, or `--split` names one of its own folders.
  /// - Throws: `Failure(.usage)` where the part of the set is not said, or there is none of that name.
  static func source(_ root: FilePath, options: SourceOptions) throws -> PairedPictures? {
    if let split = options.split, isFolder(root, split) { return nil }
    if isFolder(root, "leftImg8bit"), isFolder(root, "gtFine") { return try cityscapes(root, options) }
    if isFolder(root, "JPEGImages"), isFolder(root, "SegmentationClass"), isFolder(root, "ImageSets/Segmentation") {
      return try pascalVOC(root, options)
    }
    if isFolder(root, "images"), isFolder(root, "annotations") {
      let masks = Set(try folders(root, "annotations"))
      let splits = try folders(root, "images").filter(masks.contains)
      if !splits.isEmpty { return try ade20k(root, splits, options) }
    }
    return nil
  }

  /// `images/SPLIT/X.jpg` and `annotations/SPLIT/X.png`. Of a mask 0 is no class, and 1 the first.
  private static func ade20k(_ root: FilePath, _ splits: [String], _ options: SourceOptions) throws -> PairedPictures {
    let layout = "ADE20K's layout"
    let split = try chosen(options.split, of: splits, root, layout)
    let table: MaskTable? = try masks(options) {
      let places = ["objectInfo150.txt", "objectInfo.txt"].map { root.appending(path: Array($0.utf8)) }
      guard let names = places.first(where: \.isFile) else {
        throw Failure(
          .data,
          "\(root.description): \(layout) without objectInfo150.txt, which names the classes: --mask-classes FILE or NUMBER "
            + "says them, with --ignore-id 0")
      }
      return try MaskClassFile.table(file: names, ignored: options.ignoredIds)
    }
    var pictures = NameTable()
    try append(to: &pictures, root, "images/\(split)") { _ in true }
    return try PairedPictures(
      root, layout: layout, pictures: pictures, table: table,
      mask: folder(options) ?? {
        root.appending(path: Array("annotations".utf8) + stem($0).dropFirst(6) + Array(".png".utf8))
      })
  }

  /// `JPEGImages/X.jpg` and `SegmentationClass/X.png`, of the names in `ImageSets/Segmentation/SPLIT.txt`.
  private static func pascalVOC(_ root: FilePath, _ options: SourceOptions) throws -> PairedPictures {
    let layout = "Pascal VOC's layout"
    let lists = try FolderListing(root.appending(path: Array("ImageSets/Segmentation".utf8)), takesParts: true).files
    let splits = (0..<lists.count).filter { PictureParts.suffix(of: lists[$0]) == "txt" }.map {
      String(decoding: PictureParts.stem(lists[$0]), as: UTF8.self)
    }
    let split = try chosen(options.split, of: splits, root, layout)
    let list = try ByteFile(root.appending(path: Array("ImageSets/Segmentation/\(split).txt".utf8)))
    var pictures = NameTable()
    for line in try ListText.read(list).split(whereSeparator: { $0 == 10 || $0 == 13 }) {
      let name = trimmed(line)
      if name.isEmpty { continue }
      let place = Array("JPEGImages/".utf8) + name
      let png = place + Array(".png".utf8)
      pictures.append(root.appending(path: png).isFile ? png : place + Array(".jpg".utf8))
    }
    let classes = MaskClasses(
      names: vocNames, colours: vocNames.indices.map { MaskClasses.colour(of: $0) })
    return try PairedPictures(
      root, layout: layout, pictures: pictures,
      table: try masks(options) { .plain(classes, ignored: options.ignoredIds, readsColours: true) },
      mask: folder(options) ?? {
        root.appending(path: Array("SegmentationClass".utf8) + stem($0).dropFirst(10) + Array(".png".utf8))
      })
  }

  /// `leftImg8bit/SPLIT/CITY/X_leftImg8bit.png` and `gtFine/SPLIT/CITY/X_gtFine_labelIds.png`.
  private static func cityscapes(_ root: FilePath, _ options: SourceOptions) throws -> PairedPictures {
    let layout = "Cityscapes' layout"
    let split = try chosen(options.split, of: try folders(root, "leftImg8bit"), root, layout)
    let ending = Array("_leftImg8bit".utf8)
    var pictures = NameTable()
    let top = "leftImg8bit/\(split)"
    for city in try folders(root, top) {
      try append(to: &pictures, root, "\(top)/\(city)") { stem($0).suffix(ending.count).elementsEqual(ending) }
    }
    let numbers = cityscapesClasses.map(\.number)
    let table = MaskTable(
      MaskClasses(names: cityscapesClasses.map(\.name), colours: cityscapesClasses.map(\.colour)), numbers: numbers,
      ignored: (0...33).filter { !numbers.contains($0) } + options.ignoredIds)
    return try PairedPictures(
      root, layout: layout, pictures: pictures, table: try masks(options) { table },
      mask: folder(options) ?? {
        let name = stem($0).dropFirst(11).dropLast(ending.count)
        return root.appending(path: Array("gtFine".utf8) + name + Array("_gtFine_labelIds.png".utf8))
      })
  }

  // MARK: What they share

  /// What --mask-classes says, or what the layout itself does; nil where masks are left out.
  private static func masks(_ options: SourceOptions, _ own: () throws -> MaskTable) throws -> MaskTable? {
    if options.leavesMasksOut { return nil }
    return try options.maskTable ?? own()
  }

  /// Where --masks names a folder, a mask's path is the picture's last part in it.
  private static func folder(_ options: SourceOptions) -> (@Sendable ([UInt8]) -> FilePath)? {
    guard let folder = options.masks.map({ FilePath(operand: $0) }) else { return nil }
    return { folder.appending(Array(FilePath(bytes: stem($0)).base) + Array(".png".utf8)) }
  }

  private static func stem(_ name: [UInt8]) -> [UInt8] { Array(PictureParts.stem(name)) }

  private static func isFolder(_ root: FilePath, _ name: String) -> Bool {
    root.appending(path: Array(name.utf8)).status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  private static func folders(_ root: FilePath, _ name: String) throws -> [String] {
    try FolderListing(root.appending(path: Array(name.utf8)), takesParts: true).folders
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private static func append(
    to names: inout NameTable, _ root: FilePath, _ folder: String, where isPicture: ([UInt8]) -> Bool
  ) throws {
    let files = try FolderListing(root.appending(path: Array(folder.utf8)), takesParts: false).files
    for i in 0..<files.count where isPicture(Array(files[i])) {
      names.append(Array(folder.utf8) + [UInt8(ascii: "/")] + files[i])
    }
  }

  private static func chosen(_ split: String?, of there: [String], _ root: FilePath, _ layout: String) throws -> String
  {
    let shown = there.isEmpty ? "there is none" : "there are \(there.map { printable($0) }.joined(separator: ", "))"
    guard let split else {
      throw Failure(.usage, "\(root.description): \(layout): --split says which part of it to pack: \(shown)")
    }
    guard there.contains(split) else {
      throw Failure(.usage, "\(root.description): --split \(split): \(layout) has no such part: \(shown)")
    }
    return split
  }
}
