import Evaluation
import Imaging
import Schemas
import TensorStream

extension Report {
  /// Each class of masks, the one that is found least first.
  public mutating func add(classes figures: SegmentationFigures, names: MaskClasses) {
    section("Classes") { body in
      func value(_ row: SegmentationFigures.Class, _ key: String) -> Double {
        row.figures.first { $0.name == key }?.value ?? .nan
      }
      func interval(_ row: SegmentationFigures.Class) -> String {
        row.figures.first { $0.name == "iou" }?.interval
          .map { "\(shown($0.lowerBound)) to \(shown($0.upperBound))" } ?? "–"
      }
      let total = figures.classes.reduce(0.0) { $0 + Double($1.pixels) }
      let rows = figures.classes.sorted { (value($0, "iou"), $0.label) < (value($1, "iou"), $1.label) }
      body.table(
        "The class with the least intersection over union comes first",
        columns: [" class", "IoU", "interval", "accuracy", "pixels", "said"],
        rows: rows.map { row in
          [
            printable(names.text(UInt8(row.label))), shown(value(row, "iou")), interval(row),
            shown(value(row, "accuracy")), percent(Double(row.pixels) / total), percent(Double(row.predicted) / total),
          ]
        })
    }
  }

  /// Which class's pixels are taken for which.
  public mutating func add(confusion figures: SegmentationFigures, names: MaskClasses) {
    section("Confusion") { body in
      let pixels = Dictionary(uniqueKeysWithValues: figures.classes.map { ($0.label, $0.pixels) })
      let pairs = figures.confusion.filter { $0.label != $0.predicted }
        .sorted { ($1.pixels, $0.label, $0.predicted) < ($0.pixels, $1.label, $1.predicted) }
      body.table(
        pairs.isEmpty ? "No pixel is taken for another class" : "The most frequent mistakes",
        columns: [" is", " is taken for", "pixels", "of the class"],
        rows: pairs.prefix(100).map { pair in
          [
            printable(names.text(UInt8(pair.label))), printable(names.text(UInt8(pair.predicted))), String(pair.pixels),
            percent(Double(pair.pixels) / Double(pixels[pair.label] ?? 0)),
          ]
        })
    }
  }

  /// The pictures with the fewest right pixels: alone, with their labels over them, and with what was said.
  /// - Throws: as a JPEG's encoder does.
  public mutating func add(worst entries: [WorstPictures.Entry], names: MaskClasses) throws {
    try add(
      rows: entries.map { entry in
        let picture = Picture(
          height: entry.height, width: entry.width, channels: entry.channels, pixels: entry.pixels)
        func most(_ ids: [UInt8]) -> String {
          var counts: [UInt8: Int] = [:]
          for id in ids where id != MaskClasses.ignored { counts[id, default: 0] += 1 }
          let first = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5)
          return first.map { names.text($0.key) }.joined(separator: ", ") + (counts.count > 5 ? ", …" : "")
        }
        return [
          ReportPicture(
            picture, name: entry.name ?? "image \(entry.index)",
            lines: ["\(percent(entry.accuracy)) of its pixels are right", "mIoU \(shown(entry.meanIoU))"]),
          ReportPicture(picture.overlaid(entry.labels, names), name: "is", lines: [most(entry.labels)]),
          ReportPicture(
            picture.overlaid(entry.predicted, names), name: "said", lines: [most(entry.predicted)], isWrong: true),
        ]
      },
      title: "Worst pictures",
      about: entries.isEmpty
        ? "There is no picture with labels."
        : "Those with the smallest share of right pixels, the worst first: the picture, its labels, and what was said. Pixels "
          + "without a label stay bare.")
  }
}
