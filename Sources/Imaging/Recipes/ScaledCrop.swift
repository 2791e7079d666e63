// mmsegmentation's way to a view: the picture at a drawn scale with its ratio kept, then a square of it that is not almost all of one
// class; padded where the picture ends. After mmcv's rescale_size and mmsegmentation's Resize, RandomCrop and Pad.

import Foundation
import Parallel

/// How large a picture is made, its ratio kept.
public struct KeptRatio: Sendable, Equatable {
  /// The shorter side is at most this, and the longer side too.
  public var short: Int
  public var long: Int

  public init(short: Int, long: Int) { (self.short, self.long) = (short, long) }

  /// The size at so much of both limits, at least a pixel a side.
  public func size(height: Int, width: Int, ratio: Double = 1) -> (height: Int, width: Int) {
    let (long, short) = (Int(Double(long) * ratio), Int(Double(short) * ratio))
    let factor = min(
      Double(max(long, short)) / Double(max(height, width)), Double(min(long, short)) / Double(min(height, width)))
    return (max(1, Int(Double(height) * factor + 0.5)), max(1, Int(Double(width) * factor + 0.5)))
  }
}

/// A square out of the picture at a drawn scale.
public struct ScaledCrop: Sendable, Equatable {
  /// Of the limits, drawn uniformly.
  public var ratio: ClosedRange<Double>
  /// nil: the view's side, and four times that.
  public var short: Int?
  public var long: Int?
  /// The share of a square's labelled pixels that one class has at most; 1: any. A square with more is drawn anew, ten times.
  public var category = 1.0

  public init(ratio: ClosedRange<Double>) { self.ratio = ratio }

  /// What was drawn.
  public struct Drawn: Sendable, Equatable {
    /// Of the whole picture.
    public var height: Int
    public var width: Int
    /// Where the square begins in it.
    public var top: Int
    public var left: Int

    public init(height: Int, width: Int, top: Int, left: Int) {
      (self.height, self.width, self.top, self.left) = (height, width, top, left)
    }

    /// The part of a square of this side that the picture fills.
    func window(side: Int) -> CropBox {
      CropBox(top: top, left: left, height: min(side, height - top), width: min(side, width - left))
    }
  }

  func limits(side: Int) -> KeptRatio {
    let short = short ?? side
    return KeptRatio(short: short, long: long ?? 4 * short)
  }

  /// - Parameter mask: the picture's class ids; nil where `category` is 1.
  func draw(height: Int, width: Int, side: Int, mask: Pixels?, from random: inout CounterRandom) -> Drawn {
    // Rounded to what a Float holds, as all that is drawn.
    let drawn = Double(Float(random.uniform(in: ratio)))
    let size = limits(side: side).size(height: height, width: width, ratio: drawn)
    func box(_ random: inout CounterRandom) -> Drawn {
      let top = random.below(max(size.height - side, 0) + 1)
      return Drawn(height: size.height, width: size.width, top: top, left: random.below(max(size.width - side, 0) + 1))
    }
    var result = box(&random)
    guard category < 1, let mask else { return result }
    for _ in 0..<10 {
      if isMixed(mask, result.window(side: side), size: size) { break }
      result = box(&random)
    }
    return result
  }

  /// Whether a square would be kept, of a picture whose class ids these are: it has two classes or more, none of them too often.
  public func keeps(_ drawn: Drawn, side: Int, of mask: Picture) -> Bool {
    var mask = mask
    return mask.withPixels { isMixed($0, drawn.window(side: side), size: (drawn.height, drawn.width)) }
  }

  /// Whether a part of the scaled mask has two classes or more, none of them with too much of it.
  private func isMixed(_ mask: Pixels, _ window: CropBox, size: (height: Int, width: Int)) -> Bool {
    let rows = NearestMap.openCV(
      input: mask.height, output: size.height, range: window.top..<window.top + window.height)
    let columns = NearestMap.openCV(
      input: mask.width, output: size.width, range: window.left..<window.left + window.width)
    var counts = [Int](repeating: 0, count: 256)
    counts.withUnsafeMutableBufferPointer { counts in
      columns.withUnsafeBufferPointer { columns in
        var (last, made) = (Int32(-1), [Int](repeating: 0, count: 256))
        made.withUnsafeMutableBufferPointer { made in
          for row in rows {
            // When a picture is enlarged, the same row comes again.
            if row != last {
              made.update(repeating: 0)
              let ids = mask.row(Int(row))
              for column in columns { made[Int(ids[Int(column)])] &+= 1 }
              last = row
            }
            for id in 0..<256 { counts[id] &+= made[id] }
          }
        }
      }
    }
    let labelled = counts[..<255].filter { $0 > 0 }
    guard labelled.count > 1, let most = labelled.max() else { return false }
    return Double(most) / Double(labelled.reduce(0, +)) < category
  }
}
