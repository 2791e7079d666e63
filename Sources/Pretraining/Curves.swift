import Foundation
import TensorStream

/// A run's metrics over its steps as a drawing, for gnuplot: losses, learning rate, momenta, and what shows a collapse.
public struct Curves {
  /// One diagram.
  public struct Panel: Sendable {
    public let title: String
    /// Whether its values are shares of 1, to be seen beside the whole.
    var isShare = false
    /// Of an option that most runs are without: not missed where there is none.
    var isOptional = false
    /// Whether a metric belongs to it.
    let holds: @Sendable (String) -> Bool

    /// In the order in which they are drawn.
    public static let all: [Panel] = [
      Panel(title: "losses") { $0 == "loss" || $0.hasPrefix("loss_") },
      Panel(title: "learning rate") { $0 == "lr" },
      Panel(title: "momenta") { $0.hasSuffix("_momentum") },
      Panel(title: "label entropy (1: all prototypes alike)", isShare: true) { $0.hasPrefix("entropy_") },
      Panel(title: "share of prototypes in use", isShare: true) { $0.hasPrefix("used_") },
      Panel(title: "cosine of teacher and student") { $0.hasPrefix("cosine_") },
      Panel(title: "weight of the label losses", isShare: true, isOptional: true) { $0 == "label_weight" },
      Panel(title: "temperature of the labels", isOptional: true) { $0 == "teacher_temperature" },
    ]
  }

  public let runs: [RunMetrics]
  private static let points = 800

  public init(_ runs: [RunMetrics]) { self.runs = runs }

  /// The diagrams for which no run has a number.
  public var missing: [String] { Panel.all.filter { !$0.isOptional && metrics(of: $0).isEmpty }.map(\.title) }

  private func metrics(of panel: Panel) -> [String] {
    Set(runs.flatMap { $0.series.keys }).filter(panel.holds).sorted()
  }

  /// The commands and the data: an SVG drawing on gnuplot's standard output.
  /// - Throws: `Failure(.data)` where there is nothing to draw.
  public func gnuplotScript() throws -> String {
    let panels = Panel.all.map { ($0, metrics(of: $0)) }.filter { !$0.1.isEmpty }
    guard !panels.isEmpty else {
      throw Failure(.data, "\(runs.map(\.name).joined(separator: ", ")): no metric that is known")
    }
    let names = Self.shortened(runs.map(\.name))
    var data = ""
    var plots = ""
    for (number, (panel, metrics)) in panels.enumerated() {
      var lines: [String] = []
      for (r, run) in runs.enumerated() {
        for (m, metric) in metrics.enumerated() {
          let points = run.points(metric, limit: Self.points)
          if points.isEmpty { continue }
          let block = "$p\(number)r\(r)m\(m)"
          data += "\(block) << EOD\n" + points.map { "\($0.step) \($0.value)\n" }.joined() + "EOD\n"
          let label = runs.count > 1 ? "\(names[r]) \(metric)" : metric
          // A colour a metric; of several runs, a colour a run and a dash a metric.
          let style = runs.count > 1 ? "lc \(r + 1) dt \(m + 1)" : "lc \(m + 1)"
          let kind = points.count < 3 ? "linespoints pt 7 ps 0.4" : "lines"
          lines.append("\(block) using 1:2 with \(kind) \(style) title '\(quoted(label))'")
        }
      }
      plots +=
        "set title '\(quoted(panel.title))'\nset yrange [\(panel.isShare ? "0:1" : "*:*")]\nplot \(lines.joined(separator: ", \\\n  "))\n"
    }
    let rows = (panels.count + 1) / 2
    return """
      set encoding utf8
      set terminal svg size 1100,\(340 * rows + 30) dynamic background rgb 'white' font 'sans,11'
      \(data)set xlabel 'step'
      set grid
      set key outside below noenhanced
      set title noenhanced
      set format y '%.4g'
      set multiplot layout \(rows),2
      \(plots)unset multiplot

      """
  }

  /// Paths without the folders that all of them begin and end with: what tells them apart.
  private static func shortened(_ names: [String]) -> [String] {
    var paths = names.map { $0.split(separator: "/") }
    func isShared(_ component: ([Substring]) -> Substring?) -> Bool {
      paths.allSatisfy { $0.count > 1 } && Set(paths.map(component)).count == 1
    }
    while paths.count > 1, isShared(\.first) { for i in paths.indices { paths[i].removeFirst() } }
    while paths.count > 1, isShared(\.last) { for i in paths.indices { paths[i].removeLast() } }
    return paths.map { $0.joined(separator: "/") }
  }

  /// Between gnuplot's single quotes. A line's end would end the command.
  private func quoted(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 }).replacingOccurrences(of: "'", with: "''")
  }
}
