import Foundation
import Imaging
import Schemas
import TensorStream
import Testing

/// Masks of class ids as pmae-pack finds them, against what Pillow and NumPy see: Fixtures/masks.py says how.
@Suite struct PackMaskTests {
  static let masks = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/masks"

  private func pack(_ command: String, in folder: String) throws -> ToolResult {
    try ToolRunner.shell(
      "pmae-pack --output o.stz \(command)", environment: ["M": Self.masks], in: folder)
  }

  /// The ids of every picture of o.stz, in order, and the names of the pictures.
  private func ids(in folder: String) throws -> (classes: MaskClasses, pictures: [(name: String, ids: [UInt8])]) {
    let reader = try StreamReader(path: folder + "/o.stz", kinds: ["images"])
    let classes = try #require(try MaskClasses.of(reader.header, source: "o.stz"))
    var pictures: [(name: String, ids: [UInt8])] = []
    while let record = try reader.next() {
      let bytes = try #require(record[MaskTensors.bytes]).values(of: UInt8.self)
      let offsets = try #require(record[MaskTensors.offsets]).values(of: Int64.self).map { Int($0) }
      let names = try #require(try RowNames(record, what: "o.stz"))
      #expect(offsets.count == names.count + 1)
      for row in 0..<names.count {
        let file = Array(bytes[offsets[row]..<offsets[row + 1]])
        pictures.append((names.text(row), try PNG.ids(file, classes: classes, name: names.text(row)).pixels))
      }
    }
    return (classes, pictures)
  }

  typealias Case = (command: String, classes: [String], pictures: [(name: String, expected: String)])
  static let cases: [Case] = [
    (
      "$M/ade --split training", ["wall", "building, edifice", "sky", "floor"],
      (0..<3).map { ("images/training/ADE_000\($0).jpg", "ade/training/\($0)") }
    ),
    (
      "$M/ade --split validation", ["wall", "building, edifice", "sky", "floor"],
      [("images/validation/ADE_0000.jpg", "ade/validation/0")]
    ),
    ("$M/voc --split train", [], (0..<2).map { ("JPEGImages/2007_\($0).jpg", "voc/\($0)") }),
    (
      "$M/cityscapes --split train", [],
      ["aachen", "bochum"].map {
        ("leftImg8bit/train/\($0)/\($0)_000000_000019_leftImg8bit.png", "cityscapes/\($0)")
      }
    ),
    (
      "--masks $M/pair/masks --mask-classes $M/pair/names.txt $M/pair/images", ["ground", "tree", "car"],
      ["eight", "four", "interlaced", "interlaced2", "one", "two"].map { ("\($0).jpg", "pair/\($0)") }
    ),
    (
      "--masks $M/pair/masks --mask-classes 3 $M/pair/images/eight.jpg", ["0", "1", "2"],
      [("\(masks)/pair/images/eight.jpg", "pair/eight")]
    ),
    (
      "--masks $M/turned/masks --mask-classes $M/pair/names.txt $M/turned/images", ["ground", "tree", "car"],
      ["stored", "upright"].map { ("\($0).jpg", "turned/\($0)") }
    ),
    (
      "--masks $M/colours/masks --mask-classes $M/colours/names.txt $M/colours/images", ["ground", "tree", "car"],
      [("a.jpg", "colours/a")]
    ),
    (
      "--masks $M/numbered/masks --mask-classes $M/numbered.txt $M/numbered/images", ["ground", "tree", "big car"],
      [("a.jpg", "numbered/a")]
    ),
    (
      "--mask-classes $M/pair/names.txt $M/beside", ["ground", "tree", "car"],
      (0..<2).map { ("\($0).jpg", "beside/\($0)") }
    ),
    (
      "--mask-classes $M/pair/names.txt $M/beside.tar", ["ground", "tree", "car"],
      (0..<2).map { ("\($0).jpg", "beside/\($0)") }
    ),
  ]

  @Test(arguments: cases.indices) func idsAreExact(number: Int) throws {
    let one = Self.cases[number]
    let expected = try readTensors(path: ToolRunner.checkout + "/Tests/ToolTests/Fixtures/masks.safetensors")
    try ToolRunner.withTemporaryFolder { folder in
      let result = try pack(one.command, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let packed = try ids(in: folder)
      if !one.classes.isEmpty { #expect(packed.classes.names == one.classes) }
      #expect(result.errors.contains("with masks of \(packed.classes.count) classes from"), "\(result.errors)")
      #expect(packed.pictures.map(\.name) == one.pictures.map(\.name))
      for (found, wanted) in zip(packed.pictures, one.pictures) {
        #expect(try found.ids == #require(expected[wanted.expected]).values(of: UInt8.self), "\(found.name)")
      }
    }
  }

  /// Names and colours of sets that bring none along, as their authors have them.
  @Test func knownSetsHaveTheirColours() throws {
    try ToolRunner.withTemporaryFolder { folder in
      #expect(try pack("$M/voc --split train", in: folder).status == 0)
      let voc = try ids(in: folder).classes
      #expect(voc.count == 21 && voc.names[15] == "person")
      #expect(voc.colours[0] == [0, 0, 0] && voc.colours[15] == [192, 128, 128])
      #expect(try pack("--overwrite $M/cityscapes --split train", in: folder).status == 0)
      let cityscapes = try ids(in: folder).classes
      #expect(cityscapes.count == 19 && cityscapes.names[13] == "car" && cityscapes.colours[13] == [0, 0, 142])
    }
  }

  /// Each bad mask is named with what to do, its picture is left out, and the good ones stay.
  @Test func badMasksAreNamed() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let alone = try ToolRunner.shell(
        "cp -r $M/bad . && cp $M/pair/images/eight.jpg bad/images && cp $M/pair/masks/eight.png bad/masks && "
          + "pmae-pack --masks bad/masks --mask-classes $M/pair/names.txt --output o.stz bad/images",
        environment: ["M": Self.masks], in: folder)
      #expect(alone.status == 0, "\(alone.errors)")
      for (name, why) in [
        ("masks/rgb.png", "colours (RGB), which are no class ids"), ("masks/sixteen.png", "16 bits a pixel"),
        ("masks/large.png", "a mask of 7 x 5 pixels, but bad/images/large.jpg has 6 x 5"),
        ("masks/beyond.png", "number 27 at row 2, column 3: expected 0 to 2, 255"),
        ("masks/jpeg.png", "a mask as JPEG"),
        ("masks/cut.png", "a damaged PNG"), ("masks/text.png", "expected a PNG of class ids"),
        ("masks/alpha.png", "grey with alpha"),
        ("images/missing.jpg", "has no mask: expected bad/masks/missing.png"),
      ] {
        let line = alone.errors.split(separator: "\n").first { $0.contains(name) && $0.contains(": left out") }
        #expect(line?.contains(why) == true, "\(name): \(line ?? "nothing is said")")
      }
      #expect(alone.errors.contains("9 bad pictures left out, 1 packed"), "\(alone.errors)")
    }
  }

  /// What the options leave open or contradict is said before a picture is read.
  @Test(arguments: [
    ("$M/ade", 64, "--split says which part of it to pack: there are training, validation"),
    ("$M/ade --split test", 64, "--split test: ADE20K's layout has no such part: there are training, validation"),
    ("$M/voc --split trainval", 64, "there are train, val"),
    ("--masks $M/pair/masks $M/pair/images", 64, "--masks needs --mask-classes"),
    ("--mask-classes 300 $M/beside", 64, "a number from 1 to 255"),
    ("--mask-classes 3 --no-masks $M/beside", 64, "--mask-classes and --no-masks exclude each other"),
    ("--mask-classes 3 --with-masks $M/beside", 64, "--mask-classes and --with-masks exclude each other"),
    ("--mask-classes $M/none.txt $M/beside", 66, "none.txt"),
    ("--ignore-id 7 $M/pair/images", 64, "--ignore-id goes with masks, and there are none"),
    ("--masks $M/pair/names.txt --mask-classes 3 $M/pair/images", 64, "expected a folder of masks"),
    ("--strict --masks $M/bad/masks --mask-classes 3 $M/bad/images", 65, "bad/masks/alpha.png"),
    ("$M/ade $M/pair/images --split training", 64, "--split training"),
  ])
  func whatIsLeftOpenIsSaid(command: String, status: Int, why: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try pack(command, in: folder)
      #expect(result.status == Int32(status) && result.errors.contains(why), "\(command): \(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/o.stz"))
    }
  }

  /// A number before some names alone would become a part of these names, and other numbers would mean them.
  @Test func numbersAreBeforeAllNamesOrNone() throws {
    try ToolRunner.withTemporaryFolder { folder in
      func pack(_ lines: String) throws -> ToolResult {
        try ToolRunner.shell(
          "printf '\(lines)' > n.txt; "
            + "pmae-pack --overwrite --output o.stz --masks $M/pair/masks --mask-classes n.txt $M/pair/images",
          environment: ["M": Self.masks], in: folder)
      }
      for (lines, why) in [
        ("1 sky\\n2 grass\\nroad\\n", "line 3, \"road\", has no number before its name, but line 1, \"1 sky\", has"),
        ("car\\n\\n2 wheels\\n", "line 1, \"car\", has no number before its name, but line 3, \"2 wheels\", has"),
      ] {
        let result = try pack(lines)
        #expect(result.status == 65 && result.errors.contains("n.txt: " + why), "\(result.errors)")
      }
      for (lines, names) in [
        ("0 ground\\n1 2 wheels\\n2 car\\n", ["ground", "2 wheels", "car"]),
        ("ground\\n1984 wheels\\ncar\\n", ["ground", "1984 wheels", "car"]),
      ] {
        let result = try pack(lines)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try ids(in: folder).classes.names == names)
      }
    }
  }

  /// Without masks, and with numbers that mean no class; masks follow a picture that is made smaller.
  @Test func optionsChangeWhatIsPacked() throws {
    try ToolRunner.withTemporaryFolder { folder in
      #expect(try pack("$M/ade --split training --no-masks", in: folder).status == 0)
      #expect(try PackedImages(folder + "/o.stz").metadata["mask_classes"] == nil)
      #expect(try pack("--overwrite $M/ade --split training --ignore-id 3 --short-side 7", in: folder).status == 0)
      let packed = try ids(in: folder)
      #expect(packed.pictures.map(\.ids.count) == [7 * 10, 7 * 9, 7 * 8])
      #expect(!packed.pictures.contains { $0.ids.contains(2) })
      #expect(packed.pictures.allSatisfy { $0.ids.contains(255) })
      // Layouts take masks from elsewhere where they are told to.
      let other = try ToolRunner.shell(
        "mkdir -p m && cp $M/ade/annotations/training/*.png m && pmae-pack --overwrite --output o.stz --masks m "
          + "$M/ade --split training && pmae-inspect --check o.stz",
        environment: ["M": Self.masks], in: folder)
      #expect(other.status == 0, "\(other.errors)")
      #expect(try ids(in: folder).pictures.count == 3)
    }
  }

  /// The bytes do not depend on threads, and a set in shards goes on where it was.
  @Test func shardsAndThreadsAreTheSame() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --threads 1 $M/ade --split training > a.stz
        pmae-pack --quiet --threads 3 $M/ade --split training > b.stz; cmp a.stz b.stz
        pmae-pack --quiet --shard-size 1200 --output s-%d.stz $M/ade --split training; ls s-*.stz
        rm s-1.stz; pmae-pack --shard-size 1200 --resume --output s-%d.stz $M/ade --split training
        """, environment: ["M": Self.masks], in: folder)
      #expect(result.status == 0 && result.text.contains("s-1.stz"), "\(result.text) \(result.errors)")
    }
  }
}
