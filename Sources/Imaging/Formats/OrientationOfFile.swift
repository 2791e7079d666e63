// Which way up a picture file says that its picture is. Each format has its own place for EXIF and for XMP; EXIF counts where both say it,
// as in Pillow's exif_transpose.

import CZlib

extension Orientation {
  /// By EXIF where that has the tag, even with a value that means nothing; by XMP otherwise.
  private init(exif: Int?, xmp: @autoclosure () -> Int?) {
    self = (exif ?? xmp()).flatMap { Orientation(rawValue: $0) } ?? .upright
  }

  /// By the first EXIF segment in front of the pixels, or the last XMP segment.
  init(ofJPEG file: UnsafeRawBufferPointer) {
    var exif: Int?
    var hasEXIF = false
    var xmp: Range<Int>?
    let namespace = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    var at = 2
    while at + 4 <= file.count {
      // Fill bytes, and what does not belong between segments, are passed over, as decoders do.
      guard file[at] == 0xFF, file[at + 1] != 0xFF, file[at + 1] != 0 else {
        at += 1
        continue
      }
      let marker = file[at + 1]
      let isAlone = marker == 0x01 || (0xD0...0xD9).contains(marker)
      let length = Int(file[at + 2]) << 8 | Int(file[at + 3])
      // 0xDA begins the picture data.
      guard !isAlone, marker != 0xDA, length >= 2, at + 2 + length <= file.count else { break }
      let content = (at + 4)..<(at + 2 + length)
      if marker == 0xE1 {
        if file[content].starts(with: EXIF.start) {
          if !hasEXIF { exif = EXIF.orientation(UnsafeRawBufferPointer(rebasing: file[content])) }
          hasEXIF = true
        } else if file[content].starts(with: namespace) {
          xmp = content.dropFirst(namespace.count)
        }
      }
      at = content.upperBound
    }
    self.init(exif: exif, xmp: xmp.flatMap { XMP.orientation(UnsafeRawBufferPointer(rebasing: file[$0])) })
  }

  /// By the chunk EXIF, or the chunk XMP.
  init(ofWebP file: UnsafeRawBufferPointer) {
    var exif: Int?
    var xmp: Range<Int>?
    var at = 12
    while at + 8 <= file.count {
      let length = Int(UInt32(littleEndian: file.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self)))
      guard length <= file.count - at - 8 else { break }
      let content = (at + 8)..<(at + 8 + length)
      let name = file[at..<(at + 4)]
      if name.elementsEqual("EXIF".utf8), exif == nil {
        exif = EXIF.orientation(UnsafeRawBufferPointer(rebasing: file[content]))
      } else if name.elementsEqual("XMP ".utf8), xmp == nil {
        xmp = content
      }
      // Chunks begin at even places.
      at = content.upperBound + length % 2
    }
    self.init(exif: exif, xmp: xmp.flatMap { XMP.orientation(UnsafeRawBufferPointer(rebasing: file[$0])) })
  }

  /// By the chunk eXIf; by a text named `Raw profile type exif` (or `APP1`), in which ImageMagick and others write EXIF in hexadecimal
  /// digits; or by the text of XMP. They may follow the pixels.
  init(ofPNG file: UnsafeRawBufferPointer) {
    var chunk: Int?
    var profile: Int?
    var hasChunk = false
    var xmp: Int?
    var at = PNG.signature.count
    while at + 12 <= file.count {
      let length = Int(UInt32(bigEndian: file.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      guard length <= file.count - at - 12 else { break }
      let content = UnsafeRawBufferPointer(rebasing: file[(at + 8)..<(at + 8 + length)])
      switch file.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self).bigEndian {
      case 0x6558_4966:  // eXIf
        if !hasChunk { chunk = EXIF.orientation(content) }
        hasChunk = true
      case 0x7A54_5874, 0x7445_5874, 0x6954_5874:  // zTXt, tEXt, iTXt
        if let text = PNGText(content, kind: file[at + 4]) {
          if text.isProfile {
            profile = text.profile()?.withUnsafeBytes { EXIF.orientation($0) } ?? profile
          } else if text.isXMP {
            xmp = text.content()?.withUnsafeBytes { XMP.orientation($0) } ?? xmp
          }
        }
      default: break
      }
      at += 12 + length
    }
    self.init(exif: hasChunk ? chunk : profile, xmp: xmp)
  }
}
