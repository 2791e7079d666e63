import Foundation
import Imaging
import Parallel
import TensorStream
import Testing

/// What a views stream holds, whatever makes it, and however it is cut into records.
@Suite struct ViewStreamTests {
  /// One view of one picture in one epoch: its pixels and parameters.
  private struct Key: Hashable {
    let epoch: Int
    let index: Int64
    let recipe: String
  }
  private struct View: Equatable {
    let pixels: [UInt8]
    let parameters: [Float]
    let label: Int32
  }

  /// 37 colour pictures of 20 × 31 in records of 5, with labels.
  private func makeImages(at path: String, channels: Int = 3) throws {
    let writer = try StreamWriter(
      path: path, kind: "images",
      metadata: ["mean": channels == 1 ? "[0.25]" : "[0.1,0.2,0.3]", "std": channels == 1 ? "[0.5]" : "[1,2,3]"])
    for start in stride(from: 0, to: 37, by: 5) {
      let rows = min(5, 37 - start)
      var random = CounterRandom(seed: 3, epoch: 0, sample: start, purpose: 9)
      let pixels = (0..<(rows * 20 * 31 * channels)).map { _ in UInt8(truncatingIfNeeded: random.next32()) }
      try writer.write([
        ("pixels", StoredTensor(pixels, shape: [rows, 20, 31, channels])),
        ("label", StoredTensor((0..<rows).map { Int32(start + $0) % 4 }, shape: [rows])),
      ])
    }
    try writer.finish()
  }

  private func write(
    _ images: String, to path: String, threads: Int = 2, memory: Int = 1 << 30,
    recipes: [Recipe] = [.simple, .complex], _ change: (inout ViewStream) -> Void
  ) throws -> [Record] {
    let store = try ImageStore(path: images, memory: memory)
    var stream = ViewStream(recipes: recipes, size: 12)
    change(&stream)
    let writer = try StreamWriter(
      path: path, kind: "views", metadata: try stream.metadata(for: store), overwrite: true)
    try stream.write(from: store, to: writer, pool: ThreadPool(threads: threads), progress: { _ in })
    try writer.finish()
    let reader = try StreamReader(path: path, kinds: ["views"])
    var records = [reader.header]
    while let record = try reader.next() { records.append(record) }
    return records
  }

  /// Every view by epoch and picture; and the pictures' numbers in the stream's order.
  private func collect(_ records: [Record], recipes: [String] = ["simple", "complex"]) throws -> (
    views: [Key: View], order: [Int64]
  ) {
    let metadata = records[0].metadata
    let perEpoch = try #require(Int(metadata["rows_per_epoch"] ?? ""))
    let first = try #require(Int(metadata["first_epoch"] ?? ""))
    var views: [Key: View] = [:]
    var order: [Int64] = []
    for record in records.dropFirst() {
      let index = try #require(record["index"]).values(of: Int64.self)
      let label = try #require(record["label"]).values(of: Int32.self)
      let firstEpoch = order.count / perEpoch
      #expect((order.count + index.count - 1) / perEpoch == firstEpoch, "a record spans two epochs")
      for recipe in recipes {
        let pixels = try #require(record[recipe])
        #expect(pixels.shape == [index.count, 12, 12, 3])
        let values = try pixels.values(of: UInt8.self)
        let parameters = try #require(record["\(recipe).parameters"]).values(of: Float.self)
        let columns = parameters.count / index.count
        for (i, number) in index.enumerated() {
          views[Key(epoch: first + firstEpoch, index: number, recipe: recipe)] = View(
            pixels: Array(values[(i * 432)..<((i + 1) * 432)]),
            parameters: Array(parameters[(i * columns)..<((i + 1) * columns)]), label: label[i])
        }
      }
      order += index
    }
    return (views, order)
  }

  @Test func theSameSampleHasTheSameBitsHoweverItIsMade() throws {
    try withTemporaryFolder { folder in
      let images = folder + "/images.stz"
      try makeImages(at: images)
      func collected(
        threads: Int = 1, memory: Int = 1 << 30, recipes: [Recipe] = [.simple, .complex],
        _ change: (inout ViewStream) -> Void
      ) throws -> (views: [Key: View], order: [Int64]) {
        try collect(
          write(images, to: folder + "/views.stz", threads: threads, memory: memory, recipes: recipes, change),
          recipes: recipes.map { $0.name })
      }
      let base = try collected { $0.epochs = 3 }
      #expect(base.views.count == 3 * 37 * 2)
      let threads = try collected(threads: 3) { $0.epochs = 3 }
      #expect(threads.views == base.views && threads.order == base.order)
      // So little memory that hardly a record is kept: another order, the same views.
      let forgetful = try collected(threads: 2, memory: 5000) { $0.epochs = 3 }
      #expect(forgetful.views == base.views && forgetful.order != base.order)
      let records = try collected(threads: 2) {
        $0.epochs = 3
        $0.rowsPerRecord = 4
      }
      #expect(records.views == base.views && records.order == base.order)
      let later = try collected { $0.firstEpoch = 2 }
      #expect(later.views == base.views.filter { $0.key.epoch == 2 })
      #expect(later.order == Array(base.order[74...]))
      let alone = try collected(recipes: [.complex]) { $0.epochs = 3 }
      #expect(alone.views == base.views.filter { $0.key.recipe == "complex" })
      let unshuffled = try collected {
        $0.epochs = 3
        $0.shuffles = false
      }
      #expect(unshuffled.views == base.views)
      #expect(unshuffled.order == (0..<3).flatMap { _ in (0..<37).map { Int64($0) } })
      let otherSeed = try collected {
        $0.epochs = 3
        $0.seed = 1
      }
      #expect(otherSeed.order != base.order)
      #expect(otherSeed.views.allSatisfy { $0.value.pixels != base.views[$0.key]?.pixels })
    }
  }

  @Test func everyEpochHasEachPictureOnceInAnotherOrder() throws {
    try withTemporaryFolder { folder in
      try makeImages(at: folder + "/images.stz")
      let (views, order) = try collect(write(folder + "/images.stz", to: folder + "/v.stz") { $0.epochs = 4 })
      let epochs = (0..<4).map { Array(order[($0 * 37)..<(($0 + 1) * 37)]) }
      for epoch in epochs { #expect(epoch.sorted() == (0..<37).map { Int64($0) }) }
      #expect(Set(epochs).count == 4)
      for (key, view) in views { #expect(view.label == Int32(key.index % 4)) }
      // The views of a picture differ between epochs and between recipes.
      for index in 0..<Int64(37) {
        let made = views.filter { $0.key.index == index }.map { $0.value.pixels }
        #expect(Set(made).count == 8)
      }
    }
  }

  /// The recorded parameters are what was done: doing it again by them gives the same pixels.
  @Test func parametersTellTheViews() throws {
    try withTemporaryFolder { folder in
      let images = folder + "/images.stz"
      try makeImages(at: images)
      let records = try write(images, to: folder + "/v.stz", recipes: [.complex]) { $0.epochs = 5 }
      let names = try JSONText.decode(
        [String].self, from: records[0].metadata["complex.columns"] ?? "", what: "columns")
      let stream = try IndexedStream(path: images)
      for (key, view) in try collect(records, recipes: ["complex"]).views {
        let value = { (name: String) -> Float in
          names.firstIndex(of: name).map { view.parameters[$0] } ?? .nan
        }
        var draw = ViewDraw(
          crop: .box(
            CropBox(
              top: Int(value("top")), left: Int(value("left")), height: Int(value("height")),
              width: Int(value("width")))))
        draw.flip = value("flip") == 1
        draw.grey = value("grey") == 1
        draw.solarise = value("solarise") == 1
        if value("blur_sigma") > 0 { draw.blurSigma = value("blur_sigma") }
        if value("jitter_order") > 0 {
          let digits = String(Int(value("jitter_order"))).compactMap { $0.wholeNumberValue }
          #expect(digits.sorted() == [1, 2, 3, 4])
          draw.jitter = ViewDraw.Jitter(
            order: digits.compactMap { ViewDraw.Jitter.Change(rawValue: $0) }, brightness: value("brightness"),
            contrast: value("contrast"), saturation: value("saturation"), hue: value("hue"))
        }
        let record = try stream.record(Int(key.index) / 5)
        let size = 20 * 31 * 3
        let start = Int(key.index) % 5 * size
        let pixels = try #require(record["pixels"]).values(of: UInt8.self)[start..<(start + size)]
        let picture = Picture(height: 20, width: 31, channels: 3, pixels: Array(pixels))
        #expect(picture.view(draw, size: 12).pixels == view.pixels)
      }
    }
  }

  /// A grey picture is worked on with one channel; with three equal ones the result must be the same.
  @Test func greyPicturesBecomeThreeEqualChannels() throws {
    try withTemporaryFolder { folder in
      try makeImages(at: folder + "/grey.stz", channels: 1)
      let writer = try StreamWriter(path: folder + "/colour.stz", kind: "images", metadata: [:])
      let reader = try StreamReader(path: folder + "/grey.stz")
      while let record = try reader.next() {
        let tensor = try #require(record["pixels"])
        let pixels = try tensor.values(of: UInt8.self).flatMap { [$0, $0, $0] }
        try writer.write([
          ("pixels", StoredTensor(pixels, shape: Array(tensor.shape[..<3]) + [3])),
          ("label", try #require(record["label"])),
        ])
      }
      try writer.finish()
      let grey = try write(folder + "/grey.stz", to: folder + "/a.stz") { $0.epochs = 8 }
      let colour = try write(folder + "/colour.stz", to: folder + "/b.stz") { $0.epochs = 8 }
      #expect(try collect(grey).views == collect(colour).views)
      #expect(grey[0].metadata["mean"] == "[0.25,0.25,0.25]")
      #expect(grey[0].metadata["std"] == "[0.5,0.5,0.5]")
    }
  }

  /// JPEG files in a stream give the views of what they decode to.
  @Test func encodedPicturesGiveTheViewsOfTheirPixels() throws {
    let fixtures = try PillowFixtures()
    let names = ["baseline.jpg", "progressive.jpg", "half-colour.jpg", "restarts.jpg"]
    try withTemporaryFolder { folder in
      let files = try names.map { try fixtures.file($0) }
      let offsets = files.reduce(into: [Int64(0)]) { $0.append($0[$0.count - 1] + Int64($1.count)) }
      let label = StoredTensor([Int32](repeating: 1, count: names.count), shape: [names.count])
      let encoded = try StreamWriter(path: folder + "/encoded.stz", kind: "images", metadata: [:])
      try encoded.write([
        ("image.bytes", StoredTensor(files.flatMap { $0 }, shape: [Int(offsets[names.count])])),
        ("image.offsets", StoredTensor(offsets, shape: [names.count + 1])), ("label", label),
      ])
      try encoded.finish()
      let pictures = try zip(names, files).map { name, file in
        try file.withUnsafeBytes { try JPEG.decode($0, name: name) }
      }
      let decoded = try StreamWriter(path: folder + "/decoded.stz", kind: "images", metadata: [:])
      try decoded.write([
        ("pixels", StoredTensor(pictures.flatMap { $0.pixels }, shape: [names.count, 47, 61, 3])), ("label", label),
      ])
      try decoded.finish()
      let a = try collect(write(folder + "/encoded.stz", to: folder + "/a.stz") { $0.epochs = 2 })
      let b = try collect(write(folder + "/decoded.stz", to: folder + "/b.stz") { $0.epochs = 2 })
      #expect(a.views == b.views && a.order == b.order)
    }
  }

  /// A center view of the pictures' own size at ratio 1 is the picture.
  @Test func centerCanLeavePicturesAlone() throws {
    let picture = try PillowFixtures().picture("square")
    let crop = CenterCrop(size: 32, ratio: 1)
    #expect(picture.view(ViewDraw(crop: .center(crop)), size: 32) == picture)
  }
}

/// Runs `body` with a new folder, which is gone afterwards.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.path + "/pmae-imaging-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}
