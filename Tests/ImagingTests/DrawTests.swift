import Foundation
import Imaging
import Parallel
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
    let count = 100_000
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

  /// Where crops are drawn again because they do not fit, areas and ratios are not uniform. Fixtures/crops.py says what torchvision
  /// draws of a picture of 375 × 500: shares of 300,000 draws. The two samples' distance exceeds the bound once in a thousand times.
  @Test(arguments: TorchvisionCrops.all)
  func cropsThatDoNotFitAreDrawnAgainAsInTorchvision(theirs: TorchvisionCrops) {
    let count = 100_000
    let crop = RandomCrop(scale: theirs.low...1)
    let boxes = (0..<count).map { index -> CropBox in
      var random = CounterRandom(seed: 6, epoch: 0, sample: index, purpose: 3)
      return crop.draw(height: 375, width: 500, from: &random)
    }
    let bound = 1.95 * (1 / 100_000.0 + 1 / 300_000.0).squareRoot()
    for (value, share) in theirs.areas {
      let ours = Double(boxes.count { Double($0.height * $0.width) / 187_500 <= value }) / Double(count)
      #expect(abs(ours - share) < bound, "area \(value): \(ours), torchvision \(share)")
    }
    for (value, share) in theirs.ratios {
      let ours = Double(boxes.count { log(Double($0.width) / Double($0.height)) <= value }) / Double(count)
      #expect(abs(ours - share) < bound, "log ratio \(value): \(ours), torchvision \(share)")
    }
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
    let count = 100_000
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
    #expect(
      distanceFromUniform(first.compactMap { $0.blurSigma.map { Double($0) } }, 0.1...2) < 1.95
        / Double(first.count).squareRoot())
    let orders = Dictionary(grouping: jitters) { $0.order }.mapValues { $0.count }
    #expect(orders.count == 24)
    #expect(orders.values.allSatisfy { abs(Double($0) / Double(jitters.count) - 1 / 24.0) < 0.01 })
  }

  @Test func simpleOnlyCropsAndFlips() {
    let all = draws(500, .simple)
    #expect(all.allSatisfy { $0.jitter == nil && !$0.grey && $0.blurSigma == nil && !$0.solarise })
    #expect(Recipe.simple.columns.map { $0.name } == ["top", "left", "height", "width", "flip"])
  }
}

/// What Fixtures/crops.py printed: the share of draws at most this value.
struct TorchvisionCrops: Sendable {
  let low: Double
  let areas: [(value: Double, share: Double)]
  let ratios: [(value: Double, share: Double)]

  static let all = [
    TorchvisionCrops(
      low: 0.2,
      areas: [
        (0.2112001, 0.02004), (0.2384001, 0.06803), (0.2653001, 0.11613), (0.2924001, 0.16406), (0.3199001, 0.21201),
        (0.3467001, 0.25998), (0.3741001, 0.30793), (0.4010001, 0.35591), (0.4282001, 0.40402), (0.4548001, 0.45214),
        (0.4816001, 0.49987), (0.5087001, 0.54803), (0.5357001, 0.59591), (0.5629001, 0.64392), (0.5905001, 0.69207),
        (0.6213001, 0.74006), (0.6560001, 0.78798), (0.6950001, 0.83610), (0.7414001, 0.88401), (0.8004001, 0.93210),
        (0.8921001, 0.98001),
      ],
      ratios: [
        (-0.2703999, 0.02002), (-0.2295999, 0.06794), (-0.1919999, 0.11597), (-0.1559999, 0.16406),
        (-0.1215999, 0.21196), (-0.0889999, 0.26003), (-0.0577999, 0.30806), (-0.0277999, 0.35606),
        (0.0000001, 0.40656), (0.0279001, 0.45202), (0.0546001, 0.50004), (0.0800001, 0.54755), (0.1048001, 0.59598),
        (0.1292001, 0.64396), (0.1525001, 0.69198), (0.1748001, 0.73992), (0.1968001, 0.78780), (0.2183001, 0.83610),
        (0.2392001, 0.88403), (0.2597001, 0.93199), (0.2797001, 0.98014),
      ]),
    TorchvisionCrops(
      low: 0.4,
      areas: [
        (0.4073001, 0.02002), (0.4247001, 0.06807), (0.4422001, 0.11620), (0.4595001, 0.16410), (0.4770001, 0.21206),
        (0.4943001, 0.25995), (0.5119001, 0.30816), (0.5290001, 0.35584), (0.5461001, 0.40374), (0.5639001, 0.45198),
        (0.5815001, 0.49984), (0.6003001, 0.54786), (0.6204001, 0.59595), (0.6423001, 0.64409), (0.6661001, 0.69196),
        (0.6920001, 0.74010), (0.7203001, 0.78840), (0.7526001, 0.83588), (0.7907001, 0.88395), (0.8390001, 0.93202),
        (0.9135001, 0.97999),
      ],
      ratios: [
        (-0.2634999, 0.02000), (-0.2119999, 0.06799), (-0.1667999, 0.11606), (-0.1266999, 0.16400),
        (-0.0901999, 0.21205), (-0.0569999, 0.25982), (-0.0255999, 0.30807), (0.0032001, 0.35596), (0.0311001, 0.40402),
        (0.0572001, 0.45217), (0.0817001, 0.49998), (0.1051001, 0.54804), (0.1277001, 0.59605), (0.1492001, 0.64406),
        (0.1700001, 0.69189), (0.1898001, 0.74000), (0.2093001, 0.78792), (0.2281001, 0.83601), (0.2461001, 0.88395),
        (0.2636001, 0.93209), (0.2806001, 0.97992),
      ]),
  ]
}
