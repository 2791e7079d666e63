import Foundation
import Schemas
import TensorStream
import Testing

/// Names of pictures lead from every stream back to the file.
@Suite struct PackNamesTests {
  /// 3 classes of photographs, one of which is bad; images.stz of them.
  private func withPhotos<R>(_ body: (String) throws -> R) throws -> R {
    try ExampleFiles.withCopy { folder in
      let made = try ToolRunner.shell(
        "echo bad > photos/bars/1.jpg; pmae-pack --quiet --output p.stz photos", in: folder)
      #expect(made.status == 0)
      return try body(folder)
    }
  }

  private func views(_ path: String) throws -> [(index: Int64, name: String, label: Int32?)] {
    let reader = try StreamReader(path: path, kinds: ["views"])
    var rows: [(Int64, String, Int32?)] = []
    while let record = try reader.next() {
      let index = try #require(record["index"]).values(of: Int64.self)
      let names = try #require(try RowNames(record, what: path))
      #expect(names.count == index.count)
      let labels = try record["label"]?.values(of: Int32.self)
      for i in index.indices { rows.append((index[i], names.text(i), labels?[i])) }
    }
    return rows
  }

  @Test func imagesAndViewsHaveTheNamesOfTheirFiles() throws {
    try withPhotos { folder in
      let packed = try PackedImages(folder + "/p.stz")
      let expected =
        ["bars/0.jpg", "bars/2.jpg"] + ["discs", "squares", "waves"].flatMap { c in (0..<3).map { "\(c)/\($0).jpg" } }
      #expect(packed.names == expected)
      #expect(packed.metadata["sources"] == #"["photos"]"#)
      let result = try ToolRunner.shell(
        "pmae-augment --quiet --epochs 2 --size 16 --seed 3 --rows-per-record 4 --output v.stz p.stz; pmae-inspect --check p.stz v.stz",
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let rows = try views(folder + "/v.stz")
      #expect(rows.count == 22)
      for row in rows { #expect(row.name == expected[Int(row.index)]) }
    }
  }

  @Test func severalOperandsAreNamedEach() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        "pmae-pack --quiet --no-labels --output o.stz photos/bars shards/train-000001.tar flowers-102/train.csv photos/discs/0.jpg",
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let names = try #require(try PackedImages(folder + "/o.stz").names)
      #expect(names[0] == "photos/bars/0.jpg")
      #expect(names[3] == "shards/train-000001.tar/000003.jpeg")
      #expect(names[5].hasPrefix("flowers-102/jpg/image_") && names.last == "photos/discs/0.jpg")
      // Pixels: the file and the number in it.
      let pixels = try ToolRunner.shell(
        "pmae-pack --quiet --output c.stz cifar-10-batches-bin; pmae-pack --quiet --output i.stz t10k-images-idx3-ubyte.gz",
        in: folder)
      #expect(pixels.status == 0, "\(pixels.errors)")
      let batches = try PackedImages(folder + "/c.stz").names
      #expect(
        batches == [
          "data_batch_1.bin/0", "data_batch_1.bin/1", "data_batch_1.bin/2", "data_batch_2.bin/0", "data_batch_2.bin/1",
          "data_batch_2.bin/2",
        ])
      #expect(try PackedImages(folder + "/i.stz").names?.last == "t10k-images-idx3-ubyte.gz/15")
    }
  }

  /// Shards, a shuffle, weights that repeat pictures, and going on from a place: names stay with their pictures.
  @Test func namesStayWithTheirPictures() throws {
    try withPhotos { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --shuffle --seed 5 --shard-size 4K --output s-%d.stz photos; rm s-1.stz
        pmae-pack --quiet --shuffle --seed 5 --shard-size 4K --resume --output s-%d.stz photos
        pmae-augment --quiet --epochs 2 --size 16 --views simple --no-labels --output v.stz p.stz:1 images.stz:5
        pmae-augment --quiet --epochs 2 --size 16 --views simple --no-labels --from 1:20 --output rest.stz p.stz:1 images.stz:5
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let whole = try PackedImages(folder + "/p.stz")
      let file = Dictionary(uniqueKeysWithValues: zip(whole.names ?? [], whole.pictures))
      let shards = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("s-") }
      #expect(shards.count > 2)
      var seen: Set<String> = []
      for shard in shards {
        let part = try PackedImages("\(folder)/\(shard)")
        for (name, picture) in zip(part.names ?? [], part.pictures) {
          #expect(file[name] == picture)
          seen.insert(name)
        }
      }
      #expect(seen == Set(file.keys))
      let rows = try views(folder + "/v.stz")
      let all = (whole.names ?? []) + (try PackedImages(folder + "/images.stz").names ?? [])
      #expect(rows.count == 2 * all.count && Set(rows.map(\.name)).count > 40)
      for row in rows { #expect(row.name == all[Int(row.index)]) }
      #expect(try views(folder + "/rest.stz").map(\.name) == rows[(all.count + 20)...].map(\.name))
    }
  }

  /// Streams of before there were names, alone and among others.
  @Test func streamsWithoutNamesAreStillRead() throws {
    try withPhotos { folder in
      let old = try StreamWriter(path: folder + "/old.stz", kind: "images", metadata: [:])
      try old.write([("pixels", StoredTensor([UInt8](repeating: 9, count: 192), shape: [3, 8, 8, 1]))])
      try old.finish()
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --size 8 --views center --output a.stz old.stz
        pmae-augment --quiet --no-labels --size 8 --views center --output b.stz old.stz p.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let alone = try #require(try StreamReader(path: folder + "/a.stz").next())
      #expect(alone["name.bytes"] == nil)
      let mixed = try views(folder + "/b.stz")
      #expect(mixed.prefix(4).map(\.name) == ["", "", "", "bars/0.jpg"])
      #expect(mixed.allSatisfy { $0.label == nil })
    }
  }

  /// A picture that does not decode later is named.
  @Test func messagesNameThePicture() throws {
    try ExampleFiles.withCopy { folder in
      let writer = try StreamWriter(path: folder + "/bad.stz", kind: "images", metadata: [:])
      var names = RowNames()
      names.append(Array("cat/7.jpg".utf8))
      try writer.write(
        [
          ("image.bytes", StoredTensor([UInt8](repeating: 1, count: 9), shape: [9])),
          ("image.offsets", StoredTensor([Int64(0), 9], shape: [2])),
        ]
          + names.tensors)
      try writer.finish()
      let result = try ToolRunner.run("pmae-augment", ["--size", "8", "--output", "v.stz", "bad.stz"], in: folder)
      #expect(
        result.status == 65 && result.errors.contains("bad.stz: picture 0 (cat/7.jpg): not a"), "\(result.errors)")
    }
  }

  @Test func damagedNamesAreErrors() throws {
    try ToolRunner.withTemporaryFolder { folder in
      func refuse(_ names: [NamedTensor]) throws {
        let path = folder + "/x.stz"
        try? FileManager.default.removeItem(atPath: path)
        let record = Record(
          tensors: [("pixels", StoredTensor([UInt8](repeating: 9, count: 128), shape: [2, 8, 8, 1]))] + names)
        // As another program might: the writer here refuses it.
        #expect(throws: (any Error).self) {
          let writer = try StreamWriter(path: path, kind: "images", metadata: [:])
          defer { writer.cancel() }
          try writer.write(record.tensors)
        }
        #expect(throws: (any Error).self) {
          guard let names = try RowNames(record, what: "x"), names.count == 2 else {
            throw Failure(.data, "not two names")
          }
        }
      }
      let bytes = StoredTensor([UInt8](repeating: 65, count: 4), shape: [4])
      try refuse([("name.bytes", bytes)])
      try refuse([("name.bytes", bytes), ("name.offsets", StoredTensor([Int64(0), 4], shape: [2]))])
      try refuse([("name.bytes", bytes), ("name.offsets", StoredTensor([Int64(0), 3, 2], shape: [3]))])
      try refuse([("name.bytes", bytes), ("name.offsets", StoredTensor([Int64(0), 9, 4], shape: [3]))])
      try refuse([("name.bytes", bytes), ("name.offsets", StoredTensor([Int32(0), 2, 4], shape: [3]))])
    }
  }
}
