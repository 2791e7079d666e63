import Compute
import Foundation
import Networks
import TensorStream

/// A run's model as its last checkpoint left it, to look at and not to train.
public struct RunModel {
  public let model: PseudoMAE
  public let configuration: Configuration
  /// Steps that were taken.
  public let steps: Int
  /// The checkpoint's path, for messages.
  public let source: String

  /// - Parameters:
  ///   - path: a run folder, or a checkpoint itself.
  ///   - engine: of float32, whatever the run computes in.
  /// - Throws: `Failure(.noInput)` where the folder has no checkpoint, `.data` where it is damaged or does not fit its configuration.
  public init(_ path: String, engine: Engine) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      let folder = RunFolder(path)
      guard folder.hasCheckpoint else {
        throw Failure(.noInput, "\(path): a run without a checkpoint: there is no \(folder.checkpoint) yet")
      }
      source = folder.checkpoint
    } else {
      source = path
    }
    let record = try readTensors(path: source, kinds: ["checkpoint"])
    guard let config = record.metadata["config"], let text = record.metadata["step"], let steps = Int(text) else {
      throw Failure(.data, "\(source): a checkpoint without its configuration or step")
    }
    var configuration = try Configuration(json: config, source: source)
    do {
      try configuration.validate()
    } catch let failure as Failure {
      throw Failure(.data, "\(source): its configuration cannot be: \(failure.message)")
    }
    try configuration.encoder.validate(source: source, against: record)
    let (decoder, head) = (configuration.decoder, configuration.head)
    func product(_ a: Int, _ b: Int) -> Double { Double(a) * Double(b) }
    let needed =
      12 * Double(decoder.depth) * product(decoder.width, decoder.width) + product(decoder.width, decoder.output)
      + product(head.hidden, head.hidden) + product(head.bottleneck, head.hidden + 2 * head.prototypes)
    let held = record.tensors.reduce(0) { $0 + $1.tensor.count }
    if needed > max(16 * Double(held), 0x1p24) {
      throw Failure(
        .data, "\(source): its configuration asks for more than the \(grouped(held)) values that the file holds")
    }
    configuration.precision = engine.precision
    self.configuration = configuration
    self.steps = steps
    model = PseudoMAE(configuration, engine: engine)
    try load(model.parts, from: record, source: source) { $0.hasPrefix("optimizer.") }
  }

  /// An encoder of the run.
  /// - Parameter part: nil for the labelling teacher, or the student where there is no teacher.
  /// - Throws: `Failure(.data)` where the run has no such part.
  public func encoder(_ part: CheckpointPart?) throws -> (part: CheckpointPart, encoder: Encoder) {
    func find(_ part: CheckpointPart) -> Encoder? {
      switch part {
      case .student: model.student
      case .labellingTeacher: model.labellingTeacher
      case .reconstructionTeacher: model.reconstructionTeacher
      }
    }
    let wanted = part ?? (model.labellingTeacher == nil ? .student : .labellingTeacher)
    guard let encoder = find(wanted) else {
      let there = CheckpointPart.allCases.filter { find($0) != nil }.map(\.rawValue)
      throw Failure(.data, "\(source): has no \(wanted.rawValue), only \(there.joined(separator: " and "))")
    }
    return (wanted, encoder)
  }
}
