import Foundation
import Networks
import Pretraining
import TensorStream

/// One of the oracle's runs: see Fixtures/oracle/README.md.
struct OracleRun {
  static let names = ["default", "mae", "sdae", "single-fold", "single-teacher", "odd"]

  let name: String
  private static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/oracle/"

  var start: String { Self.folder + name + ".init.safetensors" }
  var views: String { Self.folder + name + ".views.stz" }
  func expected() throws -> Record { try readTensors(path: Self.folder + name + ".expected.safetensors") }

  func options() throws -> [String] {
    try String(contentsOfFile: Self.folder + name + ".options", encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// The same configuration for the library, without the tool's parser.
  func configuration() throws -> Configuration {
    let words = try options()
    var value: [String: String] = [:]
    for i in stride(from: 0, to: words.count, by: 2) { value[words[i]] = words[i + 1] }
    func text(_ key: String) throws -> String {
      guard let found = value["--" + key] else { throw Failure(.data, "\(name): no \(key)") }
      return found
    }
    func int(_ key: String) throws -> Int { Int(try text(key)) ?? -1 }
    func double(_ key: String) throws -> Double { Double(try text(key)) ?? .nan }
    let encoder = EncoderConfiguration(
      image: try int("image"), patch: try int("patch"), channels: 3, width: try int("width"), depth: try int("depth"),
      heads: try int("heads"))
    let objective = Configuration.Objective(rawValue: try text("objective")) ?? .pseudoMAE
    var c = Configuration(
      encoder: encoder,
      decoder: DecoderConfiguration(
        width: try int("decoder-width"), depth: try int("decoder-depth"), heads: try int("decoder-heads"),
        output: objective == .mae ? encoder.patchValues : encoder.width),
      head: HeadConfiguration(
        hidden: try int("head-hidden"), bottleneck: try int("head-bottleneck"), prototypes: try int("prototypes")))
    c.objective = objective
    c.teachers = Configuration.Teachers(rawValue: try text("teachers")) ?? .disentangled
    c.match = Configuration.Match(rawValue: try text("match")) ?? .nearest
    c.reconstructionFolds = try int("reconstruction-folds")
    c.labelFolds = try int("label-folds")
    c.lambdaC = try double("lambda-c")
    c.lambdaP = try double("lambda-p")
    c.dropPath = 0
    c.batch = try int("batch")
    c.epochs = try int("epochs")
    c.warmupEpochs = try double("warmup-epochs")
    c.learningRate = try double("lr")
    return c
  }
}
