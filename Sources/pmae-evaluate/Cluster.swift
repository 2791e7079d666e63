import ArgumentParser
import CommandLineKit
import Evaluation
import TensorStream
import Training

/// `pmae-evaluate cluster`: k-means on features, beside the labels that it does not see.
struct Cluster: Tool {
  static let configuration = CommandConfiguration(
    abstract: "How well clusters of an encoder's features agree with labels.")

  @Argument(
    help: ArgumentHelp("Encoder weights (not with --pixels); labelled views, or -.", valueName: "operands"),
    completion: .file())
  var operands: [String] = []

  @Option(help: ArgumentHelp("How many clusters (default: as many as there are classes).", valueName: "k"))
  var clusters: Int?

  @Option(help: ArgumentHelp("How often to start anew; the best result is taken.", valueName: "n"))
  var starts = 10

  @OptionGroup var bank: BankOptions
  @OptionGroup var intervals: IntervalOptions
  @OptionGroup var source: FeatureOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func validate() throws {
    if let clusters, clusters < 1 { throw ValidationError("--clusters is \(clusters): expected 1 or more") }
    if !(1...10_000).contains(starts) { throw ValidationError("--starts is \(starts): expected 1 to 10000") }
    _ = try split()
  }

  private func split() throws -> FeatureOperands { try source.split(operands, sets: ["views"]) }

  mutating func execute() throws {
    let operands = try split()
    var maker = try FeatureMaker(source, operands, quiet: quiet)
    try interruptible { try cluster(&maker, views: operands.sets[0]) }
  }

  private func cluster(_ maker: inout FeatureMaker, views: String) throws {
    let set = try maker.features(views)
    let labels = set.features.labels
    let classes = Set(labels).count
    let k = clusters ?? classes
    if k > set.features.count {
      throw Failure(.usage, "--clusters is \(k), but \(set.name) has only \(counted(set.features.count, "image"))")
    }
    var sets = [set.features]
    try bank.scale(&sets, source: set.name, engine: maker.engine)
    let progress = Progress(tool: toolName, what: "iterations", total: nil, quiet: quiet)
    var done = 0
    let found = try KMeans(sets[0], engine: maker.engine).best(clusters: k, starts: starts, seed: intervals.seed) {
      done += 1
      progress.update(done)
      return Interruption.requested
    }
    guard let found else { Interruption.exitAsSignal() }
    progress.finish()

    // Labels may be any numbers, so images are counted by a label's place among those in use.
    let place = Dictionary(uniqueKeysWithValues: Set(labels).sorted().enumerated().map { ($1, Int32($0)) })
    var line = JSONLine()
    try line.add("task", "cluster")
    try line.add("encoder", maker.name)
    try line.add("views", set.name)
    try line.add("pool", maker.pool)
    try line.add("scaling", bank.scaling)
    line.add("images", labels.count)
    line.add("classes", classes)
    line.add("clusters", k)
    line.add("inertia", found.inertia)
    let figures = ClusterFigures.of(
      labels: labels.compactMap { place[$0] }, clusters: found.assignment, bootstrap: intervals.bootstrap,
      threads: maker.engine.threads)
    for figure in figures { line.add(figure) }
    try line.write()
  }
}
