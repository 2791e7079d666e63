import Compute
import Foundation
import Networks
import TensorStream

/// Everything that decides a run's result: written to `config.json` and into every checkpoint, and compared when a run is
/// resumed. The defaults are the paper's (DINO's and MAE's where it is silent).
public struct Configuration: Codable, Equatable, Sendable {
  /// What is predicted: the teachers' features and labels, or normalised pixels.
  public enum Objective: String, Codable, CaseIterable, Sendable {
    case pseudoMAE = "pseudo-mae"
    case mae
  }
  /// Whether reconstruction targets have a teacher of their own (Table 6).
  public enum Teachers: String, Codable, CaseIterable, Sendable { case disentangled, single }
  /// When the labelling teacher moves (Table 6).
  public enum LabelUpdate: String, Codable, CaseIterable, Sendable { case iteration, epoch }
  /// How a masked patch finds the teacher token whose label it takes (§3.3).
  public enum Match: String, Codable, CaseIterable, Sendable { case nearest, position }
  /// The view that labels are made from (Table 9).
  public enum LabelView: String, Codable, CaseIterable, Sendable { case complex, simple }

  public var encoder: EncoderConfiguration
  public var decoder: DecoderConfiguration
  public var head: HeadConfiguration
  public var objective = Objective.pseudoMAE
  public var teachers = Teachers.disentangled
  public var labelUpdate = LabelUpdate.iteration
  public var labelView = LabelView.complex
  public var match = Match.nearest
  public var maskRatio = 0.75
  public var reconstructionFolds = 3
  public var labelFolds = 3
  public var labelMomentum = 0.996
  public var labelMomentumEnd = 1.0
  public var reconstructionMomentum = 0.96
  public var reconstructionMomentumEnd = 0.99
  public var lambdaM = 1.0
  public var lambdaC = 1.0
  public var lambdaP = 1.0
  public var studentTemperature = 0.1
  /// Epochs over which λ_c and λ_p rise from 0 in a line; 0 is the paper's, none.
  public var lambdaWarmupEpochs = 0.0
  public var teacherTemperature = 0.05
  /// The labels' temperature at the start, where it moves in a line to the other over some epochs; 0 epochs is the paper's, none.
  public var teacherTemperatureStart = 0.04
  public var teacherTemperatureEpochs = 0.0
  public var sinkhornIterations = 3
  public var dropPath = 0.25
  /// Images a step.
  public var batch = 256
  /// Equal parts in which a batch is computed, one after the other. It decides no more than rounding.
  public var accumulate = 1
  public var epochs = 300
  public var warmupEpochs = 60.0
  /// The peak learning rate, not per 256.
  public var learningRate = 2.666e-4
  public var weightDecay = 0.05
  public var seed: UInt64 = 0
  /// What matrices are multiplied in; the engine's too.
  public var precision = Precision.float32

  public init(encoder: EncoderConfiguration, decoder: DecoderConfiguration, head: HeadConfiguration) {
    self.encoder = encoder
    self.decoder = decoder
    self.head = head
  }

  /// V, patches that the student sees: ⌊N (1 − mask ratio)⌋ (§3.1).
  public var visible: Int { Int(Double(encoder.patches) * (1 - maskRatio)) }
  public var masked: Int { encoder.patches - visible }

  /// Throws `Failure(.usage)` on the first thing that cannot be trained.
  public func validate() throws {
    try encoder.validate()
    try decoder.validate()
    try head.validate()
    func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      if !condition { throw Failure(.usage, message()) }
    }
    try check(maskRatio > 0 && maskRatio < 1, "mask-ratio must lie between 0 and 1, not \(maskRatio)")
    try check(
      visible >= 1 && masked >= 1,
      "a mask-ratio of \(maskRatio) leaves \(visible) of \(encoder.patches) patches visible and masks \(masked): both must be at least 1"
    )
    if objective == .pseudoMAE {
      for (name, folds) in [("reconstruction-folds", reconstructionFolds), ("label-folds", labelFolds)] {
        try check(
          folds >= 1 && folds <= masked, "\(name) must be from 1 to the \(masked) masked patches, not \(folds)")
      }
      // F.normalise over D and the variance of a token need two values.
      try check(sinkhornIterations >= 1, "sinkhorn-iterations must be at least 1, not \(sinkhornIterations)")
    }
    for (name, value) in [
      ("label-momentum", labelMomentum), ("label-momentum-end", labelMomentumEnd),
      ("reconstruction-momentum", reconstructionMomentum), ("reconstruction-momentum-end", reconstructionMomentumEnd),
    ] {
      try check(value >= 0 && value <= 1, "\(name) must be from 0 to 1, not \(value)")
    }
    for (name, value) in [
      ("lambda-m", lambdaM), ("lambda-c", lambdaC), ("lambda-p", lambdaP), ("weight-decay", weightDecay),
      ("lr", learningRate), ("warmup-epochs", warmupEpochs),
      ("lambda-warmup-epochs", lambdaWarmupEpochs), ("teacher-temperature-epochs", teacherTemperatureEpochs),
    ] {
      try check(value >= 0 && value.isFinite, "\(name) must be 0 or more, not \(value)")
    }
    for (name, value) in [
      ("student-temperature", studentTemperature), ("teacher-temperature", teacherTemperature),
      ("teacher-temperature-start", teacherTemperatureStart),
    ] {
      // Below 0.012 the range of exp between two cosines leaves float32.
      try check(value >= 0.012 && value.isFinite, "\(name) must be at least 0.012, not \(value)")
    }
    try check(dropPath >= 0 && dropPath < 1, "drop-path must be from 0 to below 1, not \(dropPath)")
    try check(batch >= 1 && batch <= 1 << 20, "batch must be from 1 to 1,048,576, not \(batch)")
    try check(
      accumulate >= 1 && batch.isMultiple(of: accumulate),
      "accumulate must be a divisor of the batch of \(batch), not \(accumulate)")
    try check(epochs >= 1, "epochs must be at least 1, not \(epochs)")
    try check(
      warmupEpochs <= Double(epochs), "warmup-epochs \(warmupEpochs) are more than the \(epochs) epochs")
  }

  /// As it stands in files: keys sorted, so that equal configurations are equal texts.
  public func json(pretty: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = pretty ? [.sortedKeys, .prettyPrinted] : [.sortedKeys]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// Options that came later, as a configuration from before them means them.
  private static var later: [String: Any] {
    [
      "accumulate": 1, "precision": Precision.float32.rawValue, "lambdaWarmupEpochs": 0.0,
      "teacherTemperatureStart": 0.04,
      "teacherTemperatureEpochs": 0.0,
    ]
  }

  public init(json: String, source: String) throws {
    do {
      var data = Data(json.utf8)
      if let old = try JSONSerialization.jsonObject(with: data) as? [String: Any],
        Self.later.keys.contains(where: { old[$0] == nil })
      {
        data = try JSONSerialization.data(withJSONObject: Self.later.merging(old) { $1 })
      }
      self = try JSONDecoder().decode(Configuration.self, from: data)
    } catch {
      throw Failure(.data, "\(source): its configuration cannot be read: \(error)")
    }
  }

  /// What differs from another configuration: `batch 32, not 64`.
  public func differences(from other: Configuration) throws -> [String] {
    func flat(_ value: Any, _ path: String) -> [String: String] {
      guard let object = value as? [String: Any] else { return [path: "\(value)"] }
      return object.reduce(into: [:]) { all, entry in
        all.merge(flat(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)")) { $1 }
      }
    }
    func flat(_ configuration: Configuration) throws -> [String: String] {
      flat(try JSONSerialization.jsonObject(with: Data(try configuration.json().utf8)), "")
    }
    let (mine, theirs) = (try flat(self), try flat(other))
    return mine.keys.sorted().filter { mine[$0] != theirs[$0] }.map {
      "\($0) \(mine[$0] ?? "none"), not \(theirs[$0] ?? "none")"
    }
  }
}
