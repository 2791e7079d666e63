import Foundation
import Imaging
import Parallel
import Schemas
import TensorStream
import Testing

/// Views of pictures with masks, against mmsegmentation's arithmetic with OpenCV's pixels: Fixtures/make_segment.py says how.
@Suite struct SegmentViewTests {
  struct Case: Decodable {
    let kind: String
    let name: String
    let picture: Int
    var short: Int?
    var long: Int?
    var category: Double?
    var size: [Int]?
    var boxes: [[Int]]?
    var kept: [Bool]?
    var flip: Bool?
    var brightness: Float?
    var contrast: Float?
    var saturation: Float?
    var hue: Int?
    var contrast_first: Bool?
    var box: [Int]?
  }

  struct Check: Decodable {
    var hue: Int?
    var saturation: Float?
    let crc32: UInt32
  }

  static let side = 48
  let record: Record
  let cases: [Case]

  init() throws {
    record = try readTensors(path: PillowFixtures.folder.appendingPathComponent("segment.safetensors").path)
    cases = try JSONText.decode([Case].self, from: record.metadata["cases"] ?? "", what: "cases")
  }

  private func picture(_ name: String) throws -> Picture {
    let tensor = try #require(record[name], "\(name)")
    return Picture(
      height: tensor.shape[0], width: tensor.shape[1], channels: tensor.shape.count == 3 ? 3 : 1,
      pixels: try tensor.values(of: UInt8.self))
  }

  /// Exchanging top and bottom is the last thing that is done to where pixels are, of a picture and of its mask.
  @Test func aMaskIsFlippedWithItsPicture() {
    let pixels = (0..<40 * 50).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
    let source = Picture(height: 40, width: 50, channels: 1, pixels: pixels)
    for crop in [
      ViewDraw.Crop.box(CropBox(top: 3, left: 5, height: 30, width: 31)), .center(CenterCrop(size: 20, ratio: 0.9)),
      .scaled(ScaledCrop.Drawn(height: 30, width: 37, top: 4, left: 7), side: 20),
    ] {
      var draw = ViewDraw(crop: crop)
      let (plain, mask) = (source.view(draw, size: 20), source.maskView(draw, size: 20))
      draw.vflip = true
      #expect(difference(source.view(draw, size: 20), plain.flippedVertically()) == nil)
      #expect(difference(source.maskView(draw, size: 20), mask.flippedVertically()) == nil)
      #expect(difference(mask, mask.flippedVertically()) != nil)
    }
  }

  /// Pixels and ids of whole views, from what was drawn: scale, crop, flip, distortion and padding.
  @Test func viewsAreMmsegmentations() throws {
    let views = cases.filter { $0.kind == "view" }
    #expect(views.count == 28)
    for one in views {
      let (size, place) = (try #require(one.size), try #require(one.boxes?.last))
      var draw = ViewDraw(
        crop: .scaled(
          ScaledCrop.Drawn(height: size[0], width: size[1], top: place[0], left: place[1]), side: Self.side))
      draw.order = [.flip, .photometric]
      draw.flip = one.flip == true
      var distortion = PhotometricDistortion.Drawn()
      (distortion.brightness, distortion.contrast, distortion.saturation) = (
        one.brightness, one.contrast, one.saturation
      )
      (distortion.hue, distortion.contrastFirst) = (one.hue, one.contrast_first == true)
      draw.photometric = distortion
      let made = try picture("picture.\(one.picture)").view(draw, size: Self.side)
      let mask = try picture("mask.\(one.picture)").maskView(draw, size: Self.side)
      let (differs, moved) = (
        difference(made, try picture(one.name)), difference(mask, try picture("\(one.name).mask"))
      )
      #expect(differs == nil, "\(one.name): \(differs ?? "")")
      #expect(moved == nil, "\(one.name): mask: \(moved ?? "")")
    }
  }

  /// Which crops RandomCrop keeps, and how many times it tries.
  @Test func cropsAreKeptAsThere() throws {
    for one in cases where one.kind == "view" {
      var crop = ScaledCrop(ratio: 0.5...2)
      crop.category = try #require(one.category)
      let mask = try picture("mask.\(one.picture)")
      let (size, boxes, kept) = (try #require(one.size), try #require(one.boxes), try #require(one.kept))
      #expect(boxes.count == (kept.last == true ? kept.count : 11))
      for (box, isKept) in zip(boxes, kept) {
        let drawn = ScaledCrop.Drawn(height: size[0], width: size[1], top: box[0], left: box[1])
        #expect(crop.keeps(drawn, side: Self.side, of: mask) == isKept, "\(one.name)")
      }
    }
  }

  @Test func sizesAreMmcvs() throws {
    let sizes = try JSONText.decode([[Double]].self, from: record.metadata["sizes"] ?? "", what: "sizes")
    #expect(sizes.count == 72)
    for row in sizes {
      let size = KeptRatio(short: Int(row[2]), long: Int(row[3]))
        .size(height: Int(row[0]), width: Int(row[1]), ratio: row[4])
      #expect(size.height == Int(row[5]) && size.width == Int(row[6]), "\(row)")
    }
  }

  @Test func wholePicturesAreOpenCVs() throws {
    for number in 0..<7 {
      let theirs = try picture("whole.\(number)")
      let made = try picture("picture.\(number)").linearlyResized(height: theirs.height, width: theirs.width)
      #expect(difference(made, theirs) == nil, "\(number): \(difference(made, theirs) ?? "")")
    }
  }

  /// Of a crop that is resized, the mask is torchvision's by Pillow.
  @Test func masksOfResizedCropsArePillows() throws {
    let crops = cases.filter { $0.kind == "crop" }
    #expect(crops.count == 14)
    for one in crops {
      let box = try #require(one.box)
      let draw = ViewDraw(crop: .box(CropBox(top: box[0], left: box[1], height: box[2], width: box[3])))
      let made = try picture("mask.\(one.picture)").maskView(draw, size: 33)
      #expect(difference(made, try picture(one.name)) == nil, "\(one.name)")
    }
  }

  /// All 2^24 colours, by checksums of OpenCV's results.
  @Test func everyColour() throws {
    let every = Picture.everyColour
    for check in try JSONText.decode([Check].self, from: record.metadata["every_colour"] ?? "", what: "every_colour") {
      var drawn = PhotometricDistortion.Drawn()
      (drawn.hue, drawn.saturation) = (check.hue, check.saturation)
      #expect(crc32(every.distorted(drawn).pixels) == check.crc32, "\(check)")
    }
  }

  /// What the preset draws: scales uniform from a half to two, crops inside the picture, each change in half of all cases.
  @Test func drawsAreSpreadAsThere() throws {
    let recipe = ViewSet.segment.recipes(centerShare: 1, localSide: 96, side: 64)[0]
    #expect(recipe.needsMask && recipe.side == 64)
    let mask = Picture(
      height: 128, width: 200, channels: 1, pixels: (0..<128 * 200).map { $0 % 200 < 130 ? 0 : 1 })
    func drawn(by recipe: Recipe) -> [ViewDraw] {
      (0..<2000).map { recipe.draw(seed: 3, epoch: 2, index: $0, height: 128, width: 200, size: 64, mask: mask) }
    }
    var crop = ScaledCrop(ratio: 0.5...2)
    crop.category = 0.75
    /// Draws whose square has two classes, neither with three quarters of it.
    func mixed(_ draws: [ViewDraw]) -> Int {
      draws.count {
        if case .scaled(let drawn, let side) = $0.crop { crop.keeps(drawn, side: side, of: mask) } else { false }
      }
    }
    let draws = drawn(by: recipe)
    let plain = drawn(by: try Recipe(line: "name=segment: scale 0.5-2, crop 64, flip, photometric"))
    #expect(mixed(draws) > 1800 && mixed(plain) < 1400, "\(mixed(draws)), \(mixed(plain))")
    var scales: [Double] = []
    for draw in draws {
      guard case .scaled(let drawn, _) = draw.crop else {
        Issue.record("no scaled crop")
        return
      }
      scales.append(Double(drawn.height) / 64)
      #expect(drawn.top >= 0 && drawn.top <= max(0, drawn.height - 64))
      #expect(drawn.left >= 0 && drawn.left <= max(0, drawn.width - 64))
    }
    #expect(abs(scales.reduce(0, +) / 2000 - 1.25) < 0.03)
    #expect((scales.min() ?? 0) >= 0.5 && (scales.max() ?? 3) <= 2)
    for share in [
      draws.count { $0.flip }, draws.count { $0.photometric?.brightness != nil },
      draws.count { $0.photometric?.contrast != nil }, draws.count { $0.photometric?.saturation != nil },
      draws.count { $0.photometric?.hue != nil }, draws.count { $0.photometric?.contrastFirst == true },
    ] { #expect(abs(Double(share) / 2000 - 0.5) < 0.05) }
    let hues = Set(draws.compactMap { $0.photometric?.hue })
    #expect(hues == Set(-18...17))
  }

  @Test(arguments: [
    ("name=a: scale 0.5-2", "a comma and crop"), ("name=a: scale 0.5-2, crop 64, erase", "do not go with scale"),
    ("name=a: scale 0.5-2, crop 64 | scale 0.5-1, crop 32", "64, as in the variant before"),
    ("name=a: whole, flip", "nothing is done to a whole picture"),
    ("name=a: whole short 9 long 4", "at least the 9 of short"),
    ("name=a: scale 2-1, crop", "a range LOW-HIGH"), ("name=a: scale 0.5-2, crop category 0", "a share"),
    ("name=a: whole | crop 0.2-1", "several variants"), ("name=a: scale 0.5-2, crop 64 size 32", "64, the side"),
  ])
  func whatCannotBeIsNamed(line: String, why: String) {
    let failure = #expect(throws: Failure.self) { try Recipe(line: line) }
    #expect(failure?.message.contains(why) == true, "\(failure?.message ?? "")")
  }
}
