// --statistics of masks: which classes there are, and how much of each.

import Foundation
import Imaging
import Schemas
import TensorStream

/// The share of pixels of each class of masks.
struct MaskShares {
  private let classes: MaskClasses
  private let pixels: [Int]
  private let pictures: [Int]

  /// nil for pictures without masks.
  init?(_ statistics: ImageStatistics, _ classes: MaskClasses?) {
    guard let classes, !statistics.maskPixels.isEmpty else { return nil }
    self.classes = classes
    (pixels, pictures) = (statistics.maskPixels, statistics.maskPictures)
  }

  private var total: Int { pixels.reduce(0, +) }
  private func share(_ id: Int) -> Double { total > 0 ? Double(pixels[id]) / Double(total) : 0 }

  /// Each class with its share of all pixels, the pictures that have some of it, and its name; then the pixels without a class.
  /// - Parameter width: of the column before.
  func lines(add width: Int) -> [String] {
    func line(_ key: String, _ value: String) -> String {
      "  \(key.padding(toLength: width, withPad: " ", startingAt: 0)) \(value)"
    }
    func row(_ id: Int, _ name: String) -> String {
      let number = grouped(pictures[id])
      return line(
        "",
        String(format: "%7.3f %%", 100 * share(id)) + String(repeating: " ", count: max(0, 10 - number.count)) + number
          + "  \(name)")
    }
    var lines = [line("masks", "\(counted(classes.count, "class")): share of pixels, and pictures that have some")]
    for (id, name) in classes.names.enumerated() {
      lines.append(row(id, "\(id) \(shortened(printable(name), to: 60))"))
    }
    return lines + [row(Int(MaskClasses.ignored), "\(MaskClasses.ignored) no class")]
  }

  /// A list of objects; the pixels without a class come last, with a null name.
  var json: [[String: Any]] {
    func object(_ id: Int, _ name: Any) -> [String: Any] {
      ["id": id, "name": name, "pixels": pixels[id], "share": share(id), "pictures": pictures[id]]
    }
    return classes.names.enumerated().map { object($0, $1) } + [object(Int(MaskClasses.ignored), NSNull())]
  }
}
