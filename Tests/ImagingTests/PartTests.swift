import Foundation
import Imaging
import Parallel
import Testing

/// A part of a picture that is decoded alone is the part of the whole, to the bit.
@Suite struct PartTests {
  /// Each subsampling, baseline, progressive, arithmetic, restarts, grey, RGB, CMYK, each EXIF orientation: Fixtures/parts.py
  /// made them.
  static let files: [URL] =
    (try? FileManager.default.contentsOfDirectory(
      at: PillowFixtures.folder.appendingPathComponent("parts"), includingPropertiesForKeys: nil
    ).sorted { $0.path < $1.path }) ?? []

  @Test func everyKindIsThere() { #expect(Self.files.count == 24) }

  @Test(arguments: files)
  func partsAreThoseOfTheWhole(file: URL) throws {
    let bytes = [UInt8](try Data(contentsOf: file))
    let whole = try bytes.withUnsafeBytes { try ImageFile.decode($0, name: "whole") }
    var random = CounterRandom(seed: 1, epoch: 0, sample: 0, purpose: 0)
    var boxes = (0..<60).map { _ in
      RandomCrop(scale: 0.01...0.9, ratio: 0.2...5).draw(height: whole.height, width: whole.width, from: &random)
    }
    // The corners, a row, a column, everything.
    let (h, w) = (whole.height, whole.width)
    boxes += [
      CropBox(top: 0, left: 0, height: 1, width: 1), CropBox(top: h - 1, left: w - 1, height: 1, width: 1),
      CropBox(top: h - 1, left: 0, height: 1, width: w), CropBox(top: 0, left: w - 1, height: h, width: 1),
      CropBox(top: 0, left: 0, height: h, width: w),
    ]
    for box in boxes {
      let part = try bytes.withUnsafeBytes { try ImageFile.decode($0, part: box, name: "part") }
      var expected: [UInt8] = []
      for y in box.top..<(box.top + box.height) {
        let start = 3 * (y * w + box.left)
        expected += whole.pixels[start..<(start + 3 * box.width)]
      }
      #expect(part.height == box.height && part.width == box.width)
      #expect(part.pixels == expected, "\(file.lastPathComponent): \(box)")
    }
  }

  /// Damage in front of the part is an error; a file cut behind it still gives it.
  @Test func damageBeforeThePartIsAnError() throws {
    let file = try #require(Self.files.first { $0.lastPathComponent == "420.jpg" })
    let bytes = [UInt8](try Data(contentsOf: file))
    let whole = try bytes.withUnsafeBytes { try ImageFile.decode($0, name: "whole") }
    let cut = Array(bytes[..<(bytes.count * 2 / 3)])
    let top = CropBox(top: 0, left: 0, height: 40, width: whole.width)
    let part = try cut.withUnsafeBytes { try ImageFile.decode($0, part: top, name: "part") }
    #expect(part.pixels == Array(whole.pixels[..<(40 * whole.width * 3)]))
    let bottom = CropBox(top: whole.height - 8, left: 0, height: 8, width: 8)
    #expect(throws: (any Error).self) {
      _ = try cut.withUnsafeBytes { try ImageFile.decode($0, part: bottom, name: "part") }
    }
  }
}
