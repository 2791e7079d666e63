// Which files are pictures, by their names and their neighbours' names. One rule for folders and archives.

import TensorStream

/// Tells pictures from what lies beside them.
///
/// - What cameras, clouds and systems leave (`isSidecar`) is neither a picture nor a bad picture.
/// - `K.jpg` is the picture of K. Any other file that is called K with something behind it, such as `K.txt` or
///   `K.seg.png`, says something about that picture, and is none itself. So does `K_mask.png` and its like. `K.1.jpg`,
///   with nothing but digits between, is a picture of its own.
/// - Any other file is a picture, or a bad one, by its bytes.
struct PictureParts {
  /// The stems of all pictures, hashed, in order; made at the first use.
  private var stems: [UInt64]?
  private let names: () -> [UInt64]

  /// - Parameter stems: the hashes of the stems of all files that are pictures by name.
  init(stems: @escaping () -> [UInt64]) { names = stems }

  static let pictureSuffixes: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "jp2", "j2k",
    "jxl",
    "ppm", "pgm", "pbm", "pnm", "tga", "ico",
  ]
  static let maskWords: Set<String> = [
    "mask", "masks", "seg", "segm", "segmentation", "gt", "label", "labels", "labelids", "annotation", "annotations",
    "trimap", "trimaps", "matte", "depth", "instance", "instances", "instanceids",
  ]
  private static let sidecarFiles: Set<String> = [
    "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r",
  ]
  private static let sidecarFolders: Set<String> = [
    "@eadir", "__macosx", "#recycle", "@recycle", "$recycle.bin", "system volume information", "lost+found",
  ]
  private static let sidecarSuffixes: Set<String> = [
    "mov", "mp4", "m4v", "avi", "mkv", "mts", "m2ts", "3gp", "3g2", "mpg", "mpeg", "wmv", "webm", "insv", "lrv", "thm",
    "wav", "m4a", "mp3", "aae", "xmp", "json", "xml", "pp3", "dop", "on1",
  ]

  /// Whether a file or a folder is left by a camera, a cloud or a system: videos, thumbnails, edits, and all that begins with a dot.
  static func isSidecar(_ base: some RandomAccessCollection<UInt8>, isFolder: Bool) -> Bool {
    if base.first == UInt8(ascii: ".") { return true }
    let name = String(decoding: base, as: UTF8.self).lowercased()
    if isFolder { return sidecarFolders.contains(name) || name.hasSuffix(".lrdata") }
    return sidecarFiles.contains(name) || suffix(of: base).map { sidecarSuffixes.contains($0) } ?? false
  }

  /// What is behind the last dot, in lower case; nil where there is no dot, or nothing before it.
  static func suffix(of base: some RandomAccessCollection<UInt8>) -> String? {
    guard let dot = base.lastIndex(of: UInt8(ascii: ".")), dot > base.startIndex else { return nil }
    return String(decoding: base[base.index(after: dot)...], as: UTF8.self).lowercased()
  }

  static func isPicture(_ base: some RandomAccessCollection<UInt8>) -> Bool {
    suffix(of: base).map { pictureSuffixes.contains($0) } ?? false
  }

  /// The name without its last suffix.
  static func stem(_ base: some RandomAccessCollection<UInt8>) -> ArraySlice<UInt8> {
    let base = ArraySlice(Array(base))
    guard let dot = base.lastIndex(of: UInt8(ascii: ".")), dot > base.startIndex else { return base }
    return base[..<dot]
  }

  /// A stem's hash, within a folder.
  static func hash(_ stem: some Collection<UInt8>, folder: some Collection<UInt8>) -> UInt64 {
    let seed = Array(folder).withUnsafeBytes { xxh64($0, seed: 0) }
    return Array(stem).withUnsafeBytes { xxh64($0, seed: seed) }
  }

  /// The note about pictures that are passed over; `first` is one of them.
  static func note(_ count: Int, _ first: String) -> String {
    "\(counted(count, "picture")) left out, as \(first): named after a picture beside it, as masks are; --mask-classes packs them as masks, --with-masks as pictures"
  }

  /// Whether a file belongs to a picture beside it.
  mutating func isPart(_ base: some RandomAccessCollection<UInt8>, folder: some Collection<UInt8>) -> Bool {
    let isPicture = Self.isPicture(base)
    let candidates = Self.pictureStems(of: Array(base), isPicture: isPicture)
    if candidates.isEmpty { return false }
    if stems == nil { stems = names().sorted() }
    return candidates.contains { contains(Self.hash($0, folder: folder)) }
  }

  /// The stems that a file would belong to, if there were pictures of them.
  private static func pictureStems(of base: [UInt8], isPicture: Bool) -> [ArraySlice<UInt8>] {
    guard let last = base.lastIndex(of: UInt8(ascii: ".")), last > 0 else { return [] }
    var found: [ArraySlice<UInt8>] = isPicture ? [] : [base[..<last]]
    for dot in base[..<last].indices where base[dot] == UInt8(ascii: ".") && dot > 0 {
      let between = base[(dot + 1)..<last]
      let isNumbered = isPicture && between.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
      if !isNumbered { found.append(base[..<dot]) }
    }
    if isPicture, let cut = maskWord(in: base[..<last]) { found.append(base[..<cut]) }
    return found
  }

  /// Where `_mask`, `-seg`, ` label`, `_mask_1` and their like begin at a stem's end.
  private static func maskWord(in stem: ArraySlice<UInt8>) -> Int? {
    let separators: [UInt8] = [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: " ")]
    let digits = stem.reversed().prefix { (0x30...0x39).contains($0) }.count
    var rest = stem.dropLast(digits)
    if digits > 0, let end = rest.last, separators.contains(end) { rest = rest.dropLast() }
    guard let cut = rest.lastIndex(where: separators.contains), cut > stem.startIndex,
      maskWords.contains(String(decoding: rest[(cut + 1)...], as: UTF8.self).lowercased())
    else { return nil }
    return cut
  }

  private func contains(_ hash: UInt64) -> Bool {
    guard let stems else { return false }
    var (low, high) = (0, stems.count)
    while low < high {
      let middle = (low + high) / 2
      if stems[middle] < hash { low = middle + 1 } else { high = middle }
    }
    return low < stems.count && stems[low] == hash
  }
}
