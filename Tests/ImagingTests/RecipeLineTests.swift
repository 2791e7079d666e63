import Imaging
import TensorStream
import Testing

/// Lines of text become recipes, or say what is wrong with them and where.
@Suite struct RecipeLineTests {
  private func draws(_ recipe: Recipe) -> [[Float]] {
    (0..<500).map { index in
      let draw = recipe.draw(seed: 3, epoch: 1, index: index, height: 300, width: 400, size: 96)
      guard case .box(let box) = draw.crop else { return [] }
      var values = [box.top, box.left, box.height, box.width, draw.variant].map { Float($0) }
      values += [draw.flip, draw.grey, draw.solarise].map { $0 ? 1 : 0 }
      values.append(draw.blurSigma ?? 0)
      guard let jitter = draw.jitter else { return values }
      values += [jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue]
      return values + jitter.order.map { Float($0.rawValue) }
    }
  }

  /// Whatever is left out has the value that the page says.
  @Test func whatIsLeftOutCanBeSaid() throws {
    let simple = try Recipe(line: "name = simple:crop 0.2-1 ratio 0.75-\(4.0 / 3) bicubic,flip p 0.5")
    #expect(draws(simple) == draws(.simple))
    let blur = (try Recipe(line: "name=a: crop 0.1-1, blur"), try Recipe(line: "name=a: crop 0.1-1, blur 0.1-2.0 p 1"))
    #expect(draws(blur.0) == draws(blur.1))
    #expect(try draws(Recipe(line: "name=b: crop 0.1-1, blur")) != draws(blur.0))
  }

  /// Streams that were made before recipes were lines must be made again with the same bits.
  @Test func theOldRecipesDrawWhatTheyAlwaysDid() {
    // Top, left, height, width, variant, flip, grey, solarise, sigma, the four factors and their order, from another program.
    #expect(draws(.simple)[7].prefix(6) == [35, 36, 242, 231, 0, 1])
    let complex = draws(.complex)
    #expect(
      complex[1] == [19, 88, 257, 297, 1, 0, 1, 1, 0, 0.60397387, 1.2078639, 1.1063036, -0.045996126, 1, 4, 3, 2])
    #expect(
      complex[7] == [
        63, 134, 237, 203, 0, 1, 0, 0, 0.94031143, 0.6128955, 1.3723342, 1.0594714, 0.039927274, 2, 4, 1, 3,
      ])
  }

  @Test func stepsAreDoneInTheirOrder() throws {
    let picture = try PillowFixtures().picture("photo")
    for (line, isGreyFirst) in [
      ("name=a: center 1, grey, jitter 0.5 0.5 0.5 0.2", true),
      ("name=a: center 1, jitter 0.5 0.5 0.5 0.2, grey", false),
    ] {
      let recipe = try Recipe(line: line)
      let draw = recipe.draw(seed: 0, epoch: 0, index: 0, height: 47, width: 61, size: 40)
      let jitter = try #require(draw.jitter)
      var expected = picture.view(ViewDraw(crop: draw.crop), size: 40)
      if isGreyFirst { expected = expected.grey() }
      for change in jitter.order {
        switch change {
        case .brightness: expected = expected.brightness(jitter.brightness)
        case .contrast: expected = expected.contrast(jitter.contrast)
        case .saturation: expected = expected.saturation(jitter.saturation)
        case .hue: expected = expected.hue(jitter.hue)
        }
      }
      if !isGreyFirst { expected = expected.grey() }
      #expect(picture.view(draw, size: 40) == expected)
    }
  }

  @Test func interpolationIsTheRecipes() throws {
    let picture = try PillowFixtures().picture("photo")
    let draw = try Recipe(line: "name=a: crop 0.5-1 bilinear").draw(
      seed: 0, epoch: 0, index: 0, height: 47, width: 61, size: 20)
    guard case .box(let box) = draw.crop else { throw Failure(.software, "no box") }
    #expect(picture.view(draw, size: 20) == picture.resized(height: 20, width: 20, crop: box, interpolation: .bilinear))
  }

  /// One of three, each as often, and no hue: torchvision leaves a change of 0 out.
  @Test func threeAugmentDoesOneOfThree() {
    let all = (0..<3000).map {
      Recipe.threeAugment.draw(seed: 1, epoch: 0, index: $0, height: 300, width: 400, size: 96)
    }
    for draw in all {
      #expect([draw.grey, draw.solarise, draw.blurSigma != nil].count { $0 } == 1)
      #expect(draw.jitter?.order.count == 3 && draw.jitter?.order.contains(.hue) == false)
    }
    for count in [all.count { $0.grey }, all.count { $0.solarise }] { #expect(abs(count - 1000) < 110) }
  }

  @Test(arguments: [
    ("", "character 1: expected name=; found the end"),
    ("simple", "character 1: expected name=; found \"simple\""),
    ("name=a", "character 7: expected :; found the end"),
    ("name=la.bel: crop 0.1-1", "character 6: expected a name"),
    ("name=index: crop 0.1-1", "character 6: expected a name"),
    ("name=mask: crop 0.1-1", "none of index, label, size, shuffle, mask, ids; found \"mask\""),
    ("name=a: flip", "character 9: expected crop, center, scale or whole; found \"flip\""),
    ("name=a: crop", "character 13: expected shares of the area, as 0.2-1; found the end"),
    ("name=a: crop 0.5-0.2", "character 14: expected a range LOW-HIGH from 0.001 to 1.0; found \"0.5-0.2\""),
    ("name=a: crop 0.2-1 ratio 2", "character 26: expected a range"),
    ("name=a: crop 0.2-1 nearest", "character 20: expected a comma, |, size, count or the end; found \"nearest\""),
    (
      "name=a: crop 0.2-1, twirl",
      "character 21: expected flip, vflip, jitter, grey, blur, solarise, rand, erase, photometric; found \"twirl\""
    ),
    ("name=a: crop 0.2-1, flip, flip", "character 27: expected a step that is not there yet; found \"flip\""),
    ("name=a: crop 0.2-1, flip p 0", "expected a probability"),
    ("name=a: crop 0.2-1, flip p nan", "expected a probability"),
    ("name=a: crop 0.2-1, jitter 0.1", "character 31: expected brightness, contrast and saturation"),
    ("name=a: crop 0.2-1, jitter 1 1 1 0.6", "character 34: expected a comma"),
    ("name=a: crop 0.2-1, blur 1", "character 26: expected a range LOW-HIGH from 0.0 to 100.0"),
    ("name=a: crop 0.2-1 |", "character 21: expected crop, center, scale or whole; found the end"),
    ("name=a: center 0.001", "character 16: expected a share from 0.01 to 1; found \"0.001\""),
    ("name=a: center 2", "character 16: expected a comma"),
  ])
  func mistakesSayWhereTheyAre(line: String, says text: String) {
    do {
      _ = try Recipe(line: line)
      Issue.record("\(line) was accepted")
    } catch {
      let failure = error as? Failure
      #expect(failure?.kind == .usage)
      #expect(failure?.message.contains(text) == true, "\(line): \(error)")
    }
  }
}
