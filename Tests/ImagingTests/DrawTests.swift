import Compute
import Foundation
import Imaging
import Testing

/// What is drawn has the distribution that the recipes promise.
@Suite struct DrawTests {
  /// The largest distance between the distribution of some values and the uniform one on a range. For n values of that
  /// distribution it exceeds 1.95 / sqrt(n) once in a thousand times.
  private func distanceFromUniform(_ values: [Double], _ range: ClosedRange<Double>) -> Double {
    let sorted = values.sorted()
    return sorted.enumerated().map { i, value in
      let expected = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      return max(abs(Double(i) / Double(sorted.count) - expected), abs(Double(i + 1) / Double(sorted.count) - expected))
    }.max() ?? 1
  }

  private func draws(_ count: Int, _ recipe: Recipe, height: Int = 4000, width: Int = 4000) -> [ViewDraw] {
    (0..<count).map { recipe.draw(seed: 11, epoch: 0, index: $0, height: height, width: width, size: 224) }
  }

  private func box(_ draw: ViewDraw) -> CropBox {
    guard case .box(let box) = draw.crop else { return CropBox(top: 0, left: 0, height: 0, width: 0) }
    return box
  }

  /// Of a square picture, areas up to three quarters always fit, whatever the ratio is, so nothing is drawn again.
  @Test func cropAreasAndRatiosAreUniform() {
    let crop = RandomCrop(scale: 0.2...0.75)
    let count = 20_000
    let boxes = (0..<count).map { index -> CropBox in
      var random = CounterRandom(seed: 5, epoch: 1, sample: index, purpose: 2)
      return crop.draw(height: 4000, width: 4000, from: &random)
    }
    let areas = boxes.map { Double($0.height * $0.width) / 16e6 }
    #expect(distanceFromUniform(areas, 0.2...0.75) < 1.95 / Double(count).squareRoot() + 0.002)
    let ratios = boxes.map { log(Double($0.width) / Double($0.height)) }
    #expect(distanceFromUniform(ratios, log(0.75)...log(4.0 / 3)) < 1.95 / Double(count).squareRoot() + 0.002)
    let places = boxes.map { (Double($0.top) + 0.5) / Double(4000 - $0.height + 1) }
    #expect(distanceFromUniform(places, 0...1) < 1.95 / Double(count).squareRoot() + 0.002)
  }

  @Test func cropsLieInsideThePicture() {
    for (height, width) in [(1, 1), (1, 1000), (1000, 1), (2, 3), (37, 500), (480, 640)] {
      for draw in draws(300, .simple, height: height, width: width) + draws(300, .complex, height: height, width: width)
      {
        let box = box(draw)
        #expect(box.height >= 1 && box.width >= 1 && box.top >= 0 && box.left >= 0)
        #expect(box.top + box.height <= height && box.left + box.width <= width)
      }
    }
  }

  /// Where no crop of an allowed ratio can have the area, the largest in the center is taken.
  @Test func longPicturesFallBackToTheCenter() {
    let boxes = draws(50, .simple, height: 30, width: 3000).map { box($0) }
    #expect(boxes.allSatisfy { $0 == CropBox(top: 0, left: 1480, height: 30, width: 40) })
    let tall = draws(50, .simple, height: 3000, width: 30).map { box($0) }
    #expect(tall.allSatisfy { $0 == CropBox(top: 1480, left: 0, height: 40, width: 30) })
  }

  @Test func complexDrawsWhatDINODoes() {
    let count = 20_000
    let all = draws(count, .complex)
    // Four standard deviations.
    func expect(_ part: [ViewDraw], of whole: [ViewDraw], is probability: Double, _ what: String) {
      let share = Double(part.count) / Double(whole.count)
      let bound = 4 * (probability * (1 - probability) / Double(whole.count)).squareRoot()
      #expect(abs(share - probability) <= bound, "\(what): \(share), expected \(probability)")
    }
    let (first, second) = (all.filter { $0.variant == 0 }, all.filter { $0.variant == 1 })
    expect(first, of: all, is: 0.5, "variant")
    expect(all.filter { $0.flip }, of: all, is: 0.5, "flip")
    expect(all.filter { $0.jitter != nil }, of: all, is: 0.8, "jitter")
    expect(all.filter { $0.grey }, of: all, is: 0.2, "grey")
    expect(first.filter { $0.blurSigma != nil }, of: first, is: 1, "blur")
    expect(second.filter { $0.blurSigma != nil }, of: second, is: 0.1, "blur")
    expect(first.filter { $0.solarise }, of: first, is: 0, "solarise")
    expect(second.filter { $0.solarise }, of: second, is: 0.2, "solarise")
    let jitters = all.compactMap { $0.jitter }
    let bound = 1.95 / Double(jitters.count).squareRoot()
    #expect(distanceFromUniform(jitters.map { Double($0.brightness) }, 0.6...1.4) < bound)
    #expect(distanceFromUniform(jitters.map { Double($0.contrast) }, 0.6...1.4) < bound)
    #expect(distanceFromUniform(jitters.map { Double($0.saturation) }, 0.8...1.2) < bound)
    #expect(distanceFromUniform(jitters.map { Double($0.hue) }, -0.1...0.1) < bound)
    #expect(distanceFromUniform(first.compactMap { $0.blurSigma.map { Double($0) } }, 0.1...2) < 1.95 / 100)
    let orders = Dictionary(grouping: jitters) { $0.order }.mapValues { $0.count }
    #expect(orders.count == 24)
    #expect(orders.values.allSatisfy { abs(Double($0) / Double(jitters.count) - 1 / 24.0) < 0.01 })
  }

  @Test func simpleOnlyCropsAndFlips() {
    let all = draws(500, .simple)
    #expect(all.allSatisfy { $0.jitter == nil && !$0.grey && $0.blurSigma == nil && !$0.solarise })
    #expect(Recipe.simple.columns.map { $0.rawValue } == ["top", "left", "height", "width", "flip"])
  }
}
