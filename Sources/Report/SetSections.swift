import Evaluation
import TensorStream

extension Report {
  /// Each class of a classifier of sets, the one that is found worst first.
  /// - Parameter name: what a class is called.
  public mutating func add(sets figures: SetFigures, name: (Int) -> String) {
    section("Classes") { body in
      func figure(_ row: [Figure], _ key: String) -> Figure? { row.first { $0.name == key } }
      let rows = figures.classes.sorted { a, b in
        (figure(a.figures, "ap")?.value ?? 2, a.label) < (figure(b.figures, "ap")?.value ?? 2, b.label)
      }
      body.table(
        "By average precision; an image has any number of them, and one is said at a probability of 1/2",
        columns: [" class", "images", "said", "average precision", "interval", "recall", "precision", "F1"],
        rows: rows.map { row in
          let precision = figure(row.figures, "ap")
          return [
            printable(name(row.label)), String(row.images), String(row.predicted), shown(precision?.value ?? .nan),
            precision?.interval.map { "\(shown($0.lowerBound)) to \(shown($0.upperBound))" } ?? "–",
          ] + ["recall", "precision", "f1"].map { shown(figure(row.figures, $0)?.value ?? .nan) }
        })
    }
  }
}
