import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Networks
import Schemas
import TensorStream
import Training

/// `pmae-evaluate knn`: DINO's weighted nearest-neighbour classifier on an encoder's features.
struct Neighbours: Tool {
  static let configuration = CommandConfiguration(
    commandName: "knn",
    abstract: "An encoder's accuracy by weighted nearest neighbours.")

  @Argument(
    help: ArgumentHelp(
      "Encoder weights (not with --pixels); labelled views that vote; labelled views that are classified, or -.",
      valueName: "operands"),
    completion: .file())
  var operands: [String] = []

  @Option(
    help: ArgumentHelp(
      "How many neighbours vote; several numbers with commas between (default: 10,20,100,200 as far as there are images).",
      valueName: "list"))
  var k: String?

  @Option(help: "A neighbour's vote is exp(cosine / temperature).")
  var temperature = 0.07

  @OptionGroup var part: SetPartOption
  @OptionGroup var labels: LabelOptions
  @OptionGroup var bank: BankOptions
  @OptionGroup var intervals: IntervalOptions
  @OptionGroup var source: FeatureOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func validate() throws {
    _ = try counts()
    if !(temperature > 0 && temperature.isFinite) {
      throw ValidationError("--temperature is \(temperature): expected a number above 0")
    }
    _ = try split()
  }

  private func split() throws -> FeatureOperands { try source.split(operands, sets: ["train", "test"]) }

  /// The numbers of `--k`; nil where it is not given.
  private func counts() throws -> [Int]? {
    try k.map { k in
      try k.split(separator: ",", omittingEmptySubsequences: false).map { part in
        guard let count = Int(part), count >= 1 else {
          throw ValidationError("--k is \(k): expected whole numbers from 1, with commas between")
        }
        return count
      }
    }
  }

  /// The numbers of `--k`, which must all be possible, or those of the usual numbers that are.
  private func counts(upTo images: Int, of source: String) throws -> [Int] {
    if let asked = try counts() {
      if let most = asked.max(), most > images {
        throw Failure(
          .usage, "--k asks for \(most) neighbours, but \(source) has only \(images) images")
      }
      return asked
    }
    let usual = [10, 20, 100, 200].filter { $0 <= images }
    return usual.isEmpty ? [images] : usual
  }

  mutating func execute() throws {
    let operands = try split()
    var maker = try FeatureMaker(source, operands, quiet: quiet)
    try interruptible { try score(&maker, train: operands.sets[0], test: operands.sets[1]) }
  }

  private func score(_ maker: inout FeatureMaker, train: String, test: String) throws {
    let known = try maker.features(train)
    let asked = try maker.features(test)
    try requireSameClasses(known.classNames, of: known.name, asked.classNames, of: asked.name)
    var sets = [known.features, asked.features]
    try bank.scale(&sets, source: known.name, engine: maker.engine)
    sets[0] = try labels.choose(sets[0], seed: intervals.seed, source: known.name)
    let ks = try counts(upTo: sets[0].count, of: known.name)
    // Whole tiles of matrices, so that a part rounds as the whole does.
    let rows = try part.rows(of: sets[1].count, chunk: 256, source: asked.name)
    if part.part != nil { sets[1] = sets[1].rows(Array(rows)) }
    let scores = try nearestNeighbourScores(
      train: sets[0], test: sets[1], ks: ks, temperature: temperature, engine: maker.engine
    ) { _ in Interruption.requested }
    guard let scores else { Interruption.exitAsSignal() }
    for score in scores {
      let measured = NeighbourLine(
        encoder: maker.name, train: train, test: test, pool: maker.pool, scaling: bank.scaling,
        trainImages: sets[0].count, k: score.k, temperature: temperature)
      if let part = part.part {
        try measured.line(score.ranks, part: part, intervals.bootstrap).write()
      } else {
        try measured.line(score, intervals.bootstrap, threads: maker.engine.threads).write()
      }
    }
  }
}
