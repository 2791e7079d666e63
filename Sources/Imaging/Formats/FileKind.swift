// What a file is that is not read as a picture, by its first bytes, and what its owner can do. A name may say anything:
// an HTML page about an error is often called photo.jpg.

/// A kind of file that is told by its first bytes.
public struct FileKind: Sendable, Equatable {
  public enum Category: Sendable {
    /// A picture of a format that is not read.
    case picture
    /// Files in one file.
    case archive
    /// One file made smaller, which may be an archive.
    case compressed
    /// Numbers, tables, weights.
    case data
    case video
    case sound
    /// What stands for a file that is not there.
    case placeholder
    case other
  }

  public let category: Category
  /// With its article: "a GIF picture".
  public let name: String
  /// What to do; empty where there is nothing to do.
  public let advice: String

  init(_ category: Category, _ name: String, _ advice: String = "") {
    (self.category, self.name, self.advice) = (category, name, advice)
  }

  /// For a message: "a GIF picture, which is not read: convert it …".
  public var description: String {
    let what =
      switch category {
      case .picture: "\(name), which is not read"
      default: "\(name), not a picture"
      }
    return advice.isEmpty ? what : "\(what): \(advice)"
  }

  /// How many bytes are looked at, at most.
  public static let headSize = 512

  /// The kind of a file that begins so; nil for pictures that are read, and for unknown bytes.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.headSize))
    if ImageFile.Format(head) != nil { return nil }
    guard
      let found = Self.container(head) ?? FileSignature.kind(of: head) ?? Self.guess(head) ?? Self.text(head)
        ?? Self.zeros(head)
    else { return nil }
    self = found
  }

  public init?(_ head: [UInt8]) {
    guard let kind = head.withUnsafeBytes({ FileKind($0) }) else { return nil }
    self = kind
  }

  /// ISO's base format (HEIC, AVIF, MP4, …) and RIFF say in their second word what is inside.
  private static func container(_ head: UnsafeRawBufferPointer) -> FileKind? {
    guard head.count >= 12 else { return nil }
    let inner = String(decoding: head[8..<12], as: UTF8.self)
    if head[4..<8].elementsEqual("ftyp".utf8) {
      switch inner {
      case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1": return .heic
      case "avif", "avis":
        return FileKind(.picture, "an AVIF picture", "convert it to PNG or JPEG, for example by avifdec of libavif-bin")
      case "crx ": return .raw
      case "jxl ": return .jpegXL
      default: return .video
      }
    }
    if head[0..<4].elementsEqual("RIFF".utf8) {
      switch inner {
      case "AVI ": return .video
      case "WAVE": return .sound
      default: return nil
      }
    }
    let boxes = ["moov", "mdat", "wide", "skip", "pnot"]
    return boxes.contains { head[4..<8].elementsEqual($0.utf8) } ? .video : nil
  }

  /// Kinds with a mark that is too short to stand alone.
  private static func guess(_ head: UnsafeRawBufferPointer) -> FileKind? {
    guard head.count >= 16 else { return nil }
    func u32(_ at: Int) -> UInt32 { UInt32(littleEndian: head.loadUnaligned(fromByteOffset: at, as: UInt32.self)) }
    // BM, and a header of one of the sizes that there are.
    if head[0] == 0x42, head[1] == 0x4D, head.count >= 18, [12, 40, 52, 56, 64, 108, 124].contains(u32(14)) {
      return FileKind(.picture, "a BMP picture", "convert it to PNG, for example by convert of ImageMagick")
    }
    // A length, and JSON.
    if head[8] == UInt8(ascii: "{"), (2..<(100 << 20)).contains(u32(0)), u32(4) == 0 {
      return FileKind(.data, "a file of tensors", "if it is a stream of images, pmae-augment takes it")
    }
    if head[0] == 0x80, (2...5).contains(head[1]) {
      return FileKind(
        .data, "a Python pickle (a PyTorch file, or a batch of cifar-10-batches-py)",
        "it cannot be read without running it; take pictures, or the binary version of CIFAR")
    }
    if head.count >= 20, u32(16) == 0xBEEF_C0DE {
      return FileKind(.data, "an LMDB database", "write its pictures to files or to a tar file")
    }
    if head.count >= 4, head[0] == 0, head[1] == 0, (0x08...0x0E).contains(head[2]), (1...4).contains(head[3]) {
      return FileKind(.data, "an IDX file", "it is a source of its own, with --labels for those of its pictures")
    }
    return nil
  }

  /// Texts that come in the place of pictures.
  private static func text(_ head: UnsafeRawBufferPointer) -> FileKind? {
    let start = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    guard !head.isEmpty, !head.contains(where: { $0 < 0x09 || (0x0E..<0x1B).contains($0) }) else { return nil }
    let text = String(decoding: head[start...], as: UTF8.self).drop { $0.isWhitespace }.lowercased()
    if text.hasPrefix("version https://git-lfs.github.com/") {
      return FileKind(.placeholder, "a Git LFS pointer", "git lfs pull fetches the file that it stands for")
    }
    if text.contains("/annex/objects/") {
      return FileKind(.placeholder, "a git-annex pointer", "git annex get fetches the file that it stands for")
    }
    if text.hasPrefix("<"), text.contains("<svg") {
      return FileKind(.picture, "an SVG drawing", "draw it as PNG, for example by rsvg-convert of librsvg2-bin")
    }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.hasPrefix("<head") {
      return FileKind(.placeholder, "an HTML page", "a server's error in the place of a file? Download it again")
    }
    if text.hasPrefix("<?xml") || text.hasPrefix("<error") {
      return FileKind(.other, "an XML text", "a server's error in the place of a file?")
    }
    return nil
  }

  /// A file that was never written to the disk, or a download that stopped.
  private static func zeros(_ head: UnsafeRawBufferPointer) -> FileKind? {
    guard head.count >= 16, head.allSatisfy({ $0 == 0 }) else { return nil }
    return FileKind(
      .placeholder, "a file that begins with zeros", "its contents were lost or never written: copy it again")
  }

  static let heic = FileKind(
    .picture, "a HEIC picture", "convert it to JPEG, for example by heif-convert of libheif-examples")
  static let jpegXL = FileKind(
    .picture, "a JPEG XL picture", "convert it to PNG, for example by djxl of libjxl-tools")
  static let raw = FileKind(
    .picture, "a raw photograph of a camera", "develop it to JPEG, for example by darktable-cli")
  static let video = FileKind(.video, "a video", "ffmpeg -i FILE %05d.png makes pictures of it")
  static let sound = FileKind(.sound, "a sound")
}
