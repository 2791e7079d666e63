import Autodiff
import Compute
import Foundation
import Networks
import Schemas
import TensorStream

/// An encoder's weights as a file of kind `weights` (.stz), a plain .safetensors file, or a folder with a
/// `model.safetensors`. Tensors have timm's names here; those of other programs are translated (`ForeignWeights`). The
/// metadata have `config` and the statistics of the images that it was trained on. A fine-tuned model also has a head,
/// and so has another program's classifier.
public struct WeightsFile: Sendable {
  /// A classifier's head: `head.weight` [classes, width] and `head.bias` [classes].
  public struct Head: Equatable, Sendable {
    public let classes: Int
    /// Nil where the file does not say: a file of another program does not.
    public let pooling: Pooling?
    /// Whether each class has a sigmoid of its own, rather than all a softmax.
    public let isSigmoid: Bool

    public init(classes: Int, pooling: Pooling?, isSigmoid: Bool = false) {
      (self.classes, self.pooling, self.isSigmoid) = (classes, pooling, isSigmoid)
    }
  }

  /// The file's name, for messages.
  public let source: String
  /// Float32 tensors; the metadata are the file's own, and say what was changed in them.
  public private(set) var record: Record
  /// Tells the file from others, for provenance; empty for a plain .safetensors file.
  public let digest: String
  public let encoder: EncoderConfiguration
  /// Nil where the file holds an encoder alone.
  public let head: Head?
  /// What turns pixels into the network's input; nil where the file does not say.
  public let normalisation: Normalisation?
  /// Names of a head's classes, where known.
  public let classNames: [String]?
  /// What was left out of another program's file, and what was made of the positions, for people.
  public let notes: [String]

  /// Reads a file, whose tensors are checked by `load(into:)` later.
  /// - Parameters:
  ///   - path: a file, or a folder with a `model.safetensors`, as Hugging Face and timm have.
  ///   - heads: attention heads. No tensor shows them: needed for a file without our `config` that has no `config.json`
  ///     of another program beside it, and an error where it contradicts one.
  ///   - image: the side of the pictures that the encoder is to take, where that is not the file's own.
  /// - Throws: `Failure` naming the file, what was expected and what was found.
  public init(path: String, heads: Int? = nil, image: Int? = nil) throws {
    try self.init(StoredWeights(path: path), heads: heads, image: image)
  }

  /// Weights that are at hand.
  public init(_ found: StoredWeights, heads: Int? = nil, image: Int? = nil) throws {
    let source = found.source
    (self.source, digest) = (source, found.digest)
    let header = try WeightsHeader(found.record, source: source)
    var record = found.record
    var encoder: EncoderConfiguration
    var companion: CompanionFiles?
    var notes: [String] = []
    if let text = header.config {
      let config = try JSONText.decode(Config.self, from: text, what: "\(source): metadata \"config\"")
      if let task = config.task {
        throw Failure(
          .data, "\(source): a whole model of pmae-finetune --task \(task), expected an encoder or a classifier")
      }
      encoder = config.encoder
      // Other types of numbers are another program's doing; what is no number at all is named when it is loaded.
      record.tensors = record.tensors.map { ($0.name, $0.tensor.float32() ?? $0.tensor) }
      if let heads, heads != encoder.heads {
        throw Failure(.usage, "\(source): has \(encoder.heads) heads, but --heads says \(heads)")
      }
      switch (config.classes, config.pool) {
      case (nil, let pool): head = try Self.head(of: record, pooling: pool, source: source)
      case (let classes?, let pool?) where (1...1 << 24).contains(classes):
        head = Head(classes: classes, pooling: pool, isSigmoid: config.sigmoid ?? false)
      default: throw Failure(.data, "\(source): its \"config\" has \(config.classes ?? 0) classes and no pool")
      }
    } else {
      companion = try found.path.flatMap { try CompanionFiles(beside: $0) }
      let foreign = try ForeignWeights(record, beside: companion, heads: heads, source: source)
      (record, encoder) = (foreign.record, foreign.encoder)
      head = try Self.head(of: record, pooling: companion?.pooling, source: source)
      if !foreign.leftOut.isEmpty { notes.append("left out: " + foreign.leftOut.joined(separator: ", ")) }
    }
    try encoder.validate(source: source, against: record)
    if let image, image != encoder.image {
      let change = try encoder.resize(to: image, record: &record, source: source)
      try encoder.validate(source: source, against: record)
      notes.append(change)
      record = try WeightsHeader.noting([change], in: record)
    }
    (self.record, self.encoder, self.notes) = (record, encoder, notes)
    normalisation =
      header.normalisation
      ?? companion?.normalisation.flatMap { $0.mean.count == encoder.channels ? $0 : nil }
    try header.normalisation?.require(channels: encoder.channels, source: source)
    try normalisation?.requireUsable(source: source)
    classNames = header.classes ?? companion?.classNames.flatMap { [head] in $0.count == head?.classes ? $0 : nil }
  }

  /// Sets an encoder's weights; the head of a model that was fine-tuned is left out.
  /// - Throws: `Failure(.data)` naming the tensors that are missing, not expected or of another shape.
  public func load(into encoder: Encoder) throws {
    try Training.load([Part("", encoder)], from: record, source: source) {
      head != nil && ($0 == "head.weight" || $0 == "head.bias")
    }
  }

  /// An encoder with the file's weights, as `load(into:)` sets them.
  public func load(engine: Engine) throws -> Encoder {
    let network = Encoder(encoder, engine: engine, trained: false)
    try load(into: network)
    return network
  }

  /// A classifier with the file's weights.
  /// - Parameters:
  ///   - head: the file's.
  ///   - pooling: what that is on.
  public func load(_ head: Head, pooling: Pooling, engine: Engine) throws -> Classifier {
    let classifier = Classifier(
      Encoder(encoder, engine: engine, trained: false), classes: head.classes, pooling: pooling, engine: engine,
      trained: false)
    try load(into: classifier)
    return classifier
  }

  /// The file without its tensors, which are as large as the network that was made of them.
  public var withoutTensors: WeightsFile {
    var copy = self
    copy.record.tensors = []
    return copy
  }

  /// Sets a classifier's weights, head and all.
  public func load(into classifier: Classifier) throws {
    try Training.load([Part("", classifier)], from: record, source: source)
  }

  /// The metadata of such a file, provenance aside.
  /// - Parameters:
  ///   - part: of a run, that it was taken out of, and after how many steps.
  public static func metadata(
    encoder: EncoderConfiguration, head: Head? = nil, normalisation: Normalisation?, classNames: [String]? = nil,
    part: String? = nil, step: Int? = nil
  ) throws -> [String: String] {
    let config = Config(
      encoder: encoder, classes: head?.classes, pool: head?.pooling, sigmoid: head?.isSigmoid == true ? true : nil)
    return try WeightsHeader(
      config: try JSONText.encode(config), normalisation: normalisation, classes: classNames, part: part, step: step
    ).metadata()
  }

  /// The head of a file whose "config" does not mention one, as in timm's files.
  private static func head(of record: Record, pooling: Pooling?, source: String) throws -> Head? {
    guard let weight = record["head.weight"] else { return nil }
    guard weight.shape.count == 2, (1...1 << 24).contains(weight.shape[0]) else {
      throw Failure(.data, "\(source): head.weight is \(weight.shape), expected [classes, width]")
    }
    return Head(classes: weight.shape[0], pooling: pooling)
  }

  /// `config`. A checkpoint's has the encoder under the same key, and much else.
  struct Config: Codable {
    var encoder: EncoderConfiguration
    var classes: Int?
    var pool: Pooling?
    /// Of a model that is no encoder or classifier: what it was fine-tuned for.
    var task: String?
    var sigmoid: Bool?
  }
}
