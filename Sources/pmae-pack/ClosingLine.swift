// What every run says at its end: how many pictures, of how many classes, and where the labels came from.

import Imaging
import TensorStream

enum ClosingLine {
  /// One line.
  static func text(_ set: PictureSet, _ summary: PicturePacking.Summary, separator: String?) -> String {
    var pictures = counted(summary.rows, "picture")
    if let classes = set.maskClasses {
      pictures += " with masks of \(counted(classes.count, "class")) from \(set.maskOrigin ?? "")"
    }
    guard let classes = set.classes else { return "\(pictures); no labels: \(set.origin)" }
    let empty = summary.kept == 0 ? summary.perClass.count { $0 == 0 } : 0
    let kind = separator == nil ? ("class", "classes") : ("set of classes", "sets of classes")
    let classText = classes.count == 1 ? "1 \(kind.0)" : "\(grouped(classes.count)) \(kind.1)"
    return
      "\(pictures) of \(classText)\(empty > 0 ? ", \(grouped(empty)) of them without a picture" : ""); labels from \(set.origin)"
  }

  /// What is better known before training, each a line.
  static func warnings(_ summary: PicturePacking.Summary, channels: Int) -> [String] {
    var lines: [String] = []
    if summary.coloured > 0 {
      lines.append("\(counted(summary.coloured, "picture")) with colours will be read as grey")
    }
    if !summary.flatChannels.isEmpty {
      let names = summary.flatChannels.map { flat in
        let name = channels == 1 ? "the grey channel" : ["red", "green", "blue"][flat.channel]
        return "\(name) (\(flat.value) everywhere)"
      }
      lines.append(
        "\(names.joined(separator: ", ")): no variance, and training divides by the deviation: give pmae-augment --mean and --std"
          + (channels == 3 ? ", or pack grey pictures with --channels 1" : ""))
    }
    return lines
  }
}
