import Foundation
import Imaging
import TensorStream
import Testing

/// What the views of methods draw, against their authors' augmentations in torchvision: Fixtures/view_sets.py says how.
@Suite struct ViewSetTests {
  /// What was seen of 20,000 draws of a view.
  struct Seen: Decodable {
    let size: Int
    let filter: String
    let order: [String]
    let share: [String: Double]
    let area: [Double]
    let brightness: [Double]
    let contrast: [Double]
    let saturation: [Double]
    let hue: [Double]
    let blur: [Double]
  }

  static let sets: [ViewSet] = [.dino, .ibot, .moco, .beit, .simmim]

  private static func expected() throws -> (count: Int, side: Int, sets: [String: [String: Any]]) {
    let file = PillowFixtures.folder.appendingPathComponent("view_sets.json")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    return (
      try #require(object["count"] as? Int), try #require(object["side"] as? Int),
      object.compactMapValues { $0 as? [String: Any] }
    )
  }

  @Test(arguments: sets) func theViewsAreTheAuthors(set: ViewSet) throws {
    let all = try Self.expected()
    let theirs = try #require(all.sets[set.rawValue])
    let recipes = set.recipes(centerShare: 1, localSide: ViewSet.localSide(of: 224))
    #expect(recipes.map(\.name) == theirs["views"] as? [String])
    for recipe in recipes {
      // All small views are made alike.
      let name = recipe.name.hasPrefix("local") ? "local_1" : recipe.name
      let data = try JSONSerialization.data(withJSONObject: try #require(theirs[name]))
      try compare(
        recipe, try JSONDecoder().decode(Seen.self, from: data), count: all.count, side: all.side,
        draws: recipe.name == name ? 20_000 : 2000)
    }
  }

  private func compare(_ recipe: Recipe, _ seen: Seen, count: Int, side: Int, draws: Int) throws {
    #expect(recipe.side ?? 224 == seen.size, "\(recipe.name)")
    #expect(recipe.variants.count == 1)
    #expect(recipe.variants[0].order.map(\.rawValue) == seen.order, "\(recipe.name)")
    let own = (0..<draws).map {
      recipe.draw(seed: 7, epoch: 1, index: $0, height: side, width: side, size: seen.size)
    }
    #expect(own.allSatisfy { $0.interpolation.rawValue == seen.filter })
    for (what, test) in [
      ("flip", { $0.flip }), ("jitter", { $0.jitter != nil }), ("grey", { $0.grey }), ("blur", { $0.blurSigma != nil }),
      ("solarise", { $0.solarise }),
    ] as [(String, (ViewDraw) -> Bool)] {
      let theirs = try #require(seen.share[what])
      let mine = Double(own.count(where: test)) / Double(draws)
      // Four deviations of the difference of two shares.
      let bound = 4 * (max(theirs * (1 - theirs), 1e-9) * (1 / Double(count) + 1 / Double(draws))).squareRoot()
      #expect(abs(mine - theirs) <= bound, "\(recipe.name): \(what) in \(mine) of the draws, theirs in \(theirs)")
    }
    func areas() -> [Double] {
      own.compactMap { draw in
        guard case .box(let box) = draw.crop else { return nil }
        return Double(box.height * box.width) / Double(side * side)
      }
    }
    expect(areas(), fall: seen.area, count, "\(recipe.name): areas")
    let jitters = own.compactMap(\.jitter)
    expect(jitters.map { Double($0.brightness) }, fall: seen.brightness, count, "\(recipe.name): brightness")
    expect(jitters.map { Double($0.contrast) }, fall: seen.contrast, count, "\(recipe.name): contrast")
    expect(jitters.map { Double($0.saturation) }, fall: seen.saturation, count, "\(recipe.name): saturation")
    expect(jitters.map { Double($0.hue) }, fall: seen.hue, count, "\(recipe.name): hue")
    expect(own.compactMap { $0.blurSigma.map(Double.init) }, fall: seen.blur, count, "\(recipe.name): blur")
  }

  /// A tenth of the values between two neighbours of these, as far as two samples of one distribution differ.
  private func expect(_ values: [Double], fall tenths: [Double], _ count: Int, _ what: String) {
    #expect(values.isEmpty == tenths.isEmpty, "\(what)")
    guard let last = tenths.last, !values.isEmpty else { return }
    let bound = 1.95 * (1 / (0.05 * Double(count)) + 1 / Double(values.count)).squareRoot()
    for (place, point) in tenths.enumerated().dropFirst().dropLast() {
      let share = Double(values.count { $0 <= point }) / Double(values.count)
      #expect(abs(share - Double(place) / 10) <= bound, "\(what): \(share) up to \(point)")
    }
    let width = last - tenths[0]
    #expect(values.allSatisfy { $0 > tenths[0] - 0.02 * width && $0 < last + 0.02 * width }, "\(what)")
  }

  /// 96 of 224, and a multiple of 16 where the large views' side is one.
  @Test(arguments: [(224, 96), (112, 48), (96, 32), (64, 16), (32, 16), (28, 12), (14, 6), (7, 3)])
  func smallViewsAreThreeSevenths(of side: Int, is local: Int) { #expect(ViewSet.localSide(of: side) == local) }

  @Test func aRecipeOfSeveralViewsHasNumbersOfItsOwnForEach() throws {
    let recipes = try Recipe.all(line: "name=local: crop 0.05-0.4 bilinear, flip size 96 count 3")
    #expect(recipes.map(\.name) == ["local_1", "local_2", "local_3"])
    #expect(recipes.allSatisfy { $0.side == 96 })
    // Each line is a view's own, and makes the same again.
    for recipe in recipes {
      #expect(recipe.line == "name=\(recipe.name): crop 0.05-0.4 bilinear, flip size 96")
      let again = try Recipe(line: recipe.line)
      func box(_ recipe: Recipe) -> CropBox? {
        let draw = recipe.draw(seed: 1, epoch: 0, index: 5, height: 500, width: 400, size: 96)
        guard case .box(let box) = draw.crop else { return nil }
        return box
      }
      #expect(box(again) == box(recipe) && box(recipe) != nil)
      #expect(recipes.count { box($0) == box(recipe) } == 1)
    }
    let one = try Recipe.all(line: "name=a: crop 0.2-1 size 64")
    #expect(one.count == 1 && one[0].name == "a" && one[0].side == 64)
    #expect(try Recipe.all(line: "name=a: crop 0.2-1 | center size 8 count 1").map(\.name) == ["a_1"])
    // The number of rectangles is a step's own.
    #expect(try Recipe.all(line: "name=a: crop 0.2-1, erase count 2").count == 1)
    #expect(try Recipe.all(line: "name=a: crop 0.2-1, erase count 2 count 3").count == 3)
  }

  @Test(arguments: [
    ("name=a: crop 0.2-1 size", "character 24: expected pixels, from 1 to 8192; found the end"),
    ("name=a: crop 0.2-1 size 9000", "character 25: expected pixels"),
    ("name=a: crop 0.2-1 count 0", "character 26: expected a number from 1 to 99; found \"0\""),
    ("name=a: crop 0.2-1 count 2 size 8", "character 28: expected the end; found \"size\""),
  ])
  func whatIsNoSizeOrNumberIsSaid(line: String, message: String) {
    let failure = #expect(throws: Failure.self) { _ = try Recipe.all(line: line) }
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
  }
}
