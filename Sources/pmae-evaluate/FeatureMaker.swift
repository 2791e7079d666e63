import CommandLineKit
import Compute
import Evaluation
import Foundation
import Imaging
import Networks
import Schemas
import TensorStream
import Training

/// Makes the features of one set of images after another.
struct FeatureMaker {
  private enum Source {
    case encoder(WeightsFile, FeatureExtractor)
    case pixels(view: String?)
    case stored
  }

  let engine: Engine
  private let source: Source
  private let input: InputOptions
  private let quiet: Bool
  /// What the first set's pixels are normalised by, and so all others'.
  private var normalisation: Normalisation?
  private var first: (header: FeaturesHeader, encoder: String?, name: String)?

  init(_ options: FeatureOptions, _ operands: FeatureOperands, quiet: Bool) throws {
    (input, self.quiet) = (options.input, quiet)
    if let path = operands.encoder {
      let file = try input.weights(path, quiet: quiet)
      engine = input.engine(quiet: quiet)
      let extractor = try options.pooling.extractor(file, engine: engine, quiet: quiet)
      source = .encoder(file.withoutTensors, extractor)
    } else {
      engine = input.engine(quiet: quiet)
      source = options.pixels ? .pixels(view: input.view) : .stored
    }
  }

  /// What results call it: the encoder's file, `pixels`, or the features' first file.
  var name: String {
    switch source {
    case .encoder(let file, _): file.source
    case .pixels: "pixels"
    case .stored: first?.name ?? ""
    }
  }

  /// What results say of how a picture's tokens become a feature.
  var pool: String {
    switch source {
    case .encoder(_, let extractor): extractor.pooling.rawValue
    case .pixels: "pixels"
    case .stored: first?.header.pool ?? ""
    }
  }

  /// A set's features, and the names of its classes.
  struct Set {
    var features: Features
    let classNames: [String]?
    /// For messages.
    let name: String
    /// Of the stream.
    let metadata: [String: String]
  }

  /// The encoder's file, where there is one.
  var weights: WeightsFile? { if case .encoder(let file, _) = source { file } else { nil } }

  /// Views whose features are taken some rows at a time.
  struct Parts {
    let views: LabelledViews
    let width: Int
    /// Rows in all.
    let count: Int
    /// The features of the next rows; nil where `onChunk` returned true.
    let take: (_ rows: Int, _ onChunk: (Int) -> Bool) throws -> Features?
  }

  /// A set that is made of views.
  mutating func parts(of path: String, labels: LabelledViews.Labels) throws -> Parts {
    let engine = engine
    switch source {
    case .encoder(let file, let extractor):
      let (views, count) = try input.views(path, for: file, labels: labels)
      return Parts(views: views, width: extractor.width, count: count) {
        try extractor.features(of: views, count: $0, engine: engine, onChunk: $1)
      }
    case .pixels(let view):
      let reader = try StreamReader(path: path, kinds: [StreamKind.views.rawValue])
      let pixels = try PixelViews(reader, view: view, normalisation: normalisation, labels: labels)
      try pixels.views.batches.requireOneEpoch()
      normalisation = pixels.views.normalisation
      return Parts(views: pixels.views, width: pixels.width, count: pixels.count) {
        try pixels.features($0, engine: engine, onChunk: $1)
      }
    case .stored: preconditionFailure("features that are there already")
    }
  }

  /// The features of all rows of a set.
  mutating func features(_ path: String, labels: LabelledViews.Labels = .known) throws -> Set {
    if case .stored = source { return try stored(path, labels: labels) }
    let parts = try parts(of: path, labels: labels)
    let progress = Progress(tool: toolName, what: "images", total: parts.count, quiet: quiet)
    let features = try parts.take(parts.count) { done in
      progress.update(done)
      return Interruption.requested
    }
    guard let features else { Interruption.exitAsSignal() }
    let batches = parts.views.batches
    try batches.finish()
    progress.finish()
    return Set(
      features: features, classNames: batches.header.classes, name: batches.reader.name,
      metadata: batches.reader.header.metadata)
  }

  /// The pictures of some rows of a set that is a file of views, which is read again. None where it is not.
  mutating func pictures(of path: String, rows: [Int]) throws -> [Int: Picture] {
    if case .stored = source { return [:] }
    guard isRegularFile(path) else { return [:] }
    let wanted = Swift.Set(rows)
    guard let last = wanted.max() else { return [:] }
    let views = try parts(of: path, labels: .optional).views
    var pictures: [Int: Picture] = [:]
    var done = 0
    while done <= last {
      let images = try views.take(min(FeatureExtractor.chunk, last + 1 - done)).images
      let size = images.side * images.side * images.channels
      for row in 0..<images.count where wanted.contains(done + row) {
        pictures[done + row] = Picture(
          height: images.side, width: images.side, channels: images.channels,
          pixels: Array(images.pixels[row * size..<(row + 1) * size]))
      }
      done += images.count
    }
    return pictures
  }

  private mutating func stored(_ path: String, labels: LabelledViews.Labels) throws -> Set {
    let reader = try StreamReader(path: path, kinds: [StreamKind.features.rawValue, StreamKind.views.rawValue])
    if reader.kind == StreamKind.views.rawValue {
      throw Failure(
        .usage, "\(reader.name): holds views: name an encoder before it, or use --pixels; features need neither")
    }
    let needsLabels = if case .optional = labels { false } else { true }
    let found = try StoredFeatures(reader, needsLabels: needsLabels) { _ in Interruption.requested }
    guard let found else { Interruption.exitAsSignal() }
    if let first {
      if found.header.width != first.header.width || found.header.pool != first.header.pool {
        throw Failure(
          .data,
          "\(reader.name): features of width \(found.header.width), pool \(found.header.pool), but those of \(first.name) "
            + "are of width \(first.header.width), pool \(first.header.pool)")
      }
      if let own = found.encoderDigest, let other = first.encoder, own != other {
        throw Failure(.data, "\(reader.name): made by another encoder than those of \(first.name)")
      }
    } else {
      first = (found.header, found.encoderDigest, reader.name)
    }
    return Set(
      features: found.features, classNames: found.header.classes, name: reader.name,
      metadata: reader.header.metadata)
  }
}
