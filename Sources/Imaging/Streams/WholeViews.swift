// Views that show all of a picture, for evaluation: each of its own size, so a record has one row.

import Parallel
import Schemas
import TensorStream

extension ViewStream {
  /// Whether the views show whole pictures.
  var isWhole: Bool { recipes.contains { $0.isWhole } }

  /// Throws `Failure(.usage)` where a whole picture's view is not the only one.
  func checkWhole() throws {
    guard isWhole, recipes.count > 1 else { return }
    let whole = recipes.first { $0.isWhole }!
    throw Failure(
      .usage,
      "view \(whole.name) shows whole pictures of different sizes, a record each, and \(recipes.count - 1) more cannot go with "
        + "it: write them to a stream of their own")
  }

  /// A record for each of `samples`: the picture at its size for evaluation, its mask as it is, and its own size.
  func makeWhole(
    _ samples: [Int], epoch: Int, store: ImageStore, pool: ThreadPool, workers: [Worker]
  ) throws -> [[NamedTensor]] {
    let places = samples.map { store.place(of: $0 % store.rows) }
    let records = try store.records(Array(Set(places.map { $0.record })).sorted(), pool: pool)
    var results = [Result<[NamedTensor], any Error>?](repeating: nil, count: samples.count)
    results.withUnsafeMutableBufferPointer { results in
      pool.run(samples.count) { task, worker in
        let place = places[task]
        results[task] = Result {
          try whole(samples[task], epoch: epoch, records[place.record]!, row: place.row, store: store, workers[worker])
        }
      }
    }
    return try results.map { try $0!.get() }
  }

  private func whole(
    _ sample: Int, epoch: Int, _ record: ImageRecord, row: Int, store: ImageStore, _ worker: Worker
  ) throws -> [NamedTensor] {
    let recipe = recipes[0]
    let ids = try store.masks.map { try record.mask(row, classes: $0, decoder: worker.masks) }
    return try record.withPicture(row, decoder: worker.decoder, channels: channels) { picture in
      guard picture.channels <= channels else {
        throw Failure(.data, "\(record.path(row)): has colours: views of one channel need grey pixels")
      }
      if let ids { try Self.check(ids, of: picture, name: { record.path(row) }) }
      let draw = recipe.draw(
        seed: seed, epoch: epoch, index: sample, height: picture.height, width: picture.width,
        size: recipe.side ?? size, ids: ids)
      guard case .whole(let height, let width) = draw.crop else { preconditionFailure("a recipe of whole pictures") }
      let view = worker.maker.whole(picture, height: height, width: width, channels: channels)
      var tensors: [NamedTensor] = [(recipe.name, StoredTensor(view, shape: [1, height, width, channels]))]
      if let ids {
        let copy = Picture(ids).pixels
        tensors.append((MaskTensors.mask(of: recipe.name), StoredTensor(copy, shape: [1, ids.height, ids.width])))
      }
      tensors.append((MaskTensors.size, StoredTensor([Int32(picture.height), Int32(picture.width)], shape: [1, 2])))
      tensors.append((ViewTensors.index, StoredTensor([Int64(sample % store.rows)], shape: [1])))
      if let labels = record.labels { tensors.append((Targets.label, StoredTensor([labels[row]], shape: [1]))) }
      if store.isNamed {
        var names = RowNames()
        names.append(record.names?[row] ?? [])
        tensors += names.tensors
      }
      let values = recipe.columns.map { draw.value($0, height: picture.height, width: picture.width) }
      tensors.append((ViewTensors.parameters(of: recipe.name), StoredTensor(values, shape: [1, values.count])))
      return tensors
    }
  }
}

extension ViewMaker {
  /// All of a picture at another size, [height, width, channels].
  func whole(_ source: Pixels, height: Int, width: Int, channels: Int) -> [UInt8] {
    let count = height * width * source.channels
    var view = [UInt8](unsafeUninitializedCapacity: count) { buffer, made in
      linear.resize(
        source, height: height, width: width, window: CropBox(top: 0, left: 0, height: height, width: width),
        to: buffer.baseAddress!, stride: width * source.channels)
      made = count
    }
    if source.channels < channels { view = view.flatMap { [$0, $0, $0] } }
    return view
  }
}
