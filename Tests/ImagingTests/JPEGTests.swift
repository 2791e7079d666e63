import Foundation
import Imaging
import Parallel
import TensorStream
import Testing

/// A damaged file is an error that names it; never a picture, never a crash.
@Suite struct JPEGTests {
  private func problem(_ bytes: [UInt8]) -> Failure? {
    do {
      _ = try bytes.withUnsafeBytes { try JPEG.decode($0, name: "photos/7.jpg") }
      return nil
    } catch {
      return error as? Failure
    }
  }

  @Test(arguments: ["cut.jpg", "cut-in-header.jpg", "cut-progressive.jpg"])
  func whatIsCutShortIsAnError(name: String) throws {
    let failure = try #require(problem(try PillowFixtures().file(name)))
    #expect(failure.kind == .data)
    #expect(failure.message.hasPrefix("photos/7.jpg: a damaged JPEG: "))
  }

  /// Wherever a file is cut in front of its end marker, it is an error; the marker holds no pixel.
  @Test(arguments: ["baseline.jpg", "progressive.jpg", "cmyk.jpg", "one-grey.jpg"])
  func everyCutIsAnError(name: String) throws {
    let bytes = try PillowFixtures().file(name)
    for end in 0..<bytes.count - 2 { #expect(problem(Array(bytes[..<end]))?.kind == .data, "cut at \(end)") }
    for end in bytes.count - 2..<bytes.count { #expect(problem(Array(bytes[..<end])) == nil, "cut at \(end)") }
  }

  @Test func whatIsNoJPEGSaysHowItStarts() throws {
    #expect(problem([0x47, 0x49, 0x46, 0x38])?.message == "photos/7.jpg: not a JPEG: starts with 47 49 46")
    #expect(problem([])?.message == "photos/7.jpg: not a JPEG: it is empty")
    let png = try PillowFixtures().file("really-png.jpg")
    #expect(problem(png)?.message == "photos/7.jpg: not a JPEG: starts with 89 50 4e")
  }

  /// A frame header that claims 65,500 × 65,500 pixels.
  @Test func absurdSizesAreRefused() throws {
    var bytes = try PillowFixtures().file("baseline.jpg")
    let marker = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
    bytes.replaceSubrange((marker + 5)..<(marker + 9), with: [0xFF, 0xDC, 0xFF, 0xDC])
    let failure = try #require(problem(bytes))
    #expect(failure.kind == .data)
    #expect(failure.message.contains("65500 x 65500 pixels"))
    // 4,000 x 4,000 would be accepted, but not of three thousand bytes.
    bytes.replaceSubrange((marker + 5)..<(marker + 9), with: [0x0F, 0xA0, 0x0F, 0xA0])
    #expect(problem(bytes)?.message.contains("cannot hold 4000 x 4000 pixels") == true)
  }

  /// Bytes changed at random: an error or some picture, but no crash and no hang.
  @Test func damagedFilesEndInAnErrorOrAPicture() throws {
    let fixtures = try PillowFixtures()
    for (n, name) in ["baseline.jpg", "progressive.jpg", "restarts.jpg", "ycck.jpg"].enumerated() {
      let whole = try fixtures.file(name)
      for i in 0..<500 {
        var random = CounterRandom(seed: 1, epoch: n, sample: i, purpose: 1)
        var bytes = whole
        for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next32()) }
        if let failure = problem(bytes) { #expect(failure.kind == .data) }
      }
    }
  }
}
