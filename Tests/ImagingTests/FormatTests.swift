import Foundation
import Imaging
import TensorStream
import Testing

/// WebP and TIFF files of every kind, and JPEG and PNG files with oddities that cost no pixel: Pillow's pixels, upright.
/// Fixtures/formats.py made them and says where Pillow cannot tell.
@Suite struct FormatTests {
  private struct Expected: Decodable, Sendable {
    let file: String
    let height: Int
    let width: Int
    let channels: Int
    let orientation: Int
    let pictures: Int
    let crc32: UInt32
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: PillowFixtures.folder.appendingPathComponent("formats/" + name)))
  }

  @Test func everyKindIsPillowsToTheBit() throws {
    let list = try Data(contentsOf: PillowFixtures.folder.appendingPathComponent("formats.json"))
    let files = try JSONDecoder().decode([Expected].self, from: list)
    #expect(files.count == 87)
    for expected in files {
      let bytes = try bytes(expected.file)
      let header = try bytes.withUnsafeBytes { try ImageFile.header($0, name: expected.file) }
      #expect(header.height == expected.height && header.width == expected.width, "\(expected.file)")
      #expect(header.channels == expected.channels, "\(expected.file)")
      let orientation = Orientation(rawValue: expected.orientation) ?? .upright
      #expect(header.orientation == orientation, "\(expected.file)")
      #expect(bytes.withUnsafeBytes { ImageFile.pictures($0) } == expected.pictures, "\(expected.file)")
      let picture = try bytes.withUnsafeBytes { try ImageFile.decode($0, name: expected.file) }
      #expect(picture.height == expected.height && picture.width == expected.width && picture.channels == 3)
      #expect(crc32(picture.pixels) == expected.crc32, "\(expected.file)")
    }
  }

  /// A cut in a WebP or TIFF file is an error, or in what follows the pixels.
  @Test(arguments: [
    "lossy.webp", "lossless.webp", "lossy-alpha.webp", "animated.webp", "exif-6.webp", "rgb.tif", "lzw.tif",
    "deflate.tif", "packbits.tif", "jpeg.tif", "jpeg-ycbcr.tif", "group4.tif", "tiles.tif", "separate.tif", "zstd.tif",
    "lzma.tif", "strips.tif", "ycbcr.tif", "bigtiff.tif", "scans.jpg",
  ])
  func everyCutIsAnErrorOrCostsNoPixel(name: String) throws {
    let whole = try bytes(name)
    let picture = try whole.withUnsafeBytes { try ImageFile.decode($0, name: name) }
    for end in 0..<whole.count {
      do {
        let cut = try whole[..<end].withUnsafeBytes { try ImageFile.decode($0, name: "photos/7") }
        #expect(cut == picture, "\(name): cut at \(end) of \(whole.count)")
      } catch let failure as Failure {
        #expect(failure.kind == .data && failure.message.hasPrefix("photos/7: "), "\(name): cut at \(end)")
      }
    }
  }

  /// No checksums in most: an error or some picture, but no crash and no hang.
  @Test(arguments: [
    "lossy.webp", "lossless-alpha.webp", "animated-part.webp", "lzw.tif", "jpeg-ycbcr.tif", "group4.tif", "tiles.tif",
    "palette.tif", "separate-tiles.tif", "ycbcr.tif", "pages.tif",
  ])
  func noFlippedBitCrashes(name: String) throws {
    let whole = try bytes(name)
    // A prime, so that each bit of a field has its turn.
    for bit in stride(from: 0, to: whole.count * 8, by: whole.count > 1500 ? 7 : 3) {
      var bytes = whole
      bytes[bit / 8] ^= 1 << (bit % 8)
      if let failure = problem(bytes) { #expect(failure.message.hasPrefix("photos/7: ")) }
    }
  }

  /// Where pixels are missing, a message says how many.
  @Test func damageSaysHowMuchIsMissing() throws {
    func cut(_ name: String, _ share: Double) throws -> String {
      let whole = [UInt8](try Data(contentsOf: PillowFixtures.folder.appendingPathComponent(name)))
      return problem(Array(whole[..<Int(Double(whole.count) * share)]))?.message ?? "none"
    }
    /// The numbers in a message: of what is missing, and of all.
    func numbers(_ message: String, _ pattern: Regex<(Substring, Substring, Substring)>) throws -> [Int] {
      let match = try #require(message.firstMatch(of: pattern), "\(message)")
      return [Int(match.1)!, Int(match.2)!]
    }
    let rows = #/a damaged JPEG: cut short: the last (\d+) of (\d+) rows are missing/#
    let (most, few) = (try numbers(cut("parts/420.jpg", 0.3), rows), try numbers(cut("parts/420.jpg", 0.9), rows))
    #expect(most[1] == few[1] && most[0] > few[0] && few[0] > 0 && few[0] < few[1] / 3 && most[0] > most[1] / 2)
    let scan = #/a damaged JPEG: cut short in scan \d+, at row (\d+) of (\d+): all after it is missing/#
    let progressive = try numbers(cut("parts/420-progressive.jpg", 0.5), scan)
    #expect(progressive[0] < progressive[1])
    #expect(try cut("formats/scans.jpg", 0.7).hasSuffix("a damaged JPEG: cut short: component 2 of 3 is missing"))
    #expect(try cut("formats/after-end.jpg", 0.4).contains("a damaged JPEG: cut short: "))
    #expect(try cut("formats/after-end.png", 0.5).contains("a damaged PNG: row "))
    #expect(try cut("formats/lossy.webp", 0.9).contains("a damaged WebP: cut short: the last "))
    #expect(try cut("formats/bigtiff.tif", 0.4).contains("a damaged TIFF: "))
  }

  /// libtiff writes the directory in front of the pixels if it is asked; then a cut costs rows, and the message says which.
  @Test func damageInATIFFSaysAtWhichRow() throws {
    // The strip's place is moved to the end of the file, and all but the first row are gone.
    var bytes = try bytes("grey-4.tif")
    let entry = try #require(
      stride(from: bytes.count - 4 - 12 * 9, to: bytes.count - 4, by: 12).first {
        UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 == 273
      })
    let offset = bytes.count - 17
    (bytes[entry + 8], bytes[entry + 9]) = (UInt8(offset & 255), UInt8(offset >> 8))
    #expect(problem(bytes)?.message.hasPrefix("photos/7: a damaged TIFF: from row 0 of 21 on: ") == true)
  }

  /// After a scan of three, a component is missing; after some of a progressive picture, detail.
  @Test func scansThatAreMissingAreDamage() throws {
    func scanStarts(_ bytes: [UInt8]) -> [Int] {
      (1..<bytes.count - 1).filter { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA }
    }
    let apart = try bytes("scans.jpg")
    let starts = scanStarts(apart)
    #expect(starts.count == 3)
    for (end, ending) in [(starts[1], []), (starts[2], [0xFF, 0xD9])] as [(Int, [UInt8])] {
      #expect(problem(Array(apart[..<end]) + ending)?.message.contains("of 3 is missing") == true)
    }
    let progressive = try bytes("no-end-progressive.jpg")
    for start in scanStarts(progressive).dropFirst() {
      // The tables in front of the scan may be there.
      #expect(
        problem(Array(progressive[..<start]))?.message.contains("missing") == true, "cut at \(start)")
    }
  }

  @Test func kindsOfTIFFThatAreNotReadSayWhich() throws {
    func changed(_ tag: UInt16, to value: UInt16, in name: String = "grey-10.tif") throws -> String {
      var bytes = try bytes(name)
      let entry = try #require(
        stride(from: bytes.count - 4 - 12 * 9, to: bytes.count - 4, by: 12).first {
          UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 == tag
        })
      (bytes[entry + 8], bytes[entry + 9]) = (UInt8(value & 255), UInt8(value >> 8))
      return problem(bytes)?.message ?? "none"
    }
    let prefix = "photos/7: a TIFF of a kind that is not read: "
    #expect(try changed(258, to: 32) == prefix + "samples of 32 bits: 1 to 16 are known")
    #expect(try changed(262, to: 8) == prefix + "colours of kind 8: grey, RGB, palettes, CMYK and YCbCr are known")
    #expect(try changed(262, to: 32803).hasPrefix(prefix + "a raw photograph"))
    #expect(try changed(259, to: 6).hasPrefix(prefix + "JPEG compression of the old kind"))
    #expect(try changed(259, to: 4242).contains("4242"))
    #expect(try changed(277, to: 200) == prefix + "200 samples a pixel: at most 16 are known")
    #expect(try changed(277, to: 5) == prefix + "5 samples a pixel, of which none is said to be a colour")
    #expect(try changed(257, to: 65535).contains("cannot hold 65535 x 34 pixels"))
  }
}
