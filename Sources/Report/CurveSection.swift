import Foundation
import Runs
import TensorStream

extension Report {
  /// A run's metrics over its steps: a diagram each, and where they begin and end as a table.
  public mutating func add(curvesOf run: RunMetrics) {
    let first = ["loss", "accuracy", "lr"]
    let names = run.series.keys.filter { $0 != "epoch" && $0 != "images_per_second" }.sorted { a, b in
      let (x, y) = (first.firstIndex(of: a) ?? first.count, first.firstIndex(of: b) ?? first.count)
      return (x, a) < (y, b)
    }
    section("Training") { body in
      body.element("p", "The run in \(printable(run.name)), over its steps. Many steps are shown by their means.")
      body.add("\n<div class=\"curves\">")
      for name in names { Self.diagram(of: run, name, to: &body) }
      body.add("</div>\n<details><summary>As a table</summary>")
      body.table(
        "Metrics of the run", columns: [" metric", "first", "last", "least", "greatest"],
        rows: names.map { name in
          let values = (run.series[name] ?? []).map(\.value)
          return [
            printable(name), shown(values.first ?? .nan), shown(values.last ?? .nan), shown(values.min() ?? .nan),
            shown(values.max() ?? .nan),
          ]
        })
      body.add("</details>\n")
    }
  }

  /// A line through the points, with its least and greatest value and its last step beside it.
  private static func diagram(of run: RunMetrics, _ metric: String, to body: inout HTML) {
    let points = run.points(metric, limit: 300).filter { $0.value.isFinite }
    guard let first = points.first, let last = points.last else { return }
    let (low, high) = (points.map(\.value).min() ?? 0, points.map(\.value).max() ?? 0)
    let (width, height, edge) = (266.0, 110.0, 62.0)
    func x(_ step: Double) -> Double {
      last.step > first.step ? edge + (step - first.step) / (last.step - first.step) * width : edge + width / 2
    }
    func y(_ value: Double) -> Double { high > low ? 10 + (high - value) / (high - low) * height : 10 + height / 2 }
    /// Beside an axis there is little room.
    func axis(_ value: Double) -> String { String(format: "%.3g", value) }
    func number(_ value: Double) -> String { String(format: "%.1f", value) }
    let name = printable(metric)
    let text = "\(name) from \(shown(first.value)) to \(shown(last.value))"
    body.add("<figure><figcaption>")
    body.element("span", name, "class=\"name\"")
    body.add("</figcaption><svg viewBox=\"0 0 340 150\" role=\"img\" aria-label=\"\(HTML.escaped(text))\">")
    body.add("<path class=\"axis\" d=\"M\(number(edge)) 10V\(number(10 + height))H\(number(edge + width))\"/>")
    let path = points.enumerated().map { place, point in
      "\(place == 0 ? "M" : "L")\(number(x(point.step))) \(number(y(point.value)))"
    }
    if points.count == 1 {
      body.add("<circle class=\"curve\" r=\"2\" cx=\"\(number(x(first.step)))\" cy=\"\(number(y(first.value)))\"/>")
    } else {
      body.add("<path class=\"curve\" d=\"\(path.joined())\"/>")
    }
    body.add("<text x=\"58\" y=\"14\" text-anchor=\"end\">\(axis(high))</text>")
    if high > low { body.add("<text x=\"58\" y=\"\(number(10 + height))\" text-anchor=\"end\">\(axis(low))</text>") }
    body.add("<text x=\"\(number(edge))\" y=\"138\">step \(shown(first.step))</text>")
    body.add(
      "<text x=\"\(number(edge + width))\" y=\"138\" text-anchor=\"end\">\(shown(last.step))</text></svg></figure>\n")
  }
}
