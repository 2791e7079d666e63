import ArgumentParser
import CommandLineKit
import Evaluation
import Schemas
import TensorStream
import Training

/// `pmae-evaluate linear`: logistic regression on frozen features.
struct Linear: Tool {
  static let configuration = CommandConfiguration(
    abstract: "An encoder's accuracy by logistic regression on its features.")

  @Argument(
    help: ArgumentHelp(
      "Encoder weights (not with --pixels); labelled views to learn from; labelled views that are classified, or -.",
      valueName: "operands"),
    completion: .file())
  var operands: [String] = []

  @Option(
    name: .customLong("lambda"),
    help: ArgumentHelp(
      "The penalty of lambda/2 |W|^2 beside the sum of losses; of several, with commas, the best (default: 0.01 to 10000).",
      valueName: "list"))
  var penalties: String?

  @Option(help: ArgumentHelp("The share of each class that is held out to choose the penalty.", valueName: "share"))
  var heldOut: Double?

  @OptionGroup var labels: LabelOptions
  @OptionGroup var bank: BankOptions
  @OptionGroup var intervals: IntervalOptions
  @OptionGroup var source: FeatureOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func validate() throws {
    let options = try options()
    if let heldOut, !(heldOut > 0 && heldOut < 1) {
      throw ValidationError("--held-out is \(heldOut): expected a share above 0 and below 1")
    }
    if heldOut != nil && options.penalties.count == 1 {
      throw ValidationError("--held-out is for choosing one of several penalties, and --lambda has one")
    }
    _ = try split()
  }

  private func split() throws -> FeatureOperands { try source.split(operands, sets: ["train", "test"]) }

  private func options() throws -> LinearEvaluation.Options {
    var options = LinearEvaluation.Options()
    if let penalties {
      options.penalties = try penalties.split(separator: ",", omittingEmptySubsequences: false).map { part in
        guard let number = Double(part), (1e-12...1e12).contains(number) else {
          throw ValidationError("--lambda is \(penalties): expected numbers from 1e-12 to 1e12, with commas between")
        }
        return number
      }
    }
    options.heldOut = heldOut ?? options.heldOut
    options.seed = intervals.seed
    return options
  }

  mutating func execute() throws {
    let operands = try split()
    var maker = try FeatureMaker(source, operands, quiet: quiet)
    try interruptible { try evaluate(&maker, train: operands.sets[0], test: operands.sets[1]) }
  }

  private func evaluate(_ maker: inout FeatureMaker, train: String, test: String) throws {
    let known = try maker.features(train)
    let asked = try maker.features(test)
    try requireSameClasses(known.classNames, of: known.name, asked.classNames, of: asked.name)
    guard known.features.width == asked.features.width else {
      throw Failure(
        .data,
        "\(asked.name): features of width \(asked.features.width), but those of \(known.name) of \(known.features.width)"
      )
    }
    var sets = [known.features, asked.features]
    try bank.scale(&sets, source: known.name, engine: maker.engine)
    sets[0] = try labels.choose(sets[0], seed: intervals.seed, source: known.name)
    let options = try options()
    let progress = Progress(tool: toolName, what: "steps", total: nil, quiet: quiet)
    var steps = 0
    let found = try LinearEvaluation(sets[0], options, source: known.name, engine: maker.engine) {
      steps += 1
      progress.update(steps)
      return Interruption.requested
    }
    guard let found else { Interruption.exitAsSignal() }
    progress.finish()
    warn(found)
    let score = try found.model.score(on: sets[1], labels: found.labels, source: asked.name, engine: maker.engine)

    var line = JSONLine()
    try line.add("task", "linear")
    try line.add("encoder", maker.name)
    try line.add("train", train)
    try line.add("test", test)
    try line.add("pool", maker.pool)
    try line.add("scaling", bank.scaling)
    line.add("train_images", sets[0].count)
    line.add("images", score.images)
    line.add("classes", found.labels.count)
    line.add("lambda", found.penalty)
    if let trial = found.trials.first(where: { $0.penalty == found.penalty }) {
      line.add("held_out_top1", trial.top1)
    }
    line.add("steps", steps)
    let figures = ClassificationFigures(
      score.verdicts, classes: found.labels.count, bootstrap: intervals.bootstrap, isDetailed: false,
      threads: maker.engine.threads)
    for figure in figures.whole { line.add(figure) }
    try line.write()
  }

  private func warn(_ found: LinearEvaluation) {
    if !found.model.hasConverged {
      note(toolName, "the weights have not settled after \(found.model.iterations) steps", quiet: quiet)
    }
    guard found.trials.count > 1, let place = found.trials.firstIndex(where: { $0.penalty == found.penalty }) else {
      return
    }
    let side = place == 0 ? "greatest" : place == found.trials.count - 1 ? "least" : nil
    if let side {
      note(
        toolName,
        "lambda \(JSONLine.number(found.penalty)) is the \(side) that was tried: others, by --lambda, may be better",
        quiet: quiet)
    }
  }
}
