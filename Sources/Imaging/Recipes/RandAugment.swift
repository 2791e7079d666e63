// timm's RandAugment: so many operations for each picture, drawn from fifteen with replacement, each done with some probability and at
// a strength from 0 to 10 about a given one. After timm's auto_augment.py, so that its line of text means here what it means there.

import Foundation
import Parallel

/// What `rand-m9-mstd0.5-inc1` says.
public struct RandAugment: Sendable, Equatable {
  /// The fifteen, in timm's order; the number is what a stream records.
  public enum Operation: Int, Sendable, CaseIterable {
    case autoContrast = 1
    case equalise, invert, rotate, posterise, solarise, solariseAdd, colour, contrast, brightness, sharpness
    case shearX, shearY, translateX, translateY

    /// Whether it moves pixels, and so leaves some to be filled.
    public var isGeometric: Bool { rawValue == 4 || rawValue >= 12 }
  }

  /// One operation as it was drawn.
  public struct Layer: Sendable, Equatable {
    public var operation: Operation
    /// Degrees, bits to keep, a threshold, what is added, a factor, or a share of the side; 0 where there is nothing to say.
    public var argument: Float
    public var interpolation: Interpolation

    public init(operation: Operation, argument: Float, interpolation: Interpolation) {
      (self.operation, self.argument, self.interpolation) = (operation, argument, interpolation)
    }
  }

  public var layers = 2
  public var magnitude = 10.0
  /// Of the magnitude; infinite for one uniformly from 0 to `magnitude`.
  public var deviation = 0.0
  public var maximum = 10.0
  public var probability = 0.5
  /// Whether every operation's strength grows with the magnitude.
  public var isIncreasing = false

  public init() {}

  /// Draws the layers; nil for one that is left out. `interpolation` is nil where each draws its own.
  func draw(interpolation: Interpolation?, from random: inout CounterRandom) -> [Layer?] {
    (0..<layers).map { _ in
      let operation = Operation.allCases[random.below(Operation.allCases.count)]
      guard random.happens(probability) else { return nil }
      var level = magnitude
      if deviation == .infinity {
        level = random.uniform(in: 0...magnitude)
      } else if deviation > 0 {
        level += deviation * random.normal()
      }
      level = max(0, min(level, maximum))
      // Rounded to what the stream records, so that it says exactly what was done.
      let argument = Float(argument(of: operation, level: level, from: &random))
      let filter = interpolation ?? (operation.isGeometric && random.happens(0.5) ? .bilinear : .bicubic)
      return Layer(operation: operation, argument: argument, interpolation: filter)
    }
  }

  /// timm's level functions.
  private func argument(of operation: Operation, level: Double, from random: inout CounterRandom) -> Double {
    func signed(_ value: Double) -> Double { random.happens(0.5) ? -value : value }
    let share = level / 10
    switch operation {
    case .autoContrast, .equalise, .invert: return 0
    case .rotate: return signed(share * 30)
    case .posterise:
      let bits = (share * 4).rounded(.down)
      return isIncreasing ? 4 - bits : bits
    case .solarise:
      let threshold = min(256, (share * 256).rounded(.down))
      return isIncreasing ? 256 - threshold : threshold
    case .solariseAdd: return min(128, (share * 110).rounded(.down))
    case .colour, .contrast, .brightness, .sharpness:
      return isIncreasing ? max(0.1, 1 + signed(share * 0.9)) : share * 1.8 + 0.1
    case .shearX, .shearY: return signed(share * 0.3)
    case .translateX, .translateY: return signed(share * 0.45)
    }
  }

  /// Reads timm's text. Throws a message that says which part is wrong.
  init(text: Substring) throws(Malformed) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    for part in parts.dropFirst() {
      let key = part.prefix { !$0.isNumber }
      guard let value = Double(part.dropFirst(key.count)), value.isFinite else {
        throw Malformed("\"\(part)\" in \(text): expected m, n, mstd, mmax, inc or p and a number")
      }
      func whole(_ limits: ClosedRange<Int>) throws(Malformed) -> Int {
        guard let number = Int(exactly: value), limits.contains(number) else {
          throw Malformed(
            "\"\(part)\" in \(text): expected a whole number from \(limits.lowerBound) to \(limits.upperBound)")
        }
        return number
      }
      switch key {
      case "m": magnitude = Double(try whole(0...30))
      case "n": layers = try whole(1...9)
      case "mstd": deviation = value > 100 ? .infinity : value
      case "mmax": maximum = Double(try whole(1...30))
      case "inc": isIncreasing = try whole(0...1) == 1
      case "p":
        guard value > 0, value <= 1 else {
          throw Malformed("\"\(part)\" in \(text): expected more than 0 and at most 1")
        }
        probability = value
      default: throw Malformed("\"\(part)\" in \(text): expected m, n, mstd, mmax, inc or p and a number")
      }
    }
  }

  struct Malformed: Error {
    let message: String
    init(_ message: String) { self.message = message }
  }
}

/// Does RandAugment's operations; keeps its memory from one to the next. For one thread at a time.
final class RandAugmenter {
  private let affine = AffineTransform()
  private let sharpness = Sharpness()

  /// Changes `pixels`, without gaps between rows, in place.
  func apply(_ layer: RandAugment.Layer, to pixels: Pixels, statistics: ChannelStatistics) {
    let value = layer.argument
    func transform(_ map: AffineMap) {
      affine.apply(
        map, to: pixels, interpolation: layer.interpolation,
        fill: (0..<pixels.channels).map { statistics.fill($0) })
    }
    switch layer.operation {
    case .autoContrast: Levels.autoContrast(pixels)
    case .equalise: Levels.equalise(pixels)
    case .invert: Levels.invert(pixels)
    case .rotate:
      if let map = AffineMap.rotation(degrees: Double(value), height: pixels.height, width: pixels.width) {
        transform(map)
      }
    case .posterise: Levels.posterise(pixels, bits: Int(value))
    case .solarise: Levels.solarise(pixels, threshold: Int(value))
    case .solariseAdd: Levels.solariseAdd(pixels, amount: Int(value))
    case .colour: Colour.saturation(pixels, value)
    case .contrast: Colour.contrast(pixels, value)
    case .brightness: Colour.brightness(pixels, value)
    case .sharpness: sharpness.enhance(pixels, factor: value)
    case .shearX: transform(AffineMap(b: Double(value)))
    case .shearY: transform(AffineMap(d: Double(value)))
    case .translateX: transform(AffineMap(c: Double(value) * Double(pixels.width)))
    case .translateY: transform(AffineMap(f: Double(value) * Double(pixels.height)))
    }
  }
}

extension Picture {
  /// The picture after one operation; corners that it leaves empty get the rounded mean of `statistics`.
  public func augmented(_ layer: RandAugment.Layer, statistics: ChannelStatistics = .imageNet) -> Picture {
    var copy = self
    copy.withPixels { RandAugmenter().apply(layer, to: $0, statistics: statistics) }
    return copy
  }
}
