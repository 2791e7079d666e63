import Imaging
import TensorStream
import Testing

/// Every operation gives the bits that Pillow gives.
@Suite struct PillowTests {
  let fixtures: PillowFixtures

  init() throws { fixtures = try PillowFixtures() }

  private func check(_ operation: String, _ make: (PillowFixtures.Case, Picture) throws -> Picture) throws {
    let cases = fixtures.cases(operation)
    #expect(!cases.isEmpty)
    for one in cases {
      let made = try make(one, try fixtures.picture(one.source))
      let difference = difference(made, try fixtures.picture(one.result))
      #expect(difference == nil, "\(one): \(difference ?? "")")
    }
  }

  @Test func resizes() throws {
    try check("resize") { one, source in
      let size = try #require(one.size)
      return source.resized(
        height: size[0], width: size[1], crop: one.crop,
        interpolation: try #require(Interpolation(rawValue: one.filter ?? "")))
    }
  }

  @Test func blurs() throws {
    try check("blur") { $1.blurred(sigma: try #require($0.value)) }
  }

  @Test func brightness() throws {
    try check("brightness") { $1.brightness(try #require($0.value)) }
  }

  @Test func contrast() throws {
    try check("contrast") { $1.contrast(try #require($0.value)) }
  }

  @Test func saturation() throws {
    try check("saturation") { $1.saturation(try #require($0.value)) }
  }

  @Test func hue() throws {
    try check("hue") { $1.hue(try #require($0.value)) }
  }

  @Test func greyFlipAndSolarise() throws {
    try check("grey") { $1.grey() }
    try check("flip") { $1.flipped() }
    try check("vflip") { $1.flippedVertically() }
    try check("solarise") { $1.solarised() }
  }

  /// All 2^24 colours, against checksums of Pillow's results.
  @Test func everyColour() throws {
    let every = Picture.everyColour
    for sum in fixtures.everyColour {
      let made = sum.operation == "hue" ? every.hue(sum.value) : every.saturation(sum.value)
      #expect(crc32(made.pixels) == sum.crc32, "\(sum.operation) \(sum.value)")
    }
  }

  @Test func wholeViews() throws {
    try check("view") { one, source in
      var draw = ViewDraw(crop: .box(try #require(one.crop)))
      let (order, factors) = (try #require(one.order), try #require(one.factors))
      if !order.isEmpty {
        draw.jitter = ViewDraw.Jitter(
          order: try order.map { try #require(ViewDraw.Jitter.Change(rawValue: $0)) }, brightness: factors[0],
          contrast: factors[1], saturation: factors[2], hue: factors[3])
      }
      draw.flip = one.flip ?? false
      draw.grey = one.grey ?? false
      draw.solarise = one.solarise ?? false
      if let sigma = one.value, sigma > 0 { draw.blurSigma = sigma }
      return source.view(draw, size: try #require(one.size)[0])
    }
  }

  @Test func centerViews() throws {
    try check("center") { one, source in
      let size = try #require(one.size)[0]
      return source.view(
        ViewDraw(crop: .center(CenterCrop(size: size, ratio: Double(try #require(one.value))))), size: size)
    }
  }

  /// Baseline with each subsampling, progressive, restart markers, grey, CMYK, YCCK, and single pixels.
  @Test func decodesEveryKindOfJPEG() throws {
    let cases = fixtures.cases("decode")
    #expect(cases.count == 10)
    for one in cases {
      let bytes = try fixtures.file(one.source)
      let made = try bytes.withUnsafeBytes { try JPEG.decode($0, name: one.source) }
      let difference = difference(made, try fixtures.picture(one.result))
      #expect(difference == nil, "\(one): \(difference ?? "")")
    }
  }
}
