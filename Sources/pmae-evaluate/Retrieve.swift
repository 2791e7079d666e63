import ArgumentParser
import CommandLineKit
import Evaluation
import Schemas
import TensorStream
import Training

/// `pmae-evaluate retrieve`: images of a query's class among those that are most similar to it.
struct Retrieve: Tool {
  static let configuration = CommandConfiguration(
    abstract: "How well an encoder finds images of the same class, and the nearest of each by name.")

  @Argument(
    help: ArgumentHelp(
      "Encoder weights (not with --pixels); labelled views that are searched; labelled views that are queries, or -.",
      valueName: "operands"),
    completion: .file())
  var operands: [String] = []

  @Flag(help: "An image is not its own neighbour: for one set as both operands.")
  var excludeSelf = false

  @Option(help: ArgumentHelp("Write the nearest images of each query there, as a table.", valueName: "file"))
  var neighbours: String?

  @Option(help: ArgumentHelp("How many neighbours a query has in the table (default: 5).", valueName: "n"))
  var top: Int?

  @OptionGroup var page: ReportOptions
  @OptionGroup var bank: BankOptions
  @OptionGroup var intervals: IntervalOptions
  @OptionGroup var source: FeatureOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func validate() throws {
    if let top, !(1...1_000_000).contains(top) { throw ValidationError("--top is \(top): expected 1 to 1000000") }
    if neighbours == nil {
      if top != nil { throw ValidationError("--top is of the table, which --neighbours names") }
      if page.overwrite && page.report == nil {
        throw ValidationError("--overwrite is of what --neighbours and --report name")
      }
    }
    if neighbours == "-" {
      throw ValidationError("--neighbours is -: standard output has the figures; name a file")
    }
    try requireDistinct([("--neighbours", neighbours), ("--report", page.report)])
    _ = try split()
  }

  /// Neighbours of a query in the table.
  private var shown: Int { top ?? 5 }

  private func split() throws -> FeatureOperands { try source.split(operands, sets: ["bank", "queries"]) }

  mutating func execute() throws {
    let operands = try split()
    let table = try neighbours.map { try TextFile(path: $0, overwrite: page.overwrite) }
    let report: TextFile?
    do {
      report = try page.file()
    } catch {
      table?.cancel()
      throw error
    }
    do {
      var maker = try FeatureMaker(source, operands, quiet: quiet)
      try interruptible {
        try retrieve(&maker, bank: operands.sets[0], queries: operands.sets[1], table: table, report: report)
      }
    } catch {
      table?.cancel()
      report?.cancel()
      throw error
    }
  }

  private func retrieve(
    _ maker: inout FeatureMaker, bank path: String, queries: String, table: TextFile?, report: TextFile?
  ) throws {
    let known = try maker.features(path)
    let asked = try maker.features(queries)
    try requireSameClasses(known.classNames, of: known.name, asked.classNames, of: asked.name)
    var sets = [known.features, asked.features]
    try bank.scale(&sets, source: known.name, engine: maker.engine)
    let progress = Progress(tool: toolName, what: "queries", total: sets[1].count, quiet: quiet)
    let found = try Retrieval(
      bank: sets[0], queries: sets[1],
      neighbours: max(table == nil ? 0 : shown, report == nil ? 0 : RetrieveReport.neighbours),
      excludesSelf: excludeSelf,
      engine: maker.engine
    ) { done in
      progress.update(done)
      return Interruption.requested
    }
    guard let found else {
      table?.cancel()
      report?.cancel()
      Interruption.exitAsSignal()
    }
    progress.finish()
    if found.unmatched == found.queries.count {
      throw Failure(.data, "\(known.name): has no image of any class of \(asked.name)")
    }
    let names = ClassNames.merged(known.classNames, asked.classNames)
    let figures = found.figures(intervals.bootstrap, threads: maker.engine.threads)
    if let report {
      let page = RetrieveReport(
        found: found, figures: figures, level: intervals.bootstrap.level, bank: known, queries: asked, classes: names,
        weights: maker.weights)
      let pictures = (
        try maker.pictures(of: path, rows: page.bankRows), try maker.pictures(of: queries, rows: page.queryRows)
      )
      try report.write(page.text(encoder: maker.name, bankPictures: pictures.0, queryPictures: pictures.1))
      try report.finish()
    }
    if let table {
      try write(found, bank: sets[0], queries: sets[1], classes: names, to: table)
    }
    var line = JSONLine()
    try line.add("task", "retrieve")
    try line.add("encoder", maker.name)
    try line.add("bank", known.name)
    try line.add("queries", asked.name)
    try line.add("pool", maker.pool)
    try line.add("scaling", bank.scaling)
    line.add("bank_images", sets[0].count)
    line.add("images", found.queries.count - found.unmatched)
    line.add("without_match", found.unmatched)
    for figure in figures { line.add(figure) }
    try line.write()
  }

  private func write(
    _ found: Retrieval, bank: Features, queries: Features, classes: [String]?, to table: TextFile
  ) throws {
    func cells(_ row: Int, of features: Features) -> [String] {
      [
        String(features.index[row]), features.names?.known(row) ?? "-",
        ClassNames.text(features.labels[row], in: classes) ?? "-",
      ]
    }
    try table.write(
      "query\tquery_name\tquery_class\trank\tneighbour\tneighbour_name\tneighbour_class\tsimilarity\n")
    for (row, query) in found.queries.enumerated() {
      let own = cells(row, of: queries)
      for (rank, neighbour) in query.neighbours.prefix(shown).enumerated() {
        let line =
          own + [String(rank + 1)] + cells(neighbour.row, of: bank)
          + [JSONLine.number(Double(neighbour.similarity))]
        try table.write(line.map { printable($0) }.joined(separator: "\t") + "\n")
      }
    }
    try table.finish()
  }
}
