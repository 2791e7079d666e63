import Evaluation
import TensorStream

extension Report {
  /// Figures with their intervals.
  /// - Parameters:
  ///   - facts: what else is worth knowing, such as how many images there are.
  ///   - loss: what the loss is.
  public mutating func add(
    figures: [Figure], level: Double, facts: [(name: String, value: String)] = [],
    loss: String = "cross-entropy (negative log-likelihood)"
  ) {
    section("Figures") { body in
      let names = Self.names
      body.table(
        "With the interval that holds \(percent(level)) of resamples", columns: [" figure", "value", "from", "to"],
        rows: figures.map { figure in
          [
            figure.name == "loss" ? loss : names[figure.name] ?? figure.name, shown(figure.value),
            figure.interval.map { shown($0.lowerBound) } ?? "–", figure.interval.map { shown($0.upperBound) } ?? "–",
          ]
        })
      body.table("Of what", columns: [" what", " is"], rows: facts.map { [$0.name, printable($0.value)] })
    }
  }

  private static let names = [
    "top1": "top-1 accuracy", "top5": "top-5 accuracy", "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1", "micro_f1": "micro F1", "exact": "sets that are right as a whole",
    "mcc": "Matthews' correlation",
    "ece": "expected calibration error", "map": "mean average precision", "r_precision": "R-precision",
    "mIoU": "mean intersection over union (mIoU)", "mAcc": "mean accuracy of classes (mAcc)",
    "aAcc": "accuracy of all pixels (aAcc)",
  ]

  /// Each class, the worst first.
  /// - Parameter name: what a class is called.
  public mutating func add(classes figures: ClassificationFigures, name: (Int) -> String) {
    section("Classes") { body in
      func value(_ row: [Figure], _ key: String) -> Double { row.first { $0.name == key }?.value ?? .nan }
      func interval(_ row: [Figure], _ key: String) -> String {
        row.first { $0.name == key }?.interval.map { "\(shown($0.lowerBound)) to \(shown($0.upperBound))" } ?? "–"
      }
      let rows = figures.classes.sorted { a, b in
        let (x, y) = (value(a.figures, "recall"), value(b.figures, "recall"))
        return (x.isNaN ? 2 : x, a.label) < (y.isNaN ? 2 : y, b.label)
      }
      body.table(
        "The class that is found least comes first",
        columns: [" class", "images", "said", "recall", "interval", "precision", "F1"],
        rows: rows.map { row in
          [
            printable(name(row.label)), String(row.images), String(row.predicted), shown(value(row.figures, "recall")),
            interval(row.figures, "recall"), shown(value(row.figures, "precision")), shown(value(row.figures, "f1")),
          ]
        })
    }
  }

  /// Which class is taken for which: a matrix of few classes, or of many the pairs that are most frequent.
  public mutating func add(confusion figures: ClassificationFigures, name: (Int) -> String) {
    section("Confusion") { body in
      let labels = figures.classes.map(\.label)
      if labels.count <= Self.mostInMatrix {
        Self.matrix(figures, labels, name: name, to: &body)
      } else {
        body.add("<p>\(labels.count) classes are too many for a matrix. These are taken for each other most.</p>\n")
      }
      let images = Dictionary(uniqueKeysWithValues: figures.classes.map { ($0.label, $0.images) })
      let pairs = figures.confusion.filter { $0.label != $0.predicted }
        .sorted { ($1.images, $0.label, $0.predicted) < ($0.images, $1.label, $1.predicted) }
      body.table(
        pairs.isEmpty ? "No image is taken for another class" : "The most frequent mistakes",
        columns: [" is", " is taken for", "images", "of the class"],
        rows: pairs.prefix(100).map { pair in
          [
            printable(name(pair.label)), printable(name(pair.predicted)), String(pair.images),
            percent(Double(pair.images) / Double(images[pair.label] ?? 0)),
          ]
        })
    }
  }

  private static let mostInMatrix = 40

  private static func matrix(
    _ figures: ClassificationFigures, _ labels: [Int], name: (Int) -> String, to body: inout HTML
  ) {
    let caption = "A row for what images are, a column for what they are taken for"
    let images = Dictionary(uniqueKeysWithValues: figures.classes.map { ($0.label, $0.images) })
    var cells: [Int: [Int: Int]] = [:]
    for cell in figures.confusion { cells[cell.label, default: [:]][cell.predicted] = cell.images }
    body.add("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(caption)\"><table class=\"matrix\">")
    body.element("caption", caption)
    body.add("<thead><tr><th class=\"words\" scope=\"col\">class</th>")
    // Numbers, since names may be long: the row of the same number has the name.
    for label in labels {
      body.element("th", String(label), "scope=\"col\" title=\"\(HTML.escaped(printable(name(label))))\"")
    }
    body.add("</tr></thead><tbody>")
    for label in labels {
      body.add("<tr>")
      let own = printable(name(label))
      body.element("th", own == String(label) ? own : "\(label) \(own)", "scope=\"row\" class=\"words\"")
      for predicted in labels {
        let count = cells[label]?[predicted] ?? 0
        let share = Double(count) / Double(max(1, images[label] ?? 0))
        let kind = (label == predicted ? " right" : "") + (count == 0 ? " none" : "")
        body.element("td", String(count), "class=\"\(kind)\" style=\"--s:\(shown(share))\"")
      }
      body.add("</tr>\n")
    }
    body.add("</tbody></table></div>\n")
  }

  /// How often a classifier is right where it is so sure: a diagram, and the same as a table.
  public mutating func add(reliability figures: ClassificationFigures) {
    section("Reliability") { body in
      body.add("<p>Bars above the line: right more often than it is sure. Below: less often.</p>\n")
      let (side, edge) = (260.0, 30.0)
      func x(_ value: Double) -> String { shown(edge + value * side) }
      func y(_ value: Double) -> String { shown(10 + (1 - value) * side) }
      body.add(
        "<svg viewBox=\"0 0 300 310\" role=\"img\" aria-label=\"Accuracy by confidence; the table below has it\">")
      for bin in figures.bins {
        let (from, to) = (bin.range.lowerBound, bin.range.upperBound)
        body.add(
          "<rect class=\"bar\" x=\"\(x(from))\" y=\"\(y(bin.accuracy.value))\" width=\"\(shown((to - from) * side - 1))\" "
            + "height=\"\(shown(bin.accuracy.value * side))\"/>")
        if let interval = bin.accuracy.interval {
          let middle = x((from + to) / 2)
          body.add(
            "<line class=\"axis\" x1=\"\(middle)\" x2=\"\(middle)\" y1=\"\(y(interval.lowerBound))\" y2=\"\(y(interval.upperBound))\"/>"
          )
        }
      }
      body.add("<line class=\"even\" x1=\"\(x(0))\" y1=\"\(y(0))\" x2=\"\(x(1))\" y2=\"\(y(1))\"/>")
      body.add("<path class=\"axis\" d=\"M\(x(0)) \(y(1))V\(y(0))H\(x(1))\"/>")
      for tick in [0.0, 0.5, 1] {
        body.add("<text x=\"\(x(tick))\" y=\"\(shown(284))\" text-anchor=\"middle\">\(shown(tick))</text>")
        body.add("<text x=\"26\" y=\"\(shown(14 + (1 - tick) * side))\" text-anchor=\"end\">\(shown(tick))</text>")
      }
      body.add("<text x=\"160\" y=\"302\" text-anchor=\"middle\">confidence; height: accuracy</text></svg>\n")
      body.add("<details><summary>As a table</summary>")
      body.table(
        "Images by how sure the model is", columns: ["from", "to", "images", "confidence", "accuracy", "interval"],
        rows: figures.bins.map { bin in
          [
            shown(bin.range.lowerBound), shown(bin.range.upperBound), String(bin.images), shown(bin.confidence),
            shown(bin.accuracy.value),
            bin.accuracy.interval.map { "\(shown($0.lowerBound)) to \(shown($0.upperBound))" } ?? "–",
          ]
        })
      body.add("</details>\n")
    }
  }
}
