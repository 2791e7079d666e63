// A recipe as a line of text:
//
//   line    = "name" "=" NAME ":" variant { "|" variant } [ "size" PIXELS ] [ "count" N ]
//   variant = crop { "," step }
//   crop    = "crop" LOW-HIGH [ "ratio" LOW-HIGH ] [ filter ] | "center" [ SHARE ] [ filter ]
//           | "scale" LOW-HIGH limits "," "crop" [ PIXELS ] [ "category" SHARE ] | "whole" limits
//   limits  = [ "short" PIXELS ] [ "long" PIXELS ]
//   filter  = "bicubic" | "bilinear" | "random"
//   step    = ( "flip" | "vflip" | "grey" | "solarise" | "blur" [ LOW-HIGH ] | "jitter" B C S [ H ]
//             | "photometric" | "erase" [ LOW-HIGH ] [ "ratio" LOW-HIGH ] [ "count" N ] ) [ "p" PROBABILITY ]
//           | "rand" { "-" KEY NUMBER }

import Schemas
import TensorStream

extension Recipe {
  /// Reads a line of one view, as `name=simple: crop 0.2-1 bicubic, flip`.
  /// Throws `Failure(.usage)` that says at which character what was expected, and what is there.
  public init(line: String) throws {
    let parsed = try Self.parse(line)
    if parsed.count != nil { throw Failure(.usage, "recipe \"\(line)\": is of several views: one was expected") }
    self.init(name: parsed.name, variants: parsed.variants, line: line, side: parsed.side)
  }

  /// Reads a line of one view or of several: `name=local: crop 0.05-0.4 size 96 count 8` is of `local_1` to `local_8`, each with
  /// random numbers of its own. Throws as `init(line:)`.
  public static func all(line: String) throws -> [Recipe] {
    let parsed = try parse(line)
    guard let count = parsed.count else {
      return [Recipe(name: parsed.name, variants: parsed.variants, line: line, side: parsed.side)]
    }
    return (1...count).map { number in
      let name = "\(parsed.name)_\(number)"
      return Recipe(
        name: name, variants: parsed.variants, line: "name=\(name):\(parsed.body)", side: parsed.side)
    }
  }

  private static func parse(_ line: String) throws -> RecipeParser.Parsed {
    var parser = RecipeParser(line)
    return try parser.parse()
  }
}

private struct RecipeParser {
  private let line: String
  /// Words and punctuation, with the character each begins at, from 1.
  private let tokens: [(text: String, column: Int)]
  private var next = 0
  /// Of the square that is cut out of a scaled picture.
  private var cropSide: Int?

  init(_ line: String) {
    self.line = line
    var tokens: [(text: String, column: Int)] = []
    var isInWord = false
    for (i, character) in line.enumerated() {
      if character.isWhitespace {
        isInWord = false
      } else if ",|:=".contains(character) {
        tokens.append((String(character), i + 1))
        isInWord = false
      } else if isInWord {
        tokens[tokens.count - 1].text.append(character)
      } else {
        tokens.append((String(character), i + 1))
        isInWord = true
      }
    }
    self.tokens = tokens
  }

  /// What a line says.
  struct Parsed {
    var name: String
    var variants: [Recipe.Variant]
    /// The side of its views, where it has one of its own.
    var side: Int?
    /// How many views; nil for one that has the recipe's name.
    var count: Int?
    /// The text between the name and the number of views.
    var body: String
  }

  mutating func parse() throws -> Parsed {
    guard accept("name") else { throw expected("name=") }
    guard accept("=") else { throw expected("=") }
    let name = try self.name()
    guard accept(":") else { throw expected(":") }
    var variants = [try variant()]
    while accept("|") { variants.append(try variant()) }
    if variants.count > 1, variants.contains(where: { $0.wholeLimits(side: 1) != nil }) {
      throw malformed(
        "several variants, one of whole pictures: these are of other sizes, so a recipe has no other variant")
    }
    var parsed = Parsed(name: name, variants: variants, side: cropSide, count: nil, body: "")
    if accept("size") {
      guard let side = number(1...8192).flatMap({ Int(exactly: $0) }) else { throw expected("pixels, from 1 to 8192") }
      if let cropSide, cropSide != side { throw back().expected("\(cropSide), the side of the crop") }
      parsed.side = side
    }
    let end = next < tokens.count ? tokens[next].column - 1 : line.count
    if accept("count") {
      guard let count = number(1...99).flatMap({ Int(exactly: $0) }) else { throw expected("a number from 1 to 99") }
      parsed.count = count
    }
    if next < tokens.count {
      throw expected(parsed.side == nil && parsed.count == nil ? "a comma, |, size, count or the end" : "the end")
    }
    // What follows the colon.
    let start = tokens[3].column
    var body = line.dropFirst(start).prefix(end - start)
    while body.last?.isWhitespace == true { body.removeLast() }
    parsed.body = String(body)
    return parsed
  }

  private mutating func name() throws -> String {
    let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    guard let text = peek, text.allSatisfy({ allowed.contains($0) }), !ViewTensors.taken.contains(text) else {
      throw expected("a name of letters, digits, - and _, and none of \(ViewTensors.taken.joined(separator: ", "))")
    }
    next += 1
    return text
  }

  private mutating func variant() throws -> Recipe.Variant {
    var variant: Recipe.Variant
    if accept("crop") {
      guard let scale = try range(0.001...1) else { throw expected("shares of the area, as 0.2-1") }
      var crop = RandomCrop(scale: scale)
      if accept("ratio") {
        guard let ratio = try range(0.01...100) else { throw expected("ratios of width to height, as 0.75-1.3333") }
        crop.ratio = ratio
      }
      variant = Recipe.Variant(crop: .random(crop))
    } else if accept("center") {
      let share = number(0...1) ?? 0.875
      // So small a share would resize to a picture that no memory holds.
      guard share >= 0.01 else { throw back().expected("a share from 0.01 to 1") }
      variant = Recipe.Variant(crop: .center(share: share))
    } else if accept("scale") {
      variant = Recipe.Variant(crop: .scaled(try scaledCrop()))
      variant.order = []
      while accept(",") { try step(of: &variant) }
      return variant
    } else if accept("whole") {
      let (short, long) = try limits()
      variant = Recipe.Variant(crop: .whole(short: short, long: long))
      variant.order = []
      if peek == "," { throw expected("the end: nothing is done to a whole picture") }
      return variant
    } else {
      throw expected("crop, center, scale or whole")
    }
    if let filter = peek.flatMap({ Interpolation(rawValue: $0) }) {
      variant.interpolation = filter
      next += 1
    } else if accept("random") {
      variant.drawsInterpolation = true
    }
    variant.order = []
    while accept(",") { try step(of: &variant) }
    return variant
  }

  /// What follows `scale`.
  private mutating func scaledCrop() throws -> ScaledCrop {
    guard let ratio = try range(0.01...100) else { throw expected("a range of scales, as 0.5-2") }
    var crop = ScaledCrop(ratio: ratio)
    (crop.short, crop.long) = try limits()
    guard accept(","), accept("crop") else { throw expected("a comma and crop, which cuts the view's square out") }
    if let side = number(1...8192).flatMap({ Int(exactly: $0) }) {
      if let cropSide, cropSide != side { throw back().expected("\(cropSide), as in the variant before") }
      cropSide = side
    }
    if accept("category") {
      guard let share = number(0...1), share > 0 else { throw expected("a share, more than 0 and at most 1") }
      crop.category = share
    }
    return crop
  }

  /// The sides that a whole picture has at most.
  private mutating func limits() throws -> (short: Int?, long: Int?) {
    func side(_ word: String) throws -> Int? {
      guard accept(word) else { return nil }
      guard let side = number(1...65_536).flatMap({ Int(exactly: $0) }) else {
        throw expected("pixels, from 1 to 65536")
      }
      return side
    }
    let (short, long) = (try side("short"), try side("long"))
    if let short, let long, long < short { throw back().expected("at least the \(short) of short") }
    return (short, long)
  }

  private mutating func step(of variant: inout Recipe.Variant) throws {
    let word = peek.map { $0.hasPrefix("rand-") ? "rand" : $0 }
    guard let step = word.flatMap({ Recipe.Step(rawValue: $0) }) else {
      throw expected(Recipe.Step.allCases.map { $0.rawValue }.joined(separator: ", "))
    }
    if case .scaled = variant.crop, step == .rand || step == .erase {
      throw expected("a step other than rand- and erase, which do not go with scale")
    }
    if variant.order.contains(step) { throw expected("a step that is not there yet") }
    next += 1
    variant.order.append(step)
    switch step {
    case .flip: variant.flip = try probability(0.5)
    case .vflip: variant.vflip = try probability(0.5)
    case .grey: variant.grey = try probability(1)
    case .solarise: variant.solarise = try probability(1)
    case .photometric: variant.photometric = PhotometricDistortion()
    case .blur:
      if let sigma = try range(0...100) { variant.blurSigma = sigma }
      variant.blur = try probability(1)
    case .rand:
      do {
        variant.rand = try RandAugment(text: tokens[next - 1].text[...])
      } catch {
        throw back().malformed(error.message)
      }
    case .erase:
      var erase = RandomErasing()
      if let area = try range(0...1) { erase.area = area }
      if accept("ratio") {
        guard let ratio = try range(0.01...100) else { throw expected("ratios of width to height, as 0.3-3.3333") }
        erase.ratio = ratio
      }
      if accept("count") {
        guard let count = number(1...9).flatMap({ Int(exactly: $0) }) else { throw expected("a number from 1 to 9") }
        erase.count = count
      }
      erase.probability = try probability(1)
      variant.erase = erase
    case .jitter:
      guard let brightness = number(0...1), let contrast = number(0...1), let saturation = number(0...1) else {
        throw expected("brightness, contrast and saturation, each from 0 to 1")
      }
      let hue = number(0...0.5) ?? 0
      func around(_ center: Double, _ change: Double) -> ClosedRange<Double>? {
        change == 0 ? nil : (center - change)...(center + change)
      }
      variant.jitter = Recipe.Jitter(
        probability: try probability(1), brightness: around(1, brightness), contrast: around(1, contrast),
        saturation: around(1, saturation), hue: around(0, hue))
    }
  }

  private mutating func probability(_ without: Double) throws -> Double {
    guard accept("p") else { return without }
    guard let value = number(0...1), value > 0 else { throw expected("a probability, more than 0 and at most 1") }
    return value
  }

  /// The number that is next, if one within these limits is.
  private mutating func number(_ limits: ClosedRange<Double>) -> Double? {
    guard let value = peek.flatMap({ Double($0) }), limits.contains(value) else { return nil }
    next += 1
    return value
  }

  /// The range that is next, as 0.2-1; nil where no number is. Throws where it is none within these limits.
  private mutating func range(_ limits: ClosedRange<Double>) throws -> ClosedRange<Double>? {
    guard let text = peek, text.first?.isNumber == true else { return nil }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Double($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], limits.contains(low), limits.contains(high),
      low <= high
    else { throw expected("a range LOW-HIGH from \(limits.lowerBound) to \(limits.upperBound)") }
    next += 1
    return low...high
  }

  private var peek: String? { next < tokens.count ? tokens[next].text : nil }

  private mutating func accept(_ text: String) -> Bool {
    guard peek == text else { return false }
    next += 1
    return true
  }

  private func back() -> RecipeParser {
    var copy = self
    copy.next -= 1
    return copy
  }

  private func expected(_ what: String) -> Failure {
    malformed("expected \(what); found \(peek.map { "\"\($0)\"" } ?? "the end")")
  }

  private func malformed(_ what: String) -> Failure {
    let column = next < tokens.count ? tokens[next].column : line.count + 1
    return Failure(.usage, "recipe \"\(line)\": character \(column): \(what)")
  }
}
