// The one thing that is taken from EXIF: which way up the picture is. EXIF is a small TIFF file inside a JPEG's APP1 segment or a PNG's
// eXIf chunk. Cameras and editors write it in many states of repair, so what can't be understood counts as absent, never as an error.

extension Orientation {
  /// The orientation of a JPEG or PNG file; upright where it says nothing that can be understood.
  ///
  /// XMP's `tiff:Orientation`, which Pillow falls back to, is not looked for.
  init(exifOf file: UnsafeRawBufferPointer) {
    let block =
      switch ImageFile.Format(file) {
      case .jpeg: EXIF.block(ofJPEG: file)
      case .png: EXIF.block(ofPNG: file)
      case nil: nil as Range<Int>?
      }
    self = block.flatMap { EXIF.orientation(UnsafeRawBufferPointer(rebasing: file[$0])) } ?? .upright
  }
}

enum EXIF {
  private static let start: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]  // Exif, and two zeros

  /// Where the first EXIF segment before the picture data is.
  static func block(ofJPEG file: UnsafeRawBufferPointer) -> Range<Int>? {
    var at = 2
    while at + 4 <= file.count, file[at] == 0xFF {
      let marker = file[at + 1]
      if marker == 0xFF {  // a fill byte
        at += 1
        continue
      }
      let isAlone = marker <= 0x01 || (0xD0...0xD9).contains(marker)
      let length = Int(file[at + 2]) << 8 | Int(file[at + 3])
      // 0xDA begins the picture data.
      guard !isAlone, marker != 0xDA, length >= 2, at + 2 + length <= file.count else { return nil }
      let content = (at + 4)..<(at + 2 + length)
      if marker == 0xE1, file[content].starts(with: start) { return content.dropFirst(start.count) }
      at = content.upperBound
    }
    return nil
  }

  /// Where the eXIf chunk is. It may follow the picture data.
  static func block(ofPNG file: UnsafeRawBufferPointer) -> Range<Int>? {
    var at = PNG.signature.count
    while at + 12 <= file.count {
      let length = Int(UInt32(bigEndian: file.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      let content = (at + 8)..<(at + 8 + length)
      guard content.upperBound + 4 <= file.count else { return nil }
      if file[(at + 4)..<(at + 8)].elementsEqual("eXIf".utf8) {
        // Some writers put the beginning of a JPEG segment in front.
        return file[content].starts(with: start) ? content.dropFirst(start.count) : content
      }
      at = content.upperBound + 4
    }
    return nil
  }

  /// Tag 0x0112 of the first directory; nil where there is none or it isn't one of the eight.
  static func orientation(_ tiff: UnsafeRawBufferPointer) -> Orientation? {
    guard tiff.count >= 8, tiff[0] == tiff[1], tiff[0] == UInt8(ascii: "I") || tiff[0] == UInt8(ascii: "M") else {
      return nil
    }
    let isLittle = tiff[0] == UInt8(ascii: "I")
    func u16(_ at: Int) -> Int {
      let value = tiff.loadUnaligned(fromByteOffset: at, as: UInt16.self)
      return Int(isLittle ? UInt16(littleEndian: value) : UInt16(bigEndian: value))
    }
    func u32(_ at: Int) -> Int {
      let value = tiff.loadUnaligned(fromByteOffset: at, as: UInt32.self)
      return Int(isLittle ? UInt32(littleEndian: value) : UInt32(bigEndian: value))
    }
    let directory = u32(4)
    guard u16(2) == 42, directory + 2 <= tiff.count else { return nil }
    var found: Orientation?
    for i in 0..<u16(directory) {
      let entry = directory + 2 + 12 * i
      guard entry + 12 <= tiff.count else { break }
      // A tag, a type (3 for 16 bits, 4 for 32), how many values, and the values where they fit into 4 bytes.
      guard u16(entry) == 0x0112, u32(entry + 4) == 1 else { continue }
      switch u16(entry + 2) {
      case 3: found = Orientation(rawValue: u16(entry + 8))
      case 4: found = Orientation(rawValue: u32(entry + 8))
      default: break
      }
    }
    return found
  }
}
