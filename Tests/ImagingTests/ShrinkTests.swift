import Imaging
import TensorStream
import Testing

/// Shrinking to a short side makes the file that Pillow makes.
@Suite struct ShrinkTests {
  let fixtures: KindFixtures

  init() throws { fixtures = try KindFixtures() }

  private func shrink(_ decoder: PictureDecoder, _ file: String, _ shortSide: Int, _ quality: Int = 90) throws
    -> [UInt8]?
  {
    try fixtures.bytes(file).withUnsafeBytes {
      try decoder.shrunk($0, shortSide: shortSide, quality: quality, name: file)
    }
  }

  /// Colour, grey, CMYK, palette, alpha, turned; qualities from 1 to 100. Decoded, for a library's version may write another header.
  @Test func pixelsArePillowsToTheBit() throws {
    let decoder = PictureDecoder()
    #expect(fixtures.shrunk.count == 36)
    for one in fixtures.shrunk {
      let made = try #require(try shrink(decoder, one.file, one.shortSide, one.quality))
      let expected = try #require(fixtures.record[one.result]).values(of: UInt8.self)
      let pictures = try [made, expected].map { file in
        try file.withUnsafeBytes {
          (try ImageFile.header($0, name: one.file), try ImageFile.decode($0, name: one.file))
        }
      }
      #expect(pictures[0].0 == pictures[1].0)
      let difference = difference(pictures[0].1, pictures[1].1)
      #expect(difference == nil, "\(one.file) to \(one.shortSide), quality \(one.quality): \(difference ?? "")")
      #expect(min(pictures[0].1.height, pictures[0].1.width) == one.shortSide)
      #expect(made.count == expected.count)
    }
  }

  @Test func smallPicturesAreKept() throws {
    let decoder = PictureDecoder()
    // 37 x 43, and 13 x 19 turned.
    #expect(try shrink(decoder, "jpeg-420.jpg", 37) == nil)
    #expect(try shrink(decoder, "jpeg-420.jpg", 36) != nil)
    #expect(try shrink(decoder, "exif-6.png", 13) == nil)
    #expect(try shrink(decoder, "exif-6.png", 12) != nil)
    #expect(try shrink(decoder, "png-one.png", 1) == nil)
    #expect(try shrink(decoder, "jpeg-wide.jpg", 256) == nil)
  }

  /// Whether it is shrunk or kept.
  @Test func damagedFilesAreErrors() throws {
    let decoder = PictureDecoder()
    for file in ["jpeg-420.jpg", "png-3-8.png"] {
      let bytes = try fixtures.bytes(file).dropLast(40)
      for shortSide in [8, 100] {
        #expect(throws: Failure.self) {
          try Array(bytes).withUnsafeBytes { try decoder.shrunk($0, shortSide: shortSide, quality: 90, name: file) }
        }
      }
    }
  }

  /// A result that JPEG cannot hold: 70,000 x 4 to a short side of 3 leaves 52,500, of 4 is kept; 70,000 x 40 to 39 leaves 68,250.
  @Test func tooLongAResultIsAnError() throws {
    let decoder = PictureDecoder()
    func shrink(_ height: Int, _ shortSide: Int) throws -> [UInt8]? {
      try greyPNG(height: height, width: 70_000).withUnsafeBytes {
        try decoder.shrunk($0, shortSide: shortSide, quality: 90, name: "long.png")
      }
    }
    #expect(try shrink(4, 4) == nil)
    let file = try #require(try shrink(4, 3))
    let header = try file.withUnsafeBytes { try ImageFile.header($0, name: "long") }
    #expect([header.height, header.width, header.channels] == [3, 52_500, 1])
    let failure = #expect(throws: Failure.self) { try shrink(40, 39) }
    #expect(
      failure?.message == "long.png: 39 x 68250 pixels cannot be stored as a JPEG: at most 65500 on a side")
  }

  /// A black grey picture, of stored blocks: zlib without compression.
  private func greyPNG(height: Int, width: Int) -> [UInt8] {
    func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
      big(UInt32(data.count)) + kind.utf8 + data + big(crc32(Array(kind.utf8) + data))
    }
    let count = height * (width + 1)
    var stored: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: count, by: 65_535) {
      let size = min(65_535, count - start)
      let (low, high) = (UInt8(truncatingIfNeeded: size), UInt8(size >> 8))
      stored += [start + size == count ? 1 : 0, low, high, ~low, ~high] + [UInt8](repeating: 0, count: size)
    }
    // Adler's sum of zeros: 1, and as many ones as bytes.
    stored += big(UInt32(count % 65_521) << 16 | 1)
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", big(UInt32(width)) + big(UInt32(height)) + [8, 0, 0, 0, 0]) + chunk("IDAT", stored)
      + chunk("IEND", [])
  }
}
