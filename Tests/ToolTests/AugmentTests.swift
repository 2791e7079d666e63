import Foundation
import TensorStream
import Testing

/// pmae-augment as a user runs it. What views hold is tested with the library.
@Suite struct AugmentTests {
  /// 30 grey pictures of 8 × 8, the first all 0, the next all 1, …, with labels.
  private func writeImages(_ path: String) throws {
    let writer = try StreamWriter(
      path: path, kind: "images", metadata: ["mean": "[0.5]", "std": "[0.25]", "classes": #"["even","odd"]"#])
    for start in [0, 10, 20] {
      try writer.write([
        ("pixels", StoredTensor((0..<640).map { UInt8(start + $0 / 64) }, shape: [10, 8, 8, 1])),
        ("label", StoredTensor((0..<10).map { Int32($0 % 2) }, shape: [10])),
      ])
    }
    try writer.finish()
  }

  private func records(_ path: String) throws -> [Record] {
    let reader = try StreamReader(path: path, kinds: ["views"])
    var records = [reader.header]
    while let record = try reader.next() { records.append(record) }
    return records
  }

  @Test func theStreamIsWhatItSays() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeImages(folder + "/images.stz")
      let result = try ToolRunner.shell(
        "pmae-augment images.stz --epochs 3 --first-epoch 5 --seed 9 --rows-per-record 12 --quiet > views.stz",
        in: folder)
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
      let records = try records(folder + "/views.stz")
      let metadata = records[0].metadata
      #expect(metadata["recipes"] == #"["simple","complex"]"#)
      #expect(metadata["epochs"] == "3" && metadata["first_epoch"] == "5" && metadata["rows_per_epoch"] == "30")
      #expect(metadata["seed"] == "9" && metadata["classes"] == #"["even","odd"]"#)
      #expect(metadata["mean"] == "[0.5,0.5,0.5]" && metadata["std"] == "[0.25,0.25,0.25]")
      #expect(metadata["simple.columns"] == #"["top","left","height","width","flip"]"#)
      #expect(metadata["made_from"]?.contains("images.stz") == true)
      // A record never spans two epochs.
      #expect(records.dropFirst().map { $0.rows } == [12, 12, 6, 12, 12, 6, 12, 12, 6])
      let first = records[1]
      #expect(first["simple"]?.shape == [12, 8, 8, 3] && first["complex"]?.shape == [12, 8, 8, 3])
      #expect(first["simple.parameters"]?.shape == [12, 5] && first["complex.parameters"]?.shape == [12, 14])
      let index = try #require(first["index"]).values(of: Int64.self)
      #expect(try #require(first["label"]).values(of: Int32.self) == index.map { Int32($0 % 2) })
      // Every pixel of picture i is i, and cropping, resizing and flipping leave it so.
      #expect(
        try #require(first["simple"]).values(of: UInt8.self) == index.flatMap { i in (0..<192).map { _ in UInt8(i) } })
    }
  }

  @Test func theNumberOfThreadsDoesNotShow() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeImages(folder + "/images.stz")
      for threads in ["1", "2", "5"] {
        let result = try ToolRunner.run(
          "pmae-augment",
          ["images.stz", "--epochs", "2", "--threads", threads, "--output", "\(threads).stz", "--quiet"],
          in: folder)
        #expect(result.status == 0, "\(result.errors)")
      }
      let one = try records(folder + "/1.stz")
      for threads in ["2", "5"] {
        let other = try records(folder + "/\(threads).stz")
        #expect(one.count == other.count)
        for (a, b) in zip(one, other).dropFirst() {
          #expect(a.tensors.map { $0.name } == b.tensors.map { $0.name })
          for (x, y) in zip(a.tensors, b.tensors) {
            #expect(x.tensor.withUnsafeBytes { x in y.tensor.withUnsafeBytes { x.elementsEqual($0) } })
          }
        }
      }
    }
  }

  @Test func centerLeavesPicturesOfTheRightSizeAlone() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeImages(folder + "/images.stz")
      // From a pipe, too.
      let result = try ToolRunner.shell(
        "cat images.stz | pmae-augment --views center --output views.stz --quiet", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let records = try records(folder + "/views.stz").dropFirst()
      let index = try records.flatMap { try #require($0["index"]).values(of: Int64.self) }
      #expect(index == (0..<30).map { Int64($0) })
      let pixels = try records.flatMap { try #require($0["center"]).values(of: UInt8.self) }
      #expect(pixels == (0..<30).flatMap { [UInt8](repeating: $0, count: 192) })
    }
  }

  @Test func aRecipeOfOnesOwn() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeImages(folder + "/images.stz")
      let line = "name=mine: crop 0.5-1, solarise p 0.5"
      let result = try ToolRunner.run(
        "pmae-augment", ["images.stz", "--quiet", "--output", "v.stz", "--views", "simple", "--view", line], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let records = try records(folder + "/v.stz")
      #expect(records[0].metadata["recipes"] == #"["simple","mine"]"#)
      #expect(records[0].metadata["mine.recipe"] == line)
      let solarised = try #require(records[1]["mine.parameters"]).values(of: Float.self).enumerated()
        .filter { $0.offset % 5 == 4 }.map { $0.element }
      let index = try #require(records[1]["index"]).values(of: Int64.self)
      let pixels = try #require(records[1]["mine"]).values(of: UInt8.self)
      // Pictures are of values below 128, which solarising leaves alone.
      #expect(pixels == index.flatMap { [UInt8](repeating: UInt8($0), count: 192) })
      #expect(Set(solarised) == [0, 1])
      let wrong = try ToolRunner.run("pmae-augment", ["images.stz", "--view", "name=mine: crop 2-1"], in: folder)
      #expect(wrong.status == 64 && wrong.errors.contains("character 17: expected a range"), "\(wrong.errors)")
    }
  }

  @Test func aReaderThatGoesAwayEndsItQuietly() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeImages(folder + "/images.stz")
      let result = try ToolRunner.shell(
        """
        { pmae-augment images.stz --epochs 100000 --size 64 || echo $? > status; } | head -c 100000 > /dev/null
        cat status
        """, in: folder, timeout: 60)
      #expect(result.text == "141\n")
      #expect(result.errors == "")
    }
  }

  @Test func badInputsAreErrors() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeImages(folder + "/images.stz")
      func check(_ script: String, status: Int32 = 65, says text: String) throws {
        let result = try ToolRunner.shell(script, in: folder)
        #expect(result.status == status, "\(script): \(result.errors)")
        #expect(
          result.errors.hasPrefix("pmae-augment: ") && result.errors.contains(text), "\(script): \(result.errors)")
      }
      try check("head -c -60 images.stz | pmae-augment --output o.stz", says: "standard input")
      try check("pmae-augment images.stz | pmae-augment --quiet > /dev/null", says: "images")
      try check("pmae-augment --shuffle-memory 1K < images.stz", says: "more than the 1,024 bytes that may be kept")
      try check("pmae-augment nowhere.stz", status: 66, says: "nowhere.stz")
      try StreamWriter.writeOneRecord(path: folder + "/none.stz", kind: "images", metadata: [:], tensors: [])
      try check("pmae-augment none.stz", says: "none.stz: a stream of zero rows")
      try check("cat none.stz | pmae-augment", says: "zero rows")
      let empty = try StreamWriter(path: folder + "/empty.stz", kind: "images", metadata: [:])
      try empty.finish()
      try check("pmae-augment empty.stz", says: "empty.stz: a stream of zero rows")
      let odd = try StreamWriter(path: folder + "/odd.stz", kind: "images", metadata: [:])
      try odd.write([("pixels", StoredTensor([UInt8](repeating: 0, count: 16), shape: [2, 2, 2, 2]))])
      try odd.finish()
      try check("pmae-augment odd.stz", says: "odd.stz: record 1: pixels is U8 [2, 2, 2, 2]")
      let half = try StreamWriter(path: folder + "/half.stz", kind: "images", metadata: [:])
      let pixels = (name: "pixels", tensor: StoredTensor([1, 2, 3, 4] as [UInt8], shape: [1, 2, 2, 1]))
      try half.write([pixels, ("label", StoredTensor([0] as [Int32], shape: [1]))])
      try half.write([pixels])
      try half.finish()
      try check("pmae-augment half.stz --output o.stz", says: "half.stz: record 2: no labels, unlike the first")
      try check("cat half.stz | pmae-augment --output o.stz", says: "record 2: no labels, unlike the first")
      let broken = try StreamWriter(path: folder + "/broken.stz", kind: "images", metadata: [:])
      try broken.write([
        ("image.bytes", StoredTensor([0xFF, 0xD8, 0xFF, 0xD9] as [UInt8], shape: [4])),
        ("image.offsets", StoredTensor([0, 4] as [Int64], shape: [2])),
      ])
      try broken.finish()
      try check("pmae-augment broken.stz --output o.stz", says: "broken.stz: picture 0: a damaged JPEG")
      #expect(!FileManager.default.fileExists(atPath: folder + "/o.stz"))
    }
  }

  @Test func wrongUsageSaysSo() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeImages(folder + "/images.stz")
      for options in [
        ["--views", "simple,simple"], ["--views", "fancy"], ["--views", ""], ["--size", "0"], ["--size", "9000"],
        ["--epochs", "0"], ["--first-epoch", "-1"], ["--crop-ratio", "0.5"], ["--views", "center", "--epochs", "2"],
        ["--views", "center", "--crop-ratio", "1.1"], ["--views", "center", "--crop-ratio", "nan"],
        ["--view", "crop 0.2-1"], ["--view", "name=center: center", "--epochs", "2"],
        ["--view", "name=simple: crop 0.1-1", "--views", "simple"],
        ["--view", "name=a: crop 0.1-1", "--crop-ratio", "0.5"],
        ["--rows-per-record", "0"], ["--shuffle-memory", "0"], ["--shuffle-memory", "9999999999T"],
        ["--shuffle-memory", "x"], ["--from", "1:0"], ["--from", "0:31"], ["--from", "0"], ["--from", "0:-1"],
        ["--from", "0:0", "--resume", "run"],
      ] {
        let result = try ToolRunner.run("pmae-augment", ["images.stz"] + options, in: folder)
        #expect(result.status == 64 && result.output.isEmpty, "\(options): \(result.errors)")
      }
    }
  }
}

/// One channel in, one channel out.
struct OneChannelTests {
  @Test func greyPixelsTrainAOneChannelModel() throws {
    try ToolRunner.withTemporaryFolder { folder in
      // An IDX file of twelve 8 × 8 pictures.
      var idx = Data([0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 8, 0, 0, 0, 8])
      idx.append(contentsOf: (0..<12 * 64).map { UInt8(truncatingIfNeeded: $0 &* 37) })
      try idx.write(to: URL(fileURLWithPath: folder + "/images.idx"))
      let result = try ToolRunner.shell(
        """
        pmae-pack images.idx --quiet --output images.stz
        pmae-augment images.stz --channels 1 --seed 3 --quiet --output one.stz
        pmae-augment images.stz --seed 3 --quiet --output three.stz
        pmae-pretrain one.stz --channels 1 --image 8 --patch 2 --width 12 --depth 1 --heads 3 --decoder-width 8 \\
          --decoder-depth 1 --decoder-heads 2 --head-hidden 8 --head-bottleneck 4 --prototypes 6 --batch 4 --quiet --output run
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let one = try #require(try StreamReader(path: folder + "/one.stz").next()?["simple"])
      let three = try #require(try StreamReader(path: folder + "/three.stz").next()?["simple"])
      #expect(one.shape == [12, 8, 8, 1])
      let values = try three.values(of: UInt8.self)
      #expect(try one.values(of: UInt8.self) == stride(from: 0, to: values.count, by: 3).map { values[$0] })
      let checkpoint = try readTensors(path: folder + "/run/checkpoint.stz")
      #expect(checkpoint["student.patch_embed.proj.weight"]?.shape == [12, 1, 2, 2])
    }
  }
}
