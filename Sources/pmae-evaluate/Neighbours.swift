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

  @Argument(help: "Encoder weights, .stz or .safetensors.", completion: .file())
  var encoder: String

  @Argument(help: "Labelled views that vote.", completion: .file())
  var train: String

  @Argument(help: "Labelled views that are classified; one of the two may be -, standard input.", completion: .file())
  var test: String

  @Option(
    help: ArgumentHelp(
      "How many neighbours vote; several numbers with commas between (default: 10,20,100,200 as far as there are images).",
      valueName: "list"))
  var k: String?

  @Option(help: "A neighbour's vote is exp(cosine / temperature).")
  var temperature = 0.07

  @OptionGroup var pooling: PoolingOptions
  @OptionGroup var input: InputOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func validate() throws {
    _ = try counts()
    if !(temperature > 0 && temperature.isFinite) {
      throw ValidationError("--temperature is \(temperature): expected a number above 0")
    }
    if train == "-" && test == "-" { throw ValidationError("only one of the operands can be standard input") }
  }

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
  private func counts(of known: Features) throws -> [Int] {
    if let asked = try counts() {
      if let most = asked.max(), most > known.count {
        throw Failure(.usage, "--k asks for \(most) neighbours, but \(train) has only \(known.count) images")
      }
      return asked
    }
    let usual = [10, 20, 100, 200].filter { $0 <= known.count }
    return usual.isEmpty ? [known.count] : usual
  }

  mutating func execute() throws {
    let file = try input.weights(encoder, quiet: quiet)
    let engine = input.engine(quiet: quiet)
    let extractor = try pooling.extractor(file, input, engine: engine, quiet: quiet)
    try interruptible { try score(file, extractor, engine: engine) }
  }

  private func score(_ file: WeightsFile, _ extractor: FeatureExtractor, engine: Engine) throws {
    let (known, knownNames) = try input.features(extractor, train, for: file, engine: engine, quiet: quiet)
    let ks = try counts(of: known)
    let (asked, askedNames) = try input.features(extractor, test, for: file, engine: engine, quiet: quiet)
    try requireSameClasses(knownNames, of: train, askedNames, of: test)
    let scores = try nearestNeighbourScores(
      train: known, test: asked, ks: ks, temperature: temperature, engine: engine
    ) { _ in Interruption.requested }
    guard let scores else { Interruption.exitAsSignal() }
    for score in scores {
      var line = JSONLine()
      try line.add("task", "knn")
      try line.add("encoder", file.source)
      try line.add("train", train)
      try line.add("test", test)
      try line.add("pool", extractor.pooling.rawValue)
      line.add("train_images", known.count)
      line.add("images", score.images)
      line.add("k", score.k)
      line.add("temperature", temperature)
      line.add("top1", score.top1)
      line.add("top5", score.top5)
      try line.write()
    }
  }
}
