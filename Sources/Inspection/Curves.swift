import Foundation
import Pretraining
import Runs
import TensorStream

/// Runs' metrics over their steps as a drawing, for gnuplot: losses, learning rate, and the figures that the objectives
/// of these runs declare. A metric that no objective declares has a diagram of its own.
public struct Curves {
  /// One diagram.
  struct Panel {
    let title: String
    /// Whether its values are shares of 1, to be seen beside the whole.
    var isShare = false
    /// Of an option that most runs are without: not missed where there is none.
    var isOptional = false
    let metrics: [String]
  }

  public let runs: [RunMetrics]
  /// In the order of drawing, with those that no run has numbers for.
  private let panels: [Panel]
  private static let points = 800

  /// - Throws: `Failure(.data)` where a run is of an objective that this program has not.
  public init(_ runs: [RunMetrics]) throws {
    self.runs = runs
    let there = Set(runs.flatMap { $0.series.keys }).subtracting(["epoch", "images_per_second"])
    var panels = [
      Panel(title: "losses", metrics: there.filter { $0 == "loss" || $0.hasPrefix("loss_") }.sorted()),
      Panel(title: "learning rate", metrics: there.filter { $0 == "lr" }),
    ]
    for declared in try Self.declarations(of: runs) {
      let found = there.contains(declared.name) ? [declared.name] : []
      if let place = panels.firstIndex(where: { $0.title == declared.panel }) {
        let old = panels[place]
        if old.metrics.contains(declared.name) { continue }
        panels[place] = Panel(
          title: old.title, isShare: old.isShare, isOptional: old.isOptional, metrics: old.metrics + found)
      } else {
        panels.append(
          Panel(
            title: declared.panel, isShare: declared.isShare, isOptional: declared.isOptional, metrics: found))
      }
    }
    let drawn = Set(panels.flatMap(\.metrics))
    panels += there.subtracting(drawn).sorted().map { Panel(title: $0, metrics: [$0]) }
    self.panels = panels
  }

  /// What the runs' objectives say of their figures. A run of fine-tuning has none.
  private static func declarations(of runs: [RunMetrics]) throws -> [FigureDeclaration] {
    try runs.flatMap { run -> [FigureDeclaration] in
      guard let json = run.configuration, let name = try objectiveName(ofConfiguration: json, source: run.name)
      else { return [] }
      return try objective(named: name, source: run.name).figures
    }
  }

  /// The diagrams for which no run has a number.
  public var missing: [String] { panels.filter { !$0.isOptional && $0.metrics.isEmpty }.map(\.title) }

  /// The commands and the data: an SVG drawing on gnuplot's standard output.
  /// - Throws: `Failure(.data)` where there is nothing to draw.
  public func gnuplotScript() throws -> String {
    let panels = panels.filter { !$0.metrics.isEmpty }
    guard !panels.isEmpty else {
      throw Failure(.data, "\(runs.map(\.name).joined(separator: ", ")): no metric that is known")
    }
    let names = Self.shortened(runs.map(\.name))
    var data = ""
    var plots = ""
    for (number, panel) in panels.enumerated() {
      var lines: [String] = []
      for (r, run) in runs.enumerated() {
        for (m, metric) in panel.metrics.enumerated() {
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
