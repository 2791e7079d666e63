import Foundation
import TensorStream
import Testing

/// Shards, going on after a kill, and pictures that are left out or made smaller.
@Suite struct ShardTests {
  private static let pictures = ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/pictures"

  /// 4 classes of 30 pictures, some of them bad; packed into shards of about 20 kB by `pack`.
  private func withPhotos<R>(_ body: (_ folder: String, _ pack: String) throws -> R) throws -> R {
    try ExampleFiles.withCopy { folder in
      let made = try ToolRunner.shell(
        """
        for i in 10 11 12 13 14 15 16 17 18; do for d in photos/*; do cp $d/0.jpg $d/$i.jpg; cp $d/2.jpg $d/x$i.jpg; done; done
        cp "$FROM/cut.jpg" photos/bars/0bad.jpg; echo text > photos/squares/readme.txt; cp "$FROM/cut.jpg" photos/waves/zz.jpg
        """, environment: ["FROM": Self.pictures], in: folder)
      #expect(made.status == 0, "\(made.errors)")
      return try body(folder, "pmae-pack --quiet --shard-size 20K --output s-%03d.stz photos")
    }
  }

  private func shards(_ folder: String) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("s-") }
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))) })
  }

  @Test func shardsAreWholeStreamsOfASizeThatTogetherHaveEverything() throws {
    try withPhotos { folder, pack in
      let result = try ToolRunner.shell(
        "\(pack) --threads 1; pmae-pack --quiet photos > all.stz; pmae-inspect --check s-*.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let all = try PackedImages(folder + "/all.stz")
      let names = try shards(folder).keys.sorted()
      #expect(names.first == "s-000.stz" && names.count > 5)
      let parts = try names.map { try PackedImages("\(folder)/\($0)") }
      #expect(parts.flatMap { $0.pictures } == all.pictures)
      #expect(parts.flatMap { $0.labels ?? [] } == all.labels)
      #expect(try parts.allSatisfy { try $0.classes == all.classes })
      for part in parts { #expect(part.pictures.reduce(0) { $0 + $1.count + 12 } <= 20 << 10) }
      // What the shards say of their pixels makes what the whole says.
      func numbers(_ packed: PackedImages) throws -> (pixels: Double, mean: [Double]) {
        let mean = try JSONText.decode([Double].self, from: packed.metadata["mean"] ?? "", what: "mean")
        return (Double(packed.metadata["pixels"] ?? "") ?? 0, mean)
      }
      let whole = try numbers(all)
      let sums = try parts.map(numbers)
      #expect(sums.reduce(0) { $0 + $1.pixels } == whole.pixels)
      #expect(abs(sums.reduce(0) { $0 + $1.pixels * $1.mean[0] } / whole.pixels - whole.mean[0]) < 1e-12)
      // Bad pictures are in the shard that they would be in.
      #expect(
        try parts.flatMap { try $0.skipped.map { $0["path"] } } == [
          "photos/bars/0bad.jpg", "photos/squares/readme.txt", "photos/waves/zz.jpg",
        ])
    }
  }

  @Test func threadsChangeNoByte() throws {
    try withPhotos { folder, pack in
      #expect(try ToolRunner.shell("\(pack) --threads 1", in: folder).status == 0)
      let one = try shards(folder)
      #expect(try ToolRunner.shell("\(pack) --overwrite --threads 5", in: folder).status == 0)
      #expect(try shards(folder) == one)
    }
  }

  /// Killed at several moments, each time gone on with: the same bytes, and nothing else left.
  @Test func whatWasKilledGoesOnToTheSameBytes() throws {
    try withPhotos { folder, pack in
      #expect(try ToolRunner.shell(pack, in: folder).status == 0)
      let unbroken = try shards(folder)
      for moment in ["0.005", "0.01", "0.015", "0.02", "0.03", "0.05"] {
        let result = try ToolRunner.shell(
          """
          rm -f s-*.stz
          \(pack) & tool=$!
          sleep \(moment); kill -9 $tool || true; wait $tool || true
          \(pack) --resume
          """, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try shards(folder) == unbroken, "killed after \(moment) s")
        let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".partial") }
        #expect(left == [])
      }
      // Whatever shards are there, and whichever is half written.
      for kept in [0, 1, 3, unbroken.count - 1, unbroken.count] {
        let names = unbroken.keys.sorted()
        for name in names[kept...] { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
        if kept < names.count {
          try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder)/.\(names[kept]).abc.partial"))
        }
        // And one that was killed between giving a shard its name and taking the temporary one away.
        if kept > 0 { try Data([1]).write(to: URL(fileURLWithPath: "\(folder)/.\(names[kept - 1]).def.partial")) }
        let result = try ToolRunner.shell("\(pack) --resume --threads 3", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try shards(folder) == unbroken, "\(kept) kept")
        let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".partial") }
        #expect(left == [])
      }
      // One that is missing in the middle.
      try FileManager.default.removeItem(atPath: folder + "/s-002.stz")
      #expect(try ToolRunner.shell("\(pack) --resume", in: folder).status == 0)
      #expect(try shards(folder) == unbroken)
    }
  }

  @Test func shardsOfAnotherRunAreNotGoneOnWith() throws {
    try withPhotos { folder, pack in
      #expect(try ToolRunner.shell(pack, in: folder).status == 0)
      let before = try shards(folder)
      let cases: [(command: String, status: Int32, message: String)] = [
        (pack, 73, "s-000.stz: exists already: --resume goes on"),
        ("\(pack) --resume --shuffle", 73, "s-000.stz: is of another run: its made_by"),
        ("rm photos/discs/1.jpg; \(pack) --resume", 73, "s-000.stz: is of another run: its pictures' digest"),
        ("\(pack) --resume --overwrite", 64, "--resume and --overwrite exclude each other"),
        ("pmae-pack --resume photos > x", 64, "--resume needs --shard-size"),
        ("pmae-pack --shard-size 1M --output x.stz photos", 64, "with --shard-size its name has %05d"),
        ("pmae-pack --shard-size 1M photos > x", 64, "with --shard-size its name has %05d"),
        ("pmae-pack --shard-size 0 --output x%d photos", 64, "--shard-size"),
      ]
      for (command, status, message) in cases {
        let result = try ToolRunner.shell(command, in: folder)
        #expect(result.status == status && result.errors.contains(message), "\(command): \(result.errors)")
      }
      #expect(try shards(folder) == before)
      // A shard that is cut is not kept.
      let cut = try ToolRunner.shell("head -c 3000 s-000.stz > t; mv t s-000.stz; \(pack) --resume", in: folder)
      #expect(cut.status == 65 && cut.errors.contains("s-000.stz"), "\(cut.errors)")
      // Of a smaller set, the rest goes.
      let smaller = try ToolRunner.shell("\(pack) --overwrite --limit 20", in: folder)
      #expect(smaller.status == 0, "\(smaller.errors)")
      #expect(try shards(folder).count < before.count)
      #expect(
        try shards(folder).keys.sorted().reduce(0) { try $0 + PackedImages("\(folder)/\($1)").pictures.count } == 19)
    }
  }

  @Test func badPicturesAreReportedCountedAndListed() throws {
    try withPhotos { folder, _ in
      let result = try ToolRunner.shell("pmae-pack --quiet --output o.stz photos; pmae-inspect o.stz", in: folder)
      #expect(result.status == 0)
      let lines = result.errors.split(separator: "\n")
      #expect(lines.count == 4, "\(result.errors)")
      #expect(
        lines[0].hasPrefix("pmae-pack: photos/bars/0bad.jpg: a damaged JPEG: ") && lines[0].hasSuffix(": left out"))
      let why = "not a JPEG, PNG, WebP or TIFF: starts with 74 65 78"
      #expect(lines[1] == "pmae-pack: photos/squares/readme.txt: \(why): left out")
      #expect(lines[3] == "pmae-pack: 3 bad pictures left out, 84 packed")
      let packed = try PackedImages(folder + "/o.stz")
      #expect(packed.pictures.count == 84 && packed.metadata["skipped_count"] == "3")
      #expect(
        try packed.skipped[1] == [
          "path": "photos/squares/readme.txt", "why": "not a JPEG, PNG, WebP or TIFF: starts with 74 65 78",
        ])
      #expect(
        result.text.contains("skipped_count") && result.text.contains("photos/squares/readme.txt"), "\(result.text)")
      let strict = try ToolRunner.shell("pmae-pack --quiet --strict photos > strict.stz", in: folder)
      #expect(strict.status == 65 && strict.errors.hasPrefix("pmae-pack: photos/bars/0bad.jpg: a damaged JPEG"))
    }
  }

  /// A reader takes the statistics from the end record, of a file and of a pipe.
  @Test func readersFindTheStatistics() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --output p.stz photos; pmae-augment --quiet --size 16 --output a.stz p.stz
        pmae-pack --quiet photos | pmae-augment --quiet --size 16 --output b.stz -
        pmae-pack --quiet photos | pmae-inspect > c.txt; pmae-inspect p.stz > d.txt; cat c.txt d.txt
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let mean = try #require(try IndexedStream(path: folder + "/p.stz").header.metadata["mean"])
      #expect(try IndexedStream(path: folder + "/a.stz").header.metadata["mean"] == mean)
      #expect(try IndexedStream(path: folder + "/b.stz").header.metadata["mean"] == mean)
      #expect(result.text.components(separatedBy: "\n").count { $0.hasPrefix("  mean") } == 2)
    }
  }

  @Test func largePicturesAreMadeSmallerOnce() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --output p.stz photos
        pmae-pack --quiet --short-side 50 --quality 80 --output small.stz photos
        pmae-pack --quiet --short-side 50 --quality 80 --threads 1 photos > again.stz
        pmae-pack --quiet --short-side 50 --quality 20 --output low.stz photos
        pmae-augment --quiet --views center --size 16 small.stz | pmae-inspect --check
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let before = try PackedImages(folder + "/p.stz")
      let small = try PackedImages(folder + "/small.stz")
      let low = try PackedImages(folder + "/low.stz")
      #expect(small.pictures == (try PackedImages(folder + "/again.stz")).pictures)
      // The photographs are 48, 52 and 56 high and 64 wide.
      for (i, picture) in small.pictures.enumerated() {
        #expect((picture == before.pictures[i]) == (i % 3 == 0))
        #expect(i % 3 == 0 || low.pictures[i].count < picture.count)
      }
      #expect(small.metadata["sizes"] == #"{"max":[50,64],"min":[48,57]}"#)
      #expect(small.labels == before.labels)
    }
  }
}
