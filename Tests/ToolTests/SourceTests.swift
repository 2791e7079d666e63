import Foundation
import TensorStream
import Testing

/// Every layout that pmae-pack reads, held against what Python's own readers find (see Fixtures/make_sources.py).
@Suite struct SourceTests {
  struct Expected: Decodable {
    let classes: [String]?
    let crc32: [UInt32]
    let labels: [Int32?]
    let names: [String]?
  }

  static let fixtures = ToolRunner.checkout + "/Tests/ToolTests/Fixtures"

  static let expected: [String: Expected] = {
    let data = try? Data(contentsOf: URL(fileURLWithPath: fixtures + "/sources/expected.json"))
    return data.flatMap { try? JSONDecoder().decode([String: Expected].self, from: $0) } ?? [:]
  }()

  private func withSources<R>(_ body: (String) throws -> R) throws -> R {
    try ToolRunner.withTemporaryFolder { folder in
      let copy = try ToolRunner.shell(
        "cp -r \"$FROM/examples/.\" \"$FROM/sources/.\" .", environment: ["FROM": Self.fixtures], in: folder)
      #expect(copy.status == 0)
      return try body(folder)
    }
  }

  @Test func everyLayoutIsReadAsPythonReadsIt() throws {
    #expect(Self.expected.count > 60)
    try withSources { folder in
      for (command, expected) in Self.expected {
        let result = try ToolRunner.shell("pmae-pack --quiet --overwrite --output o.stz \(command)", in: folder)
        // Of some lists, rows are of pictures that cannot be read.
        let errors = result.errors.split(separator: "\n").filter {
          !$0.contains("left out") || !command.contains("lost")
        }
        #expect(result.status == 0 && errors == [], "\(command): \(result.errors)")
        let packed = try PackedImages(folder + "/o.stz")
        #expect(packed.pictures.map(crc32) == expected.crc32, "\(command)")
        #expect(try packed.classes == expected.classes, "\(command)")
        #expect(packed.labels ?? [] == expected.labels.compactMap { $0 }, "\(command)")
        if let names = expected.names { #expect(packed.names == names, "\(command)") }
        #expect(packed.names?.count == packed.pictures.count, "\(command)")
      }
    }
  }

  /// From a pipe and from a redirected file, compressed or not, put one after the other.
  @Test func standardInputIsToldByWhatItHolds() throws {
    try withSources { folder in
      let result = try ToolRunner.shell(
        """
        cat shards/train-*.tar | pmae-pack --quiet --output piped.stz -
        gzip -c shards/train-000000.tar | pmae-pack --quiet --output one.stz -
        cat shards/train-*.tar > both.tar; pmae-pack --quiet --output redirected.stz - < both.tar
        pmae-pack --quiet - < flowers-102/train.csv --root flowers-102 > list.stz
        cat train-images-idx3-ubyte.gz | pmae-pack --quiet --labels train-labels-idx1-ubyte.gz --output idx.stz -
        """, in: folder)
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
      let both = try #require(Self.expected["shards/train-000000.tar shards/train-000001.tar"])
      for name in ["piped", "redirected"] {
        #expect(try PackedImages("\(folder)/\(name).stz").pictures.map(crc32) == both.crc32)
        #expect(try PackedImages("\(folder)/\(name).stz").labels ?? [] == both.labels.compactMap { $0 })
      }
      #expect(
        try PackedImages(folder + "/one.stz").pictures.map(crc32) == Self.expected["shards/train-000000.tar"]?.crc32)
      #expect(
        try PackedImages(folder + "/list.stz").pictures.map(crc32) == Self.expected["flowers-102/train.csv"]?.crc32)
      #expect(try PackedImages(folder + "/idx.stz").labels?.count == 48)
      // Nothing is left of what was kept meanwhile.
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(".") }
      #expect(left == [])
    }
  }

  /// One picture, from a pipe, from a redirected file, through a pipe that has a name, and among others.
  @Test func aPictureMayComeThroughAPipe() throws {
    try withSources { folder in
      let result = try ToolRunner.shell(
        """
        cat photos/bars/0.jpg | pmae-pack --quiet --output piped.stz -
        pmae-pack --quiet --output redirected.stz - < photos/bars/0.jpg
        mkfifo pipe; cat photos/bars/0.jpg > pipe & pmae-pack --quiet --output named.stz pipe
        pmae-pack --quiet --output among.stz photos/bars/1.jpg - < photos/bars/0.jpg
        """, in: folder)
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
      let picture = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/photos/bars/0.jpg")))
      for (name, called) in [("piped", ["-"]), ("redirected", ["-"]), ("named", ["pipe"])] {
        let packed = try PackedImages("\(folder)/\(name).stz")
        #expect(packed.pictures == [picture] && packed.names == called, "\(name)")
      }
      #expect(try PackedImages(folder + "/among.stz").names == ["photos/bars/1.jpg", "-"])
      let cut = try ToolRunner.shell("head -c 300 photos/bars/0.jpg | pmae-pack --strict --output x.stz -", in: folder)
      #expect(cut.status == 65 && cut.errors.contains("standard input: a damaged JPEG"), "\(cut.errors)")
      let part = try ToolRunner.shell("pmae-pack --split a --output part.stz - < photos/bars/0.jpg", in: folder)
      #expect(part.status == 64 && part.errors.contains("--split goes with folders"), "\(part.errors)")
    }
  }

  /// Neighbours that are one double stay two classes, in a list and in a tar file; what cannot be kept is refused.
  @Test func numbersInJSONKeepTheirDigits() throws {
    try withSources { folder in
      let (one, two) = ("9007199254740992", "9007199254740993")
      let result = try ToolRunner.shell(
        """
        mkdir t; cp photos/bars/0.jpg t/a.jpg; cp photos/bars/1.jpg t/b.jpg
        printf '{"path":"t/a.jpg","label":\(one)}\\n{"path":"t/b.jpg","label":\(two)}\\n' > list.jsonl
        echo '{"label":\(one)}' > t/a.json; echo '{"label":\(two)}' > t/b.json; tar --sort=name -cf t.tar t
        pmae-pack --quiet --output list.stz list.jsonl; pmae-pack --quiet --output tar.stz t.tar
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      for name in ["list", "tar"] {
        let packed = try PackedImages("\(folder)/\(name).stz")
        #expect(try packed.classes == [one, two], "\(name)")
        #expect(packed.labels == [0, 1], "\(name)")
      }
      let large = try ToolRunner.shell(
        "sed 's/\(two)/1e20/' list.jsonl > large.jsonl; pmae-pack --output large.stz large.jsonl", in: folder)
      #expect(large.status == 65, "\(large.errors)")
      #expect(large.errors.contains("large.jsonl: line 2: its label, about 1e+20, is too large"), "\(large.errors)")
    }
  }

  @Test func classesOfSeveralSourcesAreMergedByName() throws {
    try withSources { folder in
      func classes(_ command: String) throws -> (classes: [String]?, labels: [Int32]) {
        let result = try ToolRunner.shell("pmae-pack --quiet --overwrite --output o.stz \(command)", in: folder)
        #expect(result.status == 0, "\(command): \(result.errors)")
        let packed = try PackedImages(folder + "/o.stz")
        return (try packed.classes, packed.labels ?? [])
      }
      // One list is the beginning of the other: the longer.
      let numbers = try classes("shards/train-000001.tar shards/train-000000.tar")
      #expect(numbers.classes == ["0", "1", "2"] && numbers.labels == [0, 1, 0, 2, 1])
      // Otherwise all, numbers by value first, then names.
      let mixed = try classes("lists/plain.csv named.tar")
      #expect(mixed.classes == ["0", "1", "2", "3", "ant", "zebra"] && mixed.labels == [3, 0, 3, 1, 5, 4, 5])
      // What is given is the list.
      let given = try classes("--class-names zebra,none,ant named.tar")
      #expect(given.classes == ["zebra", "none", "ant"] && given.labels == [0, 2, 0])
      #expect(try classes("--class-names a,b,c,d lists/plain.csv").classes == ["a", "b", "c", "d"])
      #expect(try classes("--no-labels named.tar lists/one.tsv").classes == nil)
    }
  }

  @Test func whatDoesNotGoTogetherIsAnErrorThatSaysWhatToDo() throws {
    try withSources { folder in
      let cut = "head -c 3000 gnu.tar > cut.tar; pmae-pack cut.tar"
      let cases: [(command: String, status: Int32, message: String)] = [
        ("pmae-pack named.tar lists/one.tsv", 65, "lists/one.tsv has no labels, but named.tar has; --no-labels packs"),
        ("pmae-pack photos cifar-10-batches-bin", 65, "pack them apart, pmae-augment takes several streams"),
        (
          "pmae-pack --class-names ant named.tar", 65,
          "named.tar has the class zebra, which is not among --class-names"
        ),
        (
          "pmae-pack --class-names a,b lists/plain.csv", 65,
          "lists/plain.csv: has label 3, but 2 class names were given"
        ),
        ("pmae-pack --labels train-labels-idx1-ubyte.gz photos", 64, "there is no IDX file of pictures for it"),
        ("pmae-pack --root x photos", 64, "--root and --path-column go with a list"),
        ("pmae-pack --label-column x photos", 64, "--label-column goes with a list of pictures, or with a tar file"),
        ("pmae-pack --coarse-labels photos", 64, "--coarse-labels goes with CIFAR-100"),
        ("pmae-pack --coarse-labels cifar-10-batches-bin", 64, "CIFAR-10 has one label a picture"),
        ("pmae-pack --short-side 9 cifar-10-batches-bin", 64, "--short-side is for picture files"),
        ("pmae-pack --label-column z lists/columns.tsv", 64, "--label-column z: its columns are id, what, where"),
        (
          ": > empty; pmae-pack empty", 65,
          "empty: not a folder, a tar file, an IDX file, a CIFAR batch, a picture file or a list of pictures: it is empty"
        ),
        (cut, 65, "cut.tar: ends inside "),
        ("head -c 9216 named.tar > early.tar; head -c 2048 early.tar > cut.tar; pmae-pack cut.tar", 65, "cut short"),
        ("printf 'a.jpg,\"x\\n' > bad.csv; pmae-pack bad.csv", 65, "bad.csv: line 1: a quoted field that does not end"),
        (
          "cp photos/bars/0.jpg a.jpg; cp a.jpg b.jpg; printf 'a.jpg,1\\nb.jpg,\\n' > bad.csv; pmae-pack bad.csv", 65,
          "b.jpg: has no label, but others of bad.csv have"
        ),
        (
          "echo 1 > 1.cls; tar cf bad.tar 1.cls; cat photos/bars/0.jpg > 2.jpg; tar rf bad.tar 2.jpg; pmae-pack bad.tar",
          65, "bad.tar: 1.cls: a label without a picture next to it"
        ),
        (
          "head -c 3072 cifar-10-batches-bin/test_batch.bin > cifar-10-batches-bin/data_batch_1.bin; pmae-pack cifar-10-batches-bin",
          65, "3,073 bytes (CIFAR-10)"
        ),
        (
          "printf 'X' | dd of=cifar-10-batches-bin/test_batch.bin conv=notrunc status=none; pmae-pack cifar-10-batches-bin/test_batch.bin",
          65, "picture 0 has label 88: expected 0 to 9"
        ),
      ]
      for (command, status, message) in cases {
        let result = try ToolRunner.shell(command, in: folder)
        #expect(result.status == status, "\(command): \(result.errors)")
        #expect(result.errors.contains(message), "\(command): \(result.errors)")
        #expect(result.output.isEmpty, "\(command)")
      }
    }
  }

  /// A tar file with a byte changed is an error, or has the pictures that it had but for one: never a shorter set.
  @Test func noByteOfATarHeaderCanMakeASetShorter() throws {
    try withSources { folder in
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/named.tar")))
      for place in [0, 2, 100, 124, 130, 135, 148, 156, 257, 700, 1024, 1100] {
        var damaged = whole
        damaged[place] ^= 0x15
        try Data(damaged).write(to: URL(fileURLWithPath: folder + "/bad.tar"))
        let result = try ToolRunner.shell("pmae-pack --quiet --strict bad.tar > o.stz", in: folder)
        if result.status == 0 {
          #expect(try PackedImages(folder + "/o.stz").pictures.count == 3, "byte \(place)")
        } else {
          #expect(result.status == 65, "byte \(place): \(result.errors)")
        }
      }
    }
  }
}
