import Foundation
import Imaging
import TensorStream
import Testing

/// JPEG and PNG files of every kind decode to Pillow's pixels, upright, with a bound of 0 levels for each kind.
@Suite struct ImageFileTests {
  let fixtures: KindFixtures

  init() throws { fixtures = try KindFixtures() }

  private func decode(_ name: String) throws -> Picture {
    try fixtures.bytes(name).withUnsafeBytes { try ImageFile.decode($0, name: name) }
  }

  /// PNG: each depth and colour, interlaced and not, palettes, alpha, transparent colours, text and private chunks. JPEG: each
  /// subsampling, baseline, progressive, arithmetic, restarts, grey, RGB, CMYK, YCCK. Single pixels, and sides of 65,500.
  /// EXIF: each orientation in both byte orders, before and after the pixels, and blocks that say nothing.
  @Test func everyKindIsPillowsToTheBit() throws {
    #expect(fixtures.files.count == 97)
    for expected in fixtures.files {
      let bytes = try fixtures.bytes(expected.file)
      let header = try bytes.withUnsafeBytes { try ImageFile.header($0, name: expected.file) }
      #expect(header.format == (expected.file.hasSuffix(".png") ? .png : .jpeg))
      #expect(header.height == expected.height && header.width == expected.width, "\(expected.file)")
      #expect(header.channels == expected.channels, "\(expected.file)")
      #expect(
        header.orientation.rawValue == ((1...8).contains(expected.orientation) ? expected.orientation : 1),
        "\(expected.file)")
      let picture = try decode(expected.file)
      #expect(picture.height == expected.height && picture.width == expected.width && picture.channels == 3)
      #expect(crc32(picture.pixels) == expected.crc32, "\(expected.file)")
    }
  }

  @Test func orientationsAreTurnsOfOnePicture() throws {
    for suffix in ["jpg", "png"] {
      let upright = try decode("exif-1.\(suffix)")
      let (height, width) = (upright.height, upright.width)
      func pixel(_ picture: Picture, _ y: Int, _ x: Int) -> ArraySlice<UInt8> {
        picture.pixels[((y * picture.width + x) * 3)..<((y * picture.width + x) * 3 + 3)]
      }
      for orientation in Orientation.allCases {
        let turned = try decode("exif-\(orientation.rawValue).\(suffix)")
        let size = orientation.swapsSides ? [width, height] : [height, width]
        #expect([turned.height, turned.width] == size)
        // Where the first stored pixel belongs, by EXIF's definition: "the 0th row is at the …, the 0th column at the …".
        let (bottom, end) = (turned.height - 1, turned.width - 1)
        let corner = [
          1: (0, 0), 2: (0, end), 3: (bottom, end), 4: (bottom, 0), 5: (0, 0), 6: (0, end), 7: (bottom, end),
          8: (bottom, 0),
        ][orientation.rawValue]!
        #expect(pixel(turned, corner.0, corner.1) == pixel(upright, 0, 0), "\(orientation)")
      }
    }
  }

  @Test func whatIsNeitherSaysHowItStarts() {
    let prefix = "photos/7: not a JPEG, PNG, WebP or TIFF: "
    #expect(problem([0x47, 0x49, 0x46, 0x38])?.message == prefix + "starts with 47 49 46")
    #expect(problem([])?.message == prefix + "it is empty")
    #expect(problem([0x89, 0x50])?.message == prefix + "starts with 89 50")
  }

  /// Wherever a file is cut, it is an error that names it, or lacks no pixel: its last bytes mark an end and hold nothing.
  @Test(arguments: [
    ("png-3-8.png", 12), ("png-palette-4-interlaced.png", 12), ("png-4-16.png", 12),
    ("jpeg-420.jpg", 2), ("jpeg-420-progressive.jpg", 2), ("jpeg-444-arithmetic.jpg", 4), ("jpeg-ycck.jpg", 2),
    ("exif-6.jpg", 2),
  ])
  func everyCutIsAnErrorOrCostsNoPixel(name: String, ending: Int) throws {
    let bytes = try fixtures.bytes(name)
    let whole = try decode(name)
    for end in 0..<bytes.count {
      do {
        let picture = try bytes[..<end].withUnsafeBytes { try ImageFile.decode($0, name: "photos/7") }
        #expect(end >= bytes.count - ending && picture == whole, "cut at \(end) of \(bytes.count)")
      } catch let failure as Failure {
        #expect(failure.kind == .data && failure.message.hasPrefix("photos/7: "), "cut at \(end)")
      }
    }
  }

  /// Every bit of a PNG is under a checksum or in a field that is checked, so no flipped one passes.
  @Test(arguments: ["png-1-2.png", "png-palette-alpha.png", "png-text.png", "exif-6.png"])
  func everyFlippedBitOfAPNGIsAnError(name: String) throws {
    let whole = try fixtures.bytes(name)
    for bit in 0..<(whole.count * 8) {
      var bytes = whole
      bytes[bit / 8] ^= 1 << (bit % 8)
      let failure = problem(bytes)
      #expect(failure?.kind == .data && failure?.message.hasPrefix("photos/7: ") == true, "bit \(bit)")
    }
  }

  /// A JPEG has no checksums: an error or some picture, but no crash and no hang.
  @Test(arguments: [
    "jpeg-420.jpg", "jpeg-420-progressive.jpg", "jpeg-444-arithmetic.jpg", "jpeg-arithmetic-progressive.jpg",
    "jpeg-ycck.jpg", "exif-6.jpg",
  ])
  func noFlippedBitOfAJPEGCrashes(name: String) throws {
    let whole = try fixtures.bytes(name)
    // All bits of the first kilobyte, which has all headers, and every seventh of the rest.
    for bit in Array(0..<min(8192, whole.count * 8)) + Array(stride(from: 8192, to: whole.count * 8, by: 7)) {
      var bytes = whole
      bytes[bit / 8] ^= 1 << (bit % 8)
      if let failure = problem(bytes) { #expect(failure.message.hasPrefix("photos/7: ")) }
    }
  }

  @Test func kindsThatAreNotReadSayWhich() throws {
    let whole = try fixtures.bytes("jpeg-444.jpg")
    let frame = try #require(whole.indices.dropLast().first { whole[$0] == 0xFF && whole[$0 + 1] == 0xC0 })
    var bytes = whole
    bytes[frame + 1] = 0xC1
    bytes[frame + 4] = 12
    #expect(
      problem(bytes)?.message == "photos/7: a JPEG of a kind that is not read: 12 bits a channel: 8 are known")
    bytes = whole
    bytes[frame + 1] = 0xC3
    #expect(
      problem(bytes)?.message
        == "photos/7: a JPEG of a kind that is not read: Unsupported JPEG process: SOF type 0xc3")
  }

  /// A whole PNG but for its header, with the checksum that belongs to it.
  private func png(height: UInt32, width: UInt32, from name: String = "png-3-8.png") throws -> [UInt8] {
    var bytes = try fixtures.bytes(name)
    func put(_ value: UInt32, at place: Int) {
      for i in 0..<4 { bytes[place + i] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(i))) }
    }
    put(width, at: 16)
    put(height, at: 20)
    put(crc32(Array(bytes[12..<29])), at: 29)
    return bytes
  }

  @Test func absurdSizesAreRefusedBeforeMemoryIsAskedFor() throws {
    #expect(
      problem(try png(height: 0x7FFF_FFFF, width: 0x7FFF_FFFF))?.message
        == "photos/7: 2147483647 x 2147483647 pixels: at most 268435456 pixels are accepted")
    #expect(problem(try png(height: 16_384, width: 16_385))?.message.contains("at most 268435456 pixels") == true)
    #expect(problem(try png(height: 16_384, width: 16_384))?.message.contains("cannot hold 16384 x 16384") == true)
    #expect(problem(try png(height: 0, width: 7))?.message.hasPrefix("photos/7: a damaged PNG: ") == true)
    // One row more than there is.
    #expect(problem(try png(height: 14, width: 19))?.message.hasPrefix("photos/7: a damaged PNG: ") == true)
  }

  @Test func indicesPastThePaletteAreAnError() throws {
    // 16 colours of 4 bits: without the last, some pixel has none.
    var bytes = try fixtures.bytes("png-palette-4.png")
    let palette = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("PLTE".utf8)) })
    let colours = Array(bytes[(palette + 4)..<(palette + 4 + 45)])
    let sum = crc32(Array("PLTE".utf8) + colours)
    let chunk: [UInt8] = [0, 0, 0, 45] + Array("PLTE".utf8) + colours
    let end = (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }
    bytes.replaceSubrange((palette - 4)..<(palette + 4 + 48 + 4), with: chunk + end)
    #expect(problem(bytes)?.message == "photos/7: a damaged PNG: a pixel of colour 15: its palette has 15")
  }
}
