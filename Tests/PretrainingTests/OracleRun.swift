import Foundation
import Networks
import Pretraining
import TensorStream
import Training

/// One of the oracle's runs: see Fixtures/oracle/README.md, and Fixtures/methods/README.md for the other objectives'.
struct OracleRun {
  static let names = ["default", "mae", "sdae", "single-fold", "single-teacher", "pixels", "odd"]
  /// Runs of the other objectives, by their names: each has one.
  static let methods = objectives.map { $0.name }.filter { !["pseudo-mae", "mae"].contains($0) }
  /// Objectives whose batch has no parts.
  static let whole = Set(objectives.filter { $0.wholeBatch != nil }.map { $0.name })

  let name: String
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/"
  private var path: String { Self.fixtures + (Self.methods.contains(name) ? "methods/" : "oracle/") + name }

  var start: String { path + ".init.safetensors" }
  var views: String { path + ".views.stz" }
  func expected() throws -> Record { try readTensors(path: path + ".expected.safetensors") }

  /// The objective that its options name.
  func objective() throws -> any Objective.Type {
    try Pretraining.objective(named: try value(of: "objective"))
  }

  func options() throws -> [String] {
    try String(contentsOfFile: path + ".options", encoding: .utf8).split(separator: "\n").map(String.init)
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
    if Self.methods.contains(name) {
      c.weightDecay = try double("weight-decay")
      c.weightDecayEnd = try double("weight-decay-end")
      c.minLearningRate = try double("min-lr")
      c.warmupLearningRate = try double("warmup-lr")
      c.clip = try double("clip")
    }
    return c
  }

  /// The values of a tensor that more than rounding decides. A constant added to all keys changes no softmax, nor does one that
  /// all rows of a batch normalisation share, so their gradients are rounding alone, of which Adam makes steps.
  func decided(_ tensor: String, _ values: [Float]) -> [Float] {
    if tensor.hasSuffix("qkv.bias") {
      let third = values.count / 3
      return Array(values[..<third] + values[(2 * third)...])
    }
    let shifts = [
      "student.norm.bias", "teacher.norm.bias", "projector.1.running_mean", "teacher_projector.1.running_mean",
    ]
    return tensor.hasSuffix("norm1_k.bias") || name == "moco-v3" && shifts.contains(tensor) ? [] : values
  }

  /// The first step of the run.
  static let firstStep = StepPlace(step: 0, stepsPerEpoch: 1, epochs: 1)
}
