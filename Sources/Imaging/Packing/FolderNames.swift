// What folders are called that are no classes.

/// Names of folders that say something else than a class.
enum FolderNames {
  /// The parts that a set is split into.
  private static let splits: Set<String> = [
    "train", "training", "trainval", "val", "valid", "validation", "dev", "test", "testing", "eval", "evaluation",
    "holdout",
  ]
  private static let pictures: Set<String> = [
    "image", "images", "img", "imgs", "jpegimages", "picture", "pictures", "photo", "photos", "input", "inputs",
  ]
  private static let masks: Set<String> = PictureParts.maskWords.union([
    "groundtruth", "ground_truth", "segmentationclass", "segmentationobject", "targets",
  ])

  static func isSplit(_ name: String) -> Bool { splits.contains(name.lowercased()) }

  static func areSplits(_ names: [String]) -> Bool { !names.isEmpty && names.allSatisfy(isSplit) }

  /// Pictures in one folder, and what was drawn on them in another.
  static func arePicturesAndMasks(_ names: [String]) -> Bool {
    let lower = names.map { $0.lowercased() }
    return lower.contains(where: pictures.contains) && lower.contains(where: masks.contains)
      && lower.allSatisfy { pictures.contains($0) || masks.contains($0) }
  }
}

/// Folders on the way to pictures in archives. The paths of several archives begin alike, and that beginning says no
/// class.
enum FolderPaths {
  /// For each archive the beginning of its folder paths that says nothing.
  static func roots(_ archives: [[[UInt8]]]) -> [[ArraySlice<UInt8>]] {
    let roots = archives.map { paths -> [ArraySlice<UInt8>] in
      let parts = paths.map { Self.parts($0) }
      guard var common = parts.first else { return [] }
      for path in parts.dropFirst() { common = Array(zip(common, path).prefix { $0 == $1 }.map { $0.0 }) }
      // All in one folder: it is the class.
      return parts.allSatisfy { $0.count == common.count } ? common.dropLast() : common
    }
    // A shard may have only one of the folders that others have. The root of its tree is where the others' is.
    return roots.map { root in roots.filter { root.starts(with: $0) }.min { $0.count < $1.count } ?? root }
  }

  /// The folder below the root that a path leads through, which is its class; nil where it leads elsewhere.
  static func `class`(of path: [UInt8], below root: [ArraySlice<UInt8>]) -> [UInt8]? {
    let parts = parts(path)
    return parts.count > root.count && parts.starts(with: root) ? Array(parts[root.count]) : nil
  }

  static func parts(_ path: [UInt8]) -> [ArraySlice<UInt8>] {
    path.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual([UInt8(ascii: ".")]) }
  }

  /// The parts before this one hold the named folder; what is behind it. nil where it is not on the way.
  static func below(_ folder: [UInt8], in path: [UInt8]) -> [UInt8]? {
    let parts = parts(path)
    guard let place = parts.firstIndex(where: { $0.elementsEqual(folder) }) else { return nil }
    return Array(parts[(place + 1)...].joined(separator: [UInt8(ascii: "/")]))
  }
}
