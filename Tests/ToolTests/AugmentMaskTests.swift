import Foundation
import Imaging
import Schemas
import TensorStream
import Testing

/// Views of pictures with masks as pmae-augment writes them, from files of Fixtures/masks.py.
@Suite struct AugmentMaskTests {
  private func run(_ script: String, in folder: String) throws -> ToolResult {
    try ToolRunner.shell(
      "pmae-pack --quiet --output images.stz $M/ade --split training\n" + script,
      environment: ["M": PackMaskTests.masks], in: folder)
  }

  private func records(_ path: String) throws -> (header: Record, records: [Record]) {
    let reader = try StreamReader(path: path, kinds: ["views"])
    var records: [Record] = []
    while let record = try reader.next() { records.append(record) }
    return (reader.header, records)
  }

  @Test func trainingViewsHaveMasks() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(
        """
        pmae-augment images.stz --views segment,simple --size 24 --epochs 4 --seed 2 --threads 1 --quiet > a.stz
        pmae-augment images.stz --views segment,simple --size 24 --epochs 4 --seed 2 --threads 3 --output b.stz
        pmae-inspect --contact-sheet sheet.jpg b.stz && pmae-inspect --check b.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (header, made) = try records(folder + "/a.stz")
      let same = try records(folder + "/b.stz").records
      let classes = try #require(try MaskClasses.of(header, source: "a.stz"))
      #expect(classes.names == ["wall", "building, edifice", "sky", "floor"] && classes.colours.count == 4)
      #expect(
        header.metadata["segment.recipe"]
          == "name=segment: scale 0.5-2, crop 24 category 0.75, flip, photometric")
      #expect(made.count == 4 && same.count == 4)
      for (record, other) in zip(made, same) {
        for (a, b) in zip(record.tensors, other.tensors) {
          let bytes = a.tensor.withUnsafeBytes { Array($0) }
          #expect(a.name == b.name && bytes == b.tensor.withUnsafeBytes { Array($0) }, "\(a.name)")
        }
        #expect(record["segment"]?.shape == [3, 24, 24, 3] && record["segment.mask"]?.shape == [3, 24, 24])
        #expect(record["simple.mask"]?.shape == [3, 24, 24])
        let masks = try #require(try MaskTensors.masks(of: "simple", in: record, classes: classes, place: "a.stz"))
        #expect(Set(masks.ids).isSuperset(of: [0, 1, 2, 3]))
      }
    }
  }

  /// A record for each picture: the whole picture at its size for evaluation, its own mask, its own size.
  @Test func wholePicturesAreRecordsOfOneRow() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(
        """
        pmae-augment images.stz --views segment-test --size 28 --output views.stz --threads 2
        pmae-augment images.stz --views segment-test --size 28 --threads 1 --quiet > one.stz
        pmae-inspect --contact-sheet sheet.jpg views.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (header, made) = try records(folder + "/views.stz")
      let expected = try readTensors(path: ToolRunner.checkout + "/Tests/ToolTests/Fixtures/masks.safetensors")
      #expect(header.metadata["rows_per_epoch"] == "3" && header.metadata["size"] == nil)
      #expect(made.count == 3)
      let sizes = [(28, 40), (28, 37), (28, 35)]
      let other = try records(folder + "/one.stz").records
      for (number, record) in made.enumerated() {
        let (height, width) = sizes[number]
        #expect(record["whole"]?.shape == [1, height, width, 3])
        #expect(try record["whole"]?.values(of: UInt8.self) == other[number]["whole"]?.values(of: UInt8.self))
        #expect(record["whole.mask"]?.shape == [1, 14 + number, 20])
        #expect(
          try record["whole.mask"]?.values(of: UInt8.self) == expected["ade/training/\(number)"]?.values(of: UInt8.self)
        )
        let size = try #require(try MaskTensors.sizes(of: record, place: "views.stz"))
        #expect(size[0].height == 14 + number && size[0].width == 20)
        #expect(try record["index"]?.values(of: Int64.self) == [Int64(number)])
      }
    }
  }

  /// What masks cannot follow is named, and so is what needs them.
  @Test(arguments: [
    (
      "pmae-augment images.stz --views finetune > v.stz", 64,
      "masks, which cannot follow rand- of view finetune: --no-masks"
    ),
    ("pmae-augment images.stz --no-masks --views finetune --size 16 --output v.stz", 0, ""),
    ("pmae-augment images.stz --no-masks --views segment --output v.stz", 65, "chooses its crop by masks"),
    ("pmae-augment images.stz --view 'name=a: scale 0.5-2, crop 16, flip' --no-masks --output v.stz", 0, ""),
    ("pmae-augment images.stz --views segment-test,center --output v.stz", 64, "view whole shows whole pictures"),
    ("pmae-augment images.stz --views segment-test --rows-per-record 4 --output v.stz", 64, "a record has one"),
    (
      "pmae-pack --quiet --output plain.stz $M/pair/images; pmae-augment images.stz plain.stz --no-labels --output v.stz",
      65,
      "plain.stz: has no masks, but images.stz has: --no-masks"
    ),
    (
      "pmae-pack --quiet --output other.stz $M/voc --split train; pmae-augment images.stz other.stz --output v.stz", 65,
      "other.stz: masks of 21 classes, but those of images.stz have 4"
    ),
  ])
  func whatDoesNotGoTogetherIsNamed(script: String, status: Int, why: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(script, in: folder)
      #expect(result.status == Int32(status), "\(script): \(result.errors)")
      #expect(why.isEmpty || result.errors.contains(why), "\(script): \(result.errors)")
    }
  }

  /// --statistics has the share of each class.
  @Test func statisticsHaveShares() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(
        "pmae-inspect --statistics images.stz; pmae-inspect --statistics --json images.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("masks          4 classes") && result.text.contains("1 building, edifice"))
      let json = try TaskFiles.lines(String(result.text.split(separator: "\n").last ?? ""))
      let shares = try #require(json.first?["mask_classes"] as? [[String: Any]])
      let expected = try readTensors(path: ToolRunner.checkout + "/Tests/ToolTests/Fixtures/masks.safetensors")
      let ids = try (0..<3).flatMap { try #require(expected["ade/training/\($0)"]).values(of: UInt8.self) }
      #expect(shares.count == 5)
      for (place, row) in shares.enumerated() {
        let id = place == 4 ? 255 : place
        #expect(row["id"] as? Int == id && row["pixels"] as? Int == ids.count { $0 == id }, "\(row)")
      }
    }
  }
}
