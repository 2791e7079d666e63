// From an images stream to a views stream: an order for each epoch, a draw for each sample, and records that go out while the
// next are made.

import Foundation
import Parallel
import Schemas
import TensorStream

/// Makes views of all pictures of a store, epoch after epoch.
///
///     let store = try ImageStore(path: "images.stz", memory: 1 << 30)
///     var views = ViewStream(recipes: [.simple, try Recipe(line: "name=small: crop 0.05-0.4, flip")], size: 96)
///     views.epochs = 10
///     let writer = try StreamWriter(path: "views.stz", kind: "views", metadata: try views.metadata(for: store))
///     try views.write(from: store, to: writer, pool: ThreadPool(threads: 2)) { _ in }
///     try writer.finish()
public struct ViewStream: Sendable {
  public var recipes: [Recipe]
  /// Views are squares of this side, where their recipe has none of its own.
  public var size: Int
  public var epochs = 1
  public var firstEpoch = 0
  /// Where in the first epoch the stream begins: the rows before it are left out, as if they had been read already.
  public var firstRow = 0
  /// The part of every batch that is made; nil for all rows.
  public var part: ViewPart?
  public var seed: UInt64 = 0
  /// A new order each epoch (see `EpochOrder`); otherwise the pictures' own.
  public var shuffles = true
  /// How often a picture comes in a row, in views of its own (see `RepeatedOrder`).
  public var repeats = 1
  public var rowsPerRecord: Int
  /// 3, or 1 for pictures that are all grey: one channel for a one-channel model, not three equal ones.
  public var channels = 3
  /// The mean and deviation that training normalises by; nil: what the images streams say of themselves.
  public var statistics: ChannelStatistics?

  /// - Parameter rowsPerRecord: nil for about four megabytes of views in each record.
  public init(recipes: [Recipe], size: Int, rowsPerRecord: Int? = nil) {
    self.recipes = recipes
    self.size = size
    self.rowsPerRecord = rowsPerRecord ?? max(1, min(1024, (4 << 20) / (size * size * 3)))
  }

  /// The first record's metadata, provenance aside.
  public func metadata(for store: ImageStore) throws -> [String: String] {
    if channels == 1 && store.channels != 1 {
      throw Failure(
        .data,
        "\(store.name): views of one channel need grey pictures, and not all of these are: pmae-pack --channels 1 makes them so"
      )
    }
    var header = ViewsHeader(
      recipes: recipes.map { recipe in
        ViewsHeader.Recipe(name: recipe.name, line: recipe.line, columns: recipe.columns.map { $0.name })
      }, epochs: epochs, rowsPerEpoch: store.rows)
    header.size = isWhole ? nil : size
    header.firstEpoch = firstEpoch
    header.firstRow = firstRow
    header.part = part
    header.seed = seed
    header.order = store.orderText(shuffles: shuffles) + (repeats > 1 ? ", each \(repeats) times" : "")
    if let statistics = statistics ?? store.statistics {
      // A grey picture's three channels are equal.
      func values(_ own: [Double]) -> [Double] {
        own.count == 1 || channels == 1 ? Array(repeating: own[0], count: channels) : own
      }
      header.normalisation = Normalisation(mean: values(statistics.mean), std: values(statistics.std))
    }
    header.classes = store.classes
    header.labelSeparator = store.labelSeparator
    header.masks = store.masks
    try checkMasks(of: store)
    try checkWhole()
    return try header.metadata()
  }

  private func checkMasks(of store: ImageStore) throws {
    for recipe in recipes {
      if store.masks == nil, recipe.needsMask {
        throw Failure(
          .data,
          "\(store.name): view \(recipe.name) chooses its crop by masks (category), and these pictures have none: pmae-pack "
            + "--masks packs them")
      }
      if store.masks != nil, let step = recipe.stepWithoutMask {
        throw Failure(
          .usage,
          "\(store.name): has masks, which cannot follow \(step == .rand ? "rand-" : step.rawValue) of view \(recipe.name): "
            + "--no-masks leaves masks out")
      }
    }
  }

  /// Writes every epoch's records. The bits depend on the recipes, size, seed, epochs, `rowsPerRecord`, the pictures, and whether
  /// they fit into the store's memory, not on the number of threads. `progress` is told how many views of each recipe are done.
  public func write(from store: ImageStore, to writer: StreamWriter, pool: ThreadPool, progress: (Int) -> Void) throws {
    let workers = (0..<pool.threads).map { _ in Worker(statistics ?? store.statistics ?? .imageNet) }
    let writeBehind = WriteBehind(writer)
    let rowsPerRecord = isWhole ? 1 : rowsPerRecord
    // Of a part as many at once as of all.
    let batch = (isWhole ? 4 * pool.threads : batchRows(threads: pool.threads)) * (part?.count ?? 1)
    let memory = BlockMemory()
    var isComplete = false
    defer { if !isComplete { writeBehind.abandon() } }
    var done = 0
    for epoch in firstEpoch..<(firstEpoch + epochs) {
      let order = RepeatedOrder(
        store.order(seed: seed, epoch: epoch, shuffles: shuffles), repeats: repeats, pictures: store.rows)
      let first = epoch == firstEpoch ? firstRow : 0
      for start in stride(from: 0, to: order.rows, by: batch) {
        let end = min(start + batch, order.rows)
        if end <= first { continue }
        let places = max(start, first)..<end
        let samples = own(order.rows(places), at: places, of: order.rows)
        store.forget(except: order.records(at: places))
        store.announce(order.rows(end..<min(end + batch, order.rows)).map { $0 % store.rows })
        // Records end where they would in a stream from the beginning.
        let records =
          part == nil
          ? stride(from: start, to: end, by: rowsPerRecord).compactMap { from -> Range<Int>? in
            let to = min(from + rowsPerRecord, end)
            return to <= first ? nil : (max(from, first) - places.lowerBound)..<(to - places.lowerBound)
          }
          : stride(from: 0, to: samples.count, by: rowsPerRecord).map {
            $0..<min($0 + rowsPerRecord, samples.count)
          }
        if samples.isEmpty { continue }
        try writeBehind.write(
          isWhole
            ? makeWhole(samples, epoch: epoch, store: store, pool: pool, workers: workers)
            : make(samples, records: records, epoch: epoch, store: store, pool: pool, workers: workers, memory: memory))
        done += samples.count
        progress(done)
      }
    }
    try writeBehind.finish()
    isComplete = true
  }

  final class Worker {
    let decoder = PictureDecoder()
    let masks = MaskDecoder()
    let maker: ViewMaker

    init(_ statistics: ChannelStatistics) { maker = ViewMaker(statistics: statistics) }
  }

  /// How many rows are made at once: whole records, enough of them that threads which wait for the last one lose little, and of at
  /// most 256 MB where a record has less.
  private func batchRows(threads: Int) -> Int {
    let wanted = min(32 * threads, (256 << 20) / recipes.reduce(0) { $0 + bytes(of: $1) })
    return rowsPerRecord * max(1, (wanted + rowsPerRecord - 1) / rowsPerRecord)
  }

  private func side(of recipe: Recipe) -> Int { recipe.side ?? size }
  /// Of a view.
  private func bytes(of recipe: Recipe) -> Int { side(of: recipe) * side(of: recipe) * channels }

  /// The views of `samples` (rows, of which a repetition in the epoch has a multiple of the store's rows added), cut into records.
  private func make(
    _ samples: [Int], records cuts: [Range<Int>], epoch: Int, store: ImageStore, pool: ThreadPool, workers: [Worker],
    memory: BlockMemory
  ) throws -> [[NamedTensor]] {
    let rows = samples.map { $0 % store.rows }
    let (sides, viewBytes) = (recipes.map { side(of: $0) }, recipes.map { bytes(of: $0) })
    let views = viewBytes.map { Block<UInt8>(rows.count * $0, of: memory) }
    let columns = recipes.map { $0.columns }
    let parameters = columns.map { Block<Float>(rows.count * $0.count, of: memory) }
    let maskViews = store.masks == nil ? [] : sides.map { Block<UInt8>(rows.count * $0 * $0, of: memory) }
    var labels = [Int32](repeating: 0, count: store.isLabelled ? rows.count : 0)
    var names = [ArraySlice<UInt8>](repeating: [], count: store.isNamed ? rows.count : 0)
    let places = rows.map { store.place(of: $0) }

    for window in windows(places.map { $0.record }, store: store, pool: pool) {
      let records = try store.records(Array(Set(window.map { places[$0].record })).sorted(), pool: pool)
      if store.isLabelled { for i in window { labels[i] = records[places[i].record]!.labels![places[i].row] } }
      if store.isNamed {
        for i in window { names[i] = records[places[i].record]!.names?[places[i].row] ?? [] }
      }
      // A few small views or one large one: enough work that handing it out costs nothing, little enough to share out evenly.
      let chunk = max(1, min(16, 16_384 / (size * size)))
      let tasks = (window.count + chunk - 1) / chunk
      var failures = [(any Error)?](repeating: nil, count: tasks)
      failures.withUnsafeMutableBufferPointer { failures in
        pool.run(tasks) { task, worker in
          do {
            for i in window[(task * chunk)..<min((task + 1) * chunk, window.count)] {
              let place = places[i]
              // All is drawn before decoding: only what the views show has to be.
              var draws: [ViewDraw] = []
              let ids = try store.masks.map {
                try records[place.record]!.mask(place.row, classes: $0, decoder: workers[worker].masks)
              }
              let choose = { (height: Int, width: Int) -> CropBox in
                draws = zip(recipes, sides).map { recipe, side in
                  recipe.draw(
                    seed: seed, epoch: epoch, index: samples[i], height: height, width: width, size: side,
                    ids: ids)
                }
                let read = draws.map { $0.read(height: height, width: width) }
                return read.dropFirst().reduce(read[0]) { $0.union($1) }
              }
              try records[place.record]!.withPicture(
                place.row, decoder: workers[worker].decoder, channels: channels, choose: choose
              ) { picture in
                guard picture.channels <= channels else {
                  throw Failure(
                    .data,
                    "\(records[place.record]!.path(place.row)): has colours: views of one channel need grey pixels")
                }
                if let ids {
                  try Self.check(ids, of: picture, name: { records[place.record]!.path(place.row) })
                  for (r, draw) in draws.enumerated() {
                    workers[worker].maker.make(
                      mask: draw, of: ids, size: sides[r], to: maskViews[r].base + i * sides[r] * sides[r])
                  }
                }
                for (r, draw) in draws.enumerated() {
                  workers[worker].maker.make(
                    draw, of: picture, size: sides[r], channels: channels, to: views[r].base + i * viewBytes[r])
                  for (c, column) in columns[r].enumerated() {
                    parameters[r].base[i * columns[r].count + c] = draw.value(
                      column, height: picture.height, width: picture.width)
                  }
                }
              }
            }
          } catch {
            failures[task] = error
          }
        }
      }
      if let failure = failures.lazy.compactMap({ $0 }).first { throw failure }
    }

    return cuts.map { cut in
      var tensors: [NamedTensor] = recipes.indices.map { r in
        (recipes[r].name, views[r].tensor(rows: cut, shape: [sides[r], sides[r], channels]))
      }
      for (r, masks) in maskViews.enumerated() {
        tensors.append((MaskTensors.mask(of: recipes[r].name), masks.tensor(rows: cut, shape: [sides[r], sides[r]])))
      }
      tensors.append(("index", StoredTensor(rows[cut].map { Int64($0) }, shape: [cut.count])))
      if store.isLabelled { tensors.append(("label", StoredTensor(Array(labels[cut]), shape: [cut.count]))) }
      if store.isNamed {
        var own = RowNames()
        for name in names[cut] { own.append(name) }
        tensors += own.tensors
      }
      for (r, recipe) in recipes.enumerated() {
        tensors.append(("\(recipe.name).parameters", parameters[r].tensor(rows: cut, shape: [columns[r].count])))
      }
      return tensors
    }
  }

  /// Throws `Failure(.data)` where a mask has another size than its picture.
  static func check(_ ids: Pixels, of picture: Pixels, name: () -> String) throws {
    guard (ids.height, ids.width) == (picture.height, picture.width) else {
      throw Failure(
        .data,
        "\(name()): a mask of \(ids.height) x \(ids.width) pixels for a picture of \(picture.height) x \(picture.width): "
          + "expected the same size")
    }
  }

  /// The positions of what is made at once, sorted by the input record that they need and cut so that no part needs many that are
  /// not in memory: that bounds what is held at once, whatever `rowsPerRecord` is.
  private func windows(_ records: [Int], store: ImageStore, pool: ThreadPool) -> [[Int]] {
    let sorted = records.indices.sorted { (records[$0], $0) < (records[$1], $1) }
    let most = 4 * pool.threads
    var windows: [[Int]] = [[]]
    var missing = 0
    var last = -1
    for i in sorted {
      if records[i] != last, !store.isKept(records[i]) {
        if missing == most {
          windows.append([])
          missing = 0
        }
        missing += 1
      }
      last = records[i]
      windows[windows.count - 1].append(i)
    }
    return windows
  }
}
