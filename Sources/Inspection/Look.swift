import Compute
import Networks
import Pretraining
import Schemas
import TensorStream
import Training

/// Some images as a run sees them: its views, where its encoder looks, and what else the objective shows of them.
///
/// n images, N patches.
public struct Look {
  /// The shape of the images.
  public let shape: EncoderConfiguration
  /// Each image's number in the set.
  public let index: [Int64]
  /// A label each; empty where the stream has none.
  public let label: [Int32]
  /// The file of each image; nil where the stream has no names.
  public let names: RowNames?
  /// The views that the run reads, [n, side, side, channels] each.
  public let views: [(need: ViewNeed, pixels: [UInt8])]
  /// What the objective shows, of the run's own training in that epoch.
  public let panels: [LookPanel]
  /// What the encoder makes of the first view, unmasked.
  public let encoder: EncoderLook
  /// Whose attention and features these are.
  public let part: EncoderPart

  /// The first images of some views.
  /// - Parameters:
  ///   - reader: a views stream that the run could be trained on.
  ///   - first: passes over so many rows before.
  ///   - count: how many images; nil for eight, or as many as there are.
  ///   - part: whose attention and features; nil for the objective's best encoder.
  /// - Throws: `Failure(.data)` where the views do not fit the run: another size, fewer channels, a view that is missing, too few rows.
  public init<O: Objective>(
    _ run: RunModel<O>, _ reader: StreamReader, first: Int = 0, count wanted: Int? = nil, part: String? = nil,
    engine: Engine
  ) throws {
    let c = run.objective.configuration
    shape = c.encoder
    let chosen = try run.encoder(part)
    self.part = chosen.part
    let batches = try ViewBatches(reader, views: O.views(c), draws: O.draws, channels: c.encoder.channels)
    let rest = batches.epochs * batches.rowsPerEpoch - batches.position
    let count = wanted ?? max(1, min(8, rest - first))
    guard count <= rest - first else {
      throw Failure(
        .data,
        "\(reader.name): has \(counted(rest, "row")), counted from 0: there is no row \(grouped(first + (count - 1)))")
    }
    try batches.skip(first)
    // Rows of one epoch at a time: what is drawn is an epoch's.
    var rows: [ViewBatches.Rows] = []
    var panels: [[LookPanel]] = []
    var left = count
    while left > 0 {
      let (epoch, row) = batches.position.quotientAndRemainder(dividingBy: batches.rowsPerEpoch)
      let next = try batches.take(min(left, batches.rowsPerEpoch - row))
      let drawn = try run.objective.draw(
        for: BatchRows(next, of: batches, seed: c.seed, epoch: batches.firstEpoch + epoch))
      panels.append(run.objective.look(at: drawn))
      rows.append(next)
      left -= next.count
    }
    index = rows.flatMap(\.index)
    var names: RowNames?
    var before = 0
    for part in rows {
      names.append(0..<part.count, of: part.names, after: before)
      before += part.count
    }
    self.names = names
    label = rows.flatMap(\.label)
    views = batches.views.map { need in (need, rows.flatMap { $0.pixels[need.name] ?? [] }) }
    self.panels = panels.dropFirst().reduce(panels[0]) { all, more in zip(all, more).map { $0.followed(by: $1) } }
    let images = ImageBatch(
      pixels: views[0].pixels, count: count, side: views[0].need.side, channels: batches.channels,
      mean: batches.normalisation.mean.map { Float($0) }, std: batches.normalisation.std.map { Float($0) })
    encoder = chosen.encoder.look(at: images, engine: engine)
    for (image, number) in index.enumerated()
    where !encoder.patchFeatures(image: image).allSatisfy({ $0.allSatisfy(\.isFinite) }) {
      throw Failure(.data, "\(run.source): the features of image \(names.picture(number, row: image)) are not finite")
    }
  }
}

extension LookPanel {
  /// The same of these images and of more.
  fileprivate func followed(by more: LookPanel) -> LookPanel {
    switch (self, more) {
    case (.groups(let title, let first, let rest), .groups(_, let second, _)):
      .groups(title: title, of: first + second, rest: rest)
    case (.matches(let title, let places, let view, let first), .matches(_, _, _, let second)):
      .matches(title: title, placesTitle: places, placesView: view, pairs: first + second)
    default: self
    }
  }
}
