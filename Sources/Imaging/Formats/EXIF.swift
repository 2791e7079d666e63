// The one thing that is taken from EXIF: which way up the picture is. EXIF is a small TIFF file inside a picture file.
// Cameras and editors write it with many mistakes, so what cannot be understood counts as absent, never as an error.

enum EXIF {
  /// What stands in front of EXIF in a JPEG segment, and by mistake elsewhere: Exif, and two zeros.
  static let start: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]

  /// Tag 0x0112 of the first directory, whatever its value; nil where there is none that can be read.
  static func orientation(_ block: UnsafeRawBufferPointer) -> Int? {
    let tiff = UnsafeRawBufferPointer(rebasing: block.starts(with: start) ? block.dropFirst(start.count) : block[...])
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
    var found: Int?
    for i in 0..<u16(directory) {
      let entry = directory + 2 + 12 * i
      guard entry + 12 <= tiff.count else { break }
      // A tag, a type (3 for 16 bits, 4 for 32), how many values, and the values where they fit into 4 bytes.
      guard u16(entry) == 0x0112, u32(entry + 4) == 1 else { continue }
      switch u16(entry + 2) {
      case 3: found = u16(entry + 8)
      case 4: found = u32(entry + 8)
      default: break
      }
    }
    return found
  }
}

/// The other place that says it: the property `tiff:Orientation` of an XMP packet, an XML text.
enum XMP {
  /// The digit behind the property, as an attribute or an element; nil where there is none.
  static func orientation(_ packet: UnsafeRawBufferPointer) -> Int? {
    let name = Array("tiff:Orientation".utf8)
    var rest = packet[...]
    while let first = rest.firstIndex(of: name[0]) {
      rest = rest[first...]
      if rest.starts(with: name) {
        let value = rest.dropFirst(name.count)
        for mark in ["=\"", ">"] where value.starts(with: mark.utf8) {
          if let digit = value.dropFirst(mark.utf8.count).first, (0x30...0x39).contains(digit) {
            return Int(digit) - 0x30
          }
        }
      }
      rest = rest.dropFirst()
    }
    return nil
  }
}
