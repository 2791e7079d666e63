import Imaging
import TensorStream
import Testing

/// What is no picture is named for what it is, with what to do about it.
@Suite struct FileKindTests {
  private static func brand(_ brand: String) -> [UInt8] { [0, 0, 0, 24] + Array("ftyp\(brand)".utf8) + [0, 0, 0, 0] }

  @Test(
    arguments: [
      (Array("GIF89a".utf8), "a GIF picture, which is not read: convert its frames to PNG"),
      (brand("heic"), "a HEIC picture, which is not read: convert it to JPEG"),
      (brand("mif1"), "a HEIC picture"), (brand("avif"), "an AVIF picture"), (brand("crx "), "a raw photograph"),
      (brand("isom"), "a video, not a picture: ffmpeg"), (brand("qt  "), "a video"),
      ([0, 0, 0, 12] + Array("jP  \r\n".utf8) + [0x87, 0x0A], "a JPEG 2000 picture"),
      ([0xFF, 0x4F, 0xFF, 0x51, 0, 41], "a JPEG 2000 picture"), ([0xFF, 0x0A, 0, 1], "a JPEG XL picture"),
      ([0x42, 0x4D] + Array(repeating: 0, count: 12) + [40, 0, 0, 0], "a BMP picture"),
      (Array("8BPS\0\u{1}".utf8), "a Photoshop picture"), ([0, 0, 1, 0, 1, 0], "a Windows icon"),
      (Array("PK\u{3}\u{4}\u{14}\0".utf8), "a zip archive, not a picture"),
      ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 4], "a 7z archive, not a picture: unpack it"),
      (Array("Rar!\u{1A}\u{7}\0".utf8), "a RAR archive"), ([0x1F, 0x8B, 8], "a file compressed by gzip"),
      (Array("BZh91AY".utf8), "a file compressed by bzip2"), ([0x28, 0xB5, 0x2F, 0xFD], "a file compressed by zstd"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "a file compressed by xz"),
      ([0x93] + Array("NUMPY\u{1}\0".utf8), "a NumPy array"),
      (
        [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E, 0x80], "a Python pickle"
      ),
      ([0x89] + Array("HDF\r\n\u{1A}\n".utf8), "an HDF5 file"), (Array("%PDF-1.7\n".utf8), "a PDF document"),
      (Array("PAR1".utf8) + [21, 4], "a Parquet table"),
      ([88, 0, 0, 0, 0, 0, 0, 0] + Array("{\"a\":{}}".utf8), "a file of tensors"),
      (Array("\u{FEFF}<!DOCTYPE html><html>".utf8), "an HTML page, not a picture: a server's error"),
      (Array("\n <HTML><body>404".utf8), "an HTML page"),
      (Array("<?xml version=\"1.0\"?><Error><Code>AccessDenied".utf8), "an XML text"),
      (Array("<?xml version=\"1.0\"?>\n<svg xmlns=".utf8), "an SVG drawing"),
      (
        Array("version https://git-lfs.github.com/spec/v1\noid sha256:".utf8),
        "a Git LFS pointer, not a picture: git lfs pull"
      ),
      (Array("/annex/objects/SHA256E-s1--2.jpg".utf8), "a git-annex pointer"),
      (Array(repeating: UInt8(0), count: 64), "a file that begins with zeros"),
      (Array("RIFF\0\0\0\0AVI LIST".utf8), "a video"), (Array("RIFF\0\0\0\0WAVEfmt ".utf8), "a sound"),
      ([0x1A, 0x45, 0xDF, 0xA3], "a video"), ([0xD0, 0xCF, 0x11, 0xE0], "a Windows document"),
      ([0, 5, 0x16, 7, 0, 2], "Apple's notes about another file"),
      ([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7], "an IDX file"),
      (Array("II*\0\u{10}\0\0\0CR\u{2}\0".utf8), "a raw photograph"),
      (Array("FUJIFILMCCD-RAW".utf8), "a raw photograph"),
    ] as [([UInt8], String)])
  func marksAreKnown(bytes: [UInt8], kind: String) throws {
    let message = problem(bytes)?.message ?? "none"
    #expect(message.hasPrefix("photos/7: \(kind)"), "\(message)")
    #expect(FileKind(bytes)?.description.hasPrefix(kind) == true)
  }

  /// What is read as a picture, what nobody knows, and text are no such kinds.
  @Test func otherBytesAreNot() {
    for bytes in [[], [0xFF, 0xD8, 0xFF, 0xE0], Array("path,label\na.jpg,1\n".utf8), [1, 2, 3]] as [[UInt8]] {
      #expect(FileKind(bytes) == nil)
    }
  }
}
