import Foundation
import Networks
import Pretraining
import TensorStream
import Training

/// One of the oracle's runs: see Fixtures/oracle/README.md.
struct OracleRun {
  static let names = ["default", "mae", "sdae", "single-fold", "single-teacher", "odd"]

  let name: String
  private static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/oracle/"

  var start: String { Self.folder + name + ".init.safetensors" }
  var views: String { Self.folder + name + ".views.stz" }
  func expected() throws -> Record { try readTensors(path: Self.folder + name + ".expected.safetensors") }

  /// The objective that its options name.
  func objective() throws -> any Objective.Type {
    try Pretraining.objective(named: try value(of: "objective"))
  }

  func options() throws -> [String] {
    try String(contentsOfFile: Self.folder + name + ".options", encoding: .utf8).split(separator: "\n").map(String.init)
  }

  private func value(of key: String) throws -> String {
    let words = try options()
    guard let place = words.firstIndex(of: "--" + key), place + 1 < words.count else {
      throw Failure(.data, "\(name): no \(key)")
    }
    return words[place + 1]
  }

  /// The same configuration for the library, without the tool's parser. Options of another objective are passed over.
  func configuration<O: Objective>(_: O.Type = PseudoMAE.self) throws -> Configuration<O.Options> {
    func int(_ key: String) throws -> Int { Int(try value(of: key)) ?? -1 }
    func double(_ key: String) throws -> Double { Double(try value(of: key)) ?? .nan }
    var c = Configuration<O.Options>(
      encoder: EncoderConfiguration(
        image: try int("image"), patch: try int("patch"), channels: 3, width: try int("width"),
        depth: try int("depth"), heads: try int("heads")))
    for setting in O.Options.settings {
      guard let text = try? value(of: setting.name) else { continue }
      if !setting.parse(text, into: &c.options) { throw Failure(.data, "\(name): --\(setting.name) \(text)") }
    }
    c.dropPath = 0
    c.batch = try int("batch")
    c.epochs = try int("epochs")
    c.warmupEpochs = try double("warmup-epochs")
    c.learningRate = try double("lr")
    return c
  }

  /// The first step of the run.
  static let firstStep = StepPlace(step: 0, stepsPerEpoch: 1, epochs: 1)
}
