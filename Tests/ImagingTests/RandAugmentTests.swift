import Foundation
import Imaging
import TensorStream
import Testing

/// RandAugment and random erasing give the bits that timm gives, from draws of timm's distribution.
@Suite struct RandAugmentTests {
  let fixtures: TimmFixtures

  init() throws { fixtures = try TimmFixtures() }

  private func layer(_ number: Int, _ argument: Float, _ filter: Int) throws -> RandAugment.Layer {
    RandAugment.Layer(
      operation: try #require(RandAugment.Operation(rawValue: number)), argument: argument,
      interpolation: filter == 2 ? .bilinear : .bicubic)
  }

  /// The bound of every operation is 0: no value differs from timm's by a level.
  @Test func everyOperation() throws {
    let cases = fixtures.cases.filter { $0.operation == "rand" }
    #expect(Set(cases.map { $0.number }).count == 15)
    for one in cases {
      let layer = try layer(
        try #require(one.number), try #require(one.argument), try #require(one.filter))
      let made = try fixtures.picture(one.source).augmented(layer)
      let difference = difference(made, try fixtures.picture(one.result))
      #expect(difference == nil, "\(one): \(difference ?? "")")
    }
  }

  /// Normal numbers come out of two programs' logarithms and cosines: one level on 1 % of values is the bound.
  private func isNear(_ a: Picture, _ b: Picture) -> Bool {
    guard a.pixels.count == b.pixels.count else { return false }
    let distances = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
    return distances.allSatisfy { $0 <= 1 } && distances.count { $0 > 0 } * 100 <= distances.count
  }

  @Test func erasing() throws {
    for one in fixtures.cases where one.operation == "erase" {
      let source = try fixtures.picture(one.source)
      let boxes = try #require(one.boxes).map { CropBox(top: $0[0], left: $0[1], height: $0[2], width: $0[3]) }
      // A square, so that the whole picture is the view.
      let square = source.resized(height: 30, width: 30, crop: CropBox(top: 0, left: 0, height: 30, width: 30))
      var draw = ViewDraw(crop: .box(CropBox(top: 0, left: 0, height: 30, width: 30)))
      draw.erased = RandomErasing.Drawn(seed: try #require(one.seed), boxes: boxes)
      let made = square.view(draw, size: 30)
      let theirs = try fixtures.picture(one.result).resized(
        height: 30, width: 30, crop: CropBox(top: 0, left: 0, height: 30, width: 30))
      #expect(isNear(made, theirs) && made != square, "\(one): \(difference(made, theirs) ?? "")")
    }
  }

  @Test func wholeViewsOfTheFineTuningRecipe() throws {
    let cases = fixtures.cases.filter { $0.operation == "finetune" }
    #expect(cases.count == 12)
    for one in cases {
      let p = try #require(one.parameters)
      func whole(_ name: String) throws -> Int { Int(try #require(p[name])) }
      var draw = ViewDraw(
        crop: .box(
          CropBox(
            top: try whole("top"), left: try whole("left"), height: try whole("height"), width: try whole("width"))))
      draw.flip = try whole("flip") == 1
      draw.rand = try (1...2).map {
        try layer(
          try whole("rand\($0)_operation"), try #require(p["rand\($0)_argument"]), try whole("rand\($0)_filter"))
      }
      if try whole("erase1_height") > 0 {
        let box = CropBox(
          top: try whole("erase1_top"), left: try whole("erase1_left"), height: try whole("erase1_height"),
          width: try whole("erase1_width"))
        draw.erased = RandomErasing.Drawn(seed: UInt32(try whole("erase_seed")), boxes: [box])
      }
      let made = try fixtures.picture(one.source).view(draw, size: 20)
      #expect(isNear(made, try fixtures.picture(one.result)), "\(one)")
    }
  }

  /// A grey picture has the views of the same picture with three equal channels, also where channels come out different.
  @Test func greyPicturesGetColouredCornersAndNoise() throws {
    let grey = try PillowFixtures().picture("small")
    let colour = Picture(height: 28, width: 28, channels: 3, pixels: grey.pixels.flatMap { [$0, $0, $0] })
    let recipe = try Recipe(line: "name=a: crop 0.2-1, flip, rand-n3-p1, erase count 2 p 0.5")
    for index in 0..<100 {
      let draw = recipe.draw(seed: 1, epoch: 0, index: index, height: 28, width: 28, size: 16)
      #expect(grey.view(draw, size: 16) == colour.view(draw, size: 16))
    }
  }

  private func draws(_ line: String, _ count: Int = 100_000) throws -> [ViewDraw] {
    let recipe = try Recipe(line: line)
    return (0..<count).map { recipe.draw(seed: 9, epoch: 2, index: $0, height: 300, width: 400, size: 224) }
  }

  @Test(arguments: ["rand-m9-mstd0.5-inc1", "rand-m7-mstd101-n3-p0.7"])
  func operationsAndMagnitudesAreDrawnAsInTimm(text: String) throws {
    let layers = try draws("name=a: crop 0.08-1, \(text)").flatMap { $0.rand }
    for operation in RandAugment.Operation.allCases {
      let theirs = try #require(fixtures.draws["\(text) \(operation.rawValue)"])
      let ours = layers.compactMap { $0 }.filter { $0.operation == operation }
      let share = Double(theirs.count) / Double(layers.count)
      // Five standard deviations of a difference of two.
      let bound = 5 * (2 * share * (1 - share) * Double(layers.count)).squareRoot()
      #expect(abs(Double(ours.count - theirs.count)) < bound, "\(operation): \(ours.count), timm \(theirs.count)")
      let distance = theirs.distance(to: ours.map { Double($0.argument) })
      #expect(distance < 1.2, "\(operation): \(distance)")
    }
  }

  @Test func eachOperationDrawsItsFilterWhereTheCropDoes() throws {
    let all = try draws("name=a: crop 0.08-1 random, rand-p1", 20_000)
    let crops = all.count { $0.interpolation == .bilinear }
    #expect(abs(crops - 10_000) < 400)
    let moving = all.flatMap { $0.rand }.compactMap { $0 }.filter { $0.operation.isGeometric }
    #expect(abs(Double(moving.count { $0.interpolation == .bilinear }) / Double(moving.count) - 0.5) < 0.02)
    let fixed = try draws("name=a: crop 0.08-1 bilinear, rand-p1", 100).flatMap { $0.rand }.compactMap { $0 }
    #expect(fixed.allSatisfy { $0.interpolation == .bilinear })
  }

  @Test func erasedAreasAndRatiosAreDrawnAsInTimm() throws {
    let boxes = try draws("name=a: crop 0.08-1, erase").flatMap { $0.erased?.boxes ?? [] }
    #expect(boxes.count > 99_000)
    let areas = boxes.map { Double($0.height * $0.width) / (224 * 224) }
    #expect(try #require(fixtures.draws["erase area"]).distance(to: areas) < 1)
    let ratios = boxes.map { log(Double($0.width) / Double($0.height)) }
    #expect(try #require(fixtures.draws["erase ratio"]).distance(to: ratios) < 1)
    let erased = try draws("name=a: crop 0.08-1, erase count 3 p 0.25").compactMap { $0.erased }
    #expect(abs(Double(erased.count) / 100_000 - 0.25) < 0.006)
    for number in 1...3 {
      #expect(abs(Double(erased.count { $0.boxes.count == number }) / Double(erased.count) - 1 / 3.0) < 0.02)
    }
  }

  @Test func coloursAndBlurAreDrawnAsInTorchvision() throws {
    let all = try draws("name=a: crop 0.08-1, jitter 0.4 0.4 0.2 0.1, blur")
    let jitters = all.compactMap { $0.jitter }
    for (name, values) in [
      ("brightness", jitters.map { $0.brightness }), ("contrast", jitters.map { $0.contrast }),
      ("saturation", jitters.map { $0.saturation }), ("hue", jitters.map { $0.hue }),
      ("blur_sigma", all.compactMap { $0.blurSigma }),
    ] {
      let distance = try #require(fixtures.draws[name]).distance(to: values.map { Double($0) })
      #expect(distance < 1, "\(name): \(distance)")
    }
  }

  @Test func theFineTuningRecipe() {
    #expect(
      Recipe.finetune.columns.map { $0.name } == [
        "top", "left", "height", "width", "flip", "rand1_operation", "rand1_argument", "rand1_filter",
        "rand2_operation", "rand2_argument", "rand2_filter", "erase_seed", "erase1_top", "erase1_left",
        "erase1_height", "erase1_width",
      ])
    #expect(!Recipe.finetune.isDeterministic)
  }

  @Test(arguments: [
    ("rand-m9-w1", "\"w1\""), ("rand-m9-tweights", "\"tweights\""), ("rand-m31", "0 to 30"), ("rand-n0", "1 to 9"),
    ("rand-inc2", "0 to 1"), ("rand-p0", "more than 0"), ("rand-m", "\"m\""), ("rand-mstd-1", "\"mstd\""),
    ("rand-m9.5", "0 to 30"), ("rand-m9 p 0.5", "a comma"), ("erase 0.5-0.2", "a range"),
    ("erase count 0", "1 to 9"), ("erase count 1.5", "1 to 9"), ("erase ratio", "ratios"), ("erase 0.1-2", "a range"),
  ])
  func wrongTextsSaySo(text: String, says: String) throws {
    let failure = #expect(throws: Failure.self) { try Recipe(line: "name=a: crop 0.2-1, \(text)") }
    #expect(failure?.message.contains(says) == true, "\(failure?.message ?? "")")
    #expect(failure?.message.contains("character 21") == true || text.contains(" "), "\(failure?.message ?? "")")
  }
}
