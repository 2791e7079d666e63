import Foundation
import TensorStream
import Testing

/// pmae-pack as a user runs it.
@Suite struct PackTests {
  private static let pictures = ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/pictures"

  // MARK: IDX

  /// The first pixel and the label of each picture of a stream.
  private func contents(_ path: String) throws -> (pixels: [UInt8], labels: [Int32], header: Record) {
    let reader = try StreamReader(path: path, kinds: ["images"])
    var (pixels, labels): ([UInt8], [Int32]) = ([], [])
    while let record = try reader.next() {
      let tensor = try #require(record["pixels"])
      #expect(tensor.shape.dropFirst() == [2, 3, 1])
      let values = try tensor.values(of: UInt8.self)
      for row in 0..<tensor.shape[0] {
        #expect(Set(values[(row * 6)..<(row * 6 + 6)]).count == 1)
        pixels.append(values[row * 6])
      }
      labels += try record["label"]?.values(of: Int32.self) ?? []
    }
    return (pixels, labels, reader.header)
  }

  @Test func plainAndCompressedFilesGiveTheSameStream() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try IDXFiles.write(in: folder)
      let result = try ToolRunner.shell(
        """
        pmae-pack images --labels labels --class-names a,b,c --rows-per-record 5 --output plain.stz --quiet
        gzip -k images labels
        # Told by its first bytes, not by its name.
        mv images.gz compressed
        pmae-pack compressed --labels labels.gz --class-names a,b,c --rows-per-record 5 --quiet > compressed.stz
        cat images | pmae-pack - --quiet --output piped.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors == "")
      for name in ["plain", "compressed"] {
        let (pixels, labels, header) = try contents("\(folder)/\(name).stz")
        #expect(pixels == Array(0..<12))
        #expect(labels == (0..<12).map { $0 % 3 })
        #expect(header.metadata["classes"] == #"["a","b","c"]"#)
        #expect(
          header.metadata["height"] == "2" && header.metadata["width"] == "3" && header.metadata["channels"] == "1")
        let mean = try JSONText.decode([Double].self, from: header.metadata["mean"] ?? "", what: "mean")
        let deviation = try JSONText.decode([Double].self, from: header.metadata["std"] ?? "", what: "std")
        #expect(mean.count == 1 && abs(mean[0] - 5.5 / 255) < 1e-12)
        #expect(deviation.count == 1 && abs(deviation[0] - (143.0 / 12).squareRoot() / 255) < 1e-12)
      }
      #expect(try IndexedStream(path: folder + "/plain.stz").rowsPerRecord == [5, 5, 2])
      let (pixels, labels, header) = try contents(folder + "/piped.stz")
      #expect(pixels == Array(0..<12) && labels == [] && header.metadata["classes"] == nil)
    }
  }

  @Test func choicesOfPictures() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try IDXFiles.write(in: folder)
      func chosen(_ options: String...) throws -> (pixels: [UInt8], labels: [Int32]) {
        let result = try ToolRunner.run(
          "pmae-pack",
          ["images", "--labels", "labels", "--output", "o.stz", "--overwrite", "--quiet"] + options, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let (pixels, labels, header) = try contents(folder + "/o.stz")
        #expect(header.metadata["classes"] == #"["0","1","2"]"#)
        #expect(labels == pixels.map { Int32($0 % 3) })
        return (pixels, labels)
      }
      #expect(try chosen("--limit", "4").pixels == [0, 1, 2, 3])
      #expect(try chosen("--limit", "40").pixels.count == 12)
      #expect(try chosen("--skip", "10").pixels == [10, 11])
      #expect(try chosen("--skip", "1", "--per-class", "2").pixels == [1, 2, 3, 4, 5, 6])
      #expect(try chosen("--per-class", "2", "--limit", "4").pixels == [0, 1, 2, 3])
      let shuffled = try chosen("--shuffle", "--seed", "7").pixels
      #expect(shuffled.sorted() == Array(0..<12) && shuffled != Array(0..<12))
      #expect(try chosen("--shuffle", "--seed", "8").pixels != shuffled)
      // Equal seeds cut a set in two.
      #expect(try chosen("--shuffle", "--seed", "7", "--limit", "8").pixels == Array(shuffled[..<8]))
      #expect(try chosen("--shuffle", "--seed", "7", "--skip", "8").pixels == Array(shuffled[8...]))
      let stratified = try chosen("--shuffle", "--seed", "7", "--per-class", "3")
      #expect((0..<3).allSatisfy { label in stratified.labels.count { $0 == label } == 3 })
      #expect(stratified.pixels == shuffled.filter { stratified.pixels.contains($0) })
    }
  }

  @Test func badIDXFilesAreErrorsThatSayWhatIsWrong() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try IDXFiles.write(in: folder)
      let images = try Data(contentsOf: URL(fileURLWithPath: folder + "/images"))
      func message(_ data: Data, _ options: String...) throws -> String {
        try data.write(to: URL(fileURLWithPath: folder + "/bad"))
        let result = try ToolRunner.run("pmae-pack", ["bad", "--output", "o.stz"] + options, in: folder)
        #expect(result.status == 65, "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/o.stz"))
        #expect(result.errors.hasPrefix("pmae-pack: ") && result.errors.hasSuffix("\n"))
        return String(result.errors.dropFirst("pmae-pack: ".count).dropLast())
      }
      let nothing = "not a folder, a tar file, an IDX file, a CIFAR batch, a picture file or a list of pictures"
      #expect(try message(images.dropLast()) == "bad: 87 bytes, where a header of 12 x 2 x 3 makes 88")
      #expect(try message(images + [0]) == "bad: 89 bytes, where a header of 12 x 2 x 3 makes 88")
      #expect(try message(Data([0xCA, 0xFE, 0xFF, 0xE0, 0])) == "bad: \(nothing): starts with ca fe ff e0")
      #expect(try message(Data()) == "bad: \(nothing): it is empty")
      #expect(try message(images.prefix(10)) == "bad: ends inside its header")
      #expect(try message(IDXFiles.bytes([12], [1])) == "bad: IDX of 1 dimension, expected 3 to 4")
      #expect(
        try message(IDXFiles.bytes([2, 1, 1], [1, 2], type: 13))
          == "bad: IDX of type 0d: only unsigned bytes (08) are known")
      #expect(try message(IDXFiles.bytes([0, 28, 28], [])).contains("there is nothing in it"))
      let absurd = IDXFiles.bytes([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [1, 2, 3])
      #expect(try message(absurd) == "bad: claims the absurd size 4294967295 x 4294967295 x 4294967295")
      #expect(
        try message(IDXFiles.bytes([3, 1, 1], [1, 2, 3]), "--labels", "labels")
          == "labels: 12 labels, but bad has 3 pictures")
      #expect(
        try message(images, "--labels", "labels", "--class-names", "a,b")
          == "labels: has label 2, but 2 class names were given")
      #expect(try message(images, "--labels", "labels", "--per-class", "5").contains("class 0 has 4 pictures"))
      #expect(try message(images, "--skip", "12").contains("--skip 12 leaves nothing of 12 pictures"))
    }
  }

  // MARK: Folders

  /// The bytes and label of every picture.
  private func files(_ path: String) throws -> (bytes: [[UInt8]], labels: [Int32]?, header: Record) {
    let reader = try StreamReader(path: path, kinds: ["images"])
    var bytes: [[UInt8]] = []
    var labels: [Int32]?
    while let record = try reader.next() {
      let all = try #require(record["image.bytes"]).values(of: UInt8.self)
      let offsets = try #require(record["image.offsets"]).values(of: Int64.self).map { Int($0) }
      for (start, end) in zip(offsets, offsets.dropFirst()) { bytes.append(Array(all[start..<end])) }
      if let label = record["label"] { labels = (labels ?? []) + (try label.values(of: Int32.self)) }
    }
    return (bytes, labels, reader.header)
  }

  private func fixture(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.pictures + "/" + name)))
  }

  @Test func everyKindOfJPEGIsStoredAsItCame() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let names = [
        "baseline.jpg", "cmyk.jpg", "full-colour.jpg", "grey.jpg", "half-colour.jpg", "one-grey.jpg", "one.jpg",
        "progressive.jpg", "restarts.jpg", "ycck.jpg",
      ]
      let result = try ToolRunner.shell(
        """
        mkdir flat; for f in \(names.joined(separator: " ")); do cp "$FROM/$f" flat/; done; touch flat/.hidden
        pmae-pack flat --output flat.stz --threads 1 --rows-per-record 3 --quiet
        pmae-pack flat --output again.stz --threads 3 --rows-per-record 3 --quiet
        pmae-augment flat.stz --views center,simple,complex --size 20 --quiet | pmae-inspect --check
        """, environment: ["FROM": Self.pictures], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (bytes, labels, header) = try files(folder + "/flat.stz")
      let expected = try names.map { try fixture($0) }
      #expect(bytes == expected)
      #expect(labels == nil && header.metadata["classes"] == nil)
      #expect(header.metadata["sizes"] == #"{"max":[47,61],"min":[1,1]}"#)
      #expect(try JSONText.decode([Double].self, from: header.metadata["mean"] ?? "", what: "mean").count == 3)
      #expect(try files(folder + "/again.stz").header.metadata["mean"] == header.metadata["mean"])
    }
  }

  /// Files of both formats go through all tools: stored as they came, measured and augmented upright.
  @Test func pngAndTurnedFilesAreStoredAsTheyCame() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let names = ["exif-6.jpg", "exif-6.png", "jpeg-420-arithmetic.jpg", "png-4-16-interlaced.png"]
      let kinds = Self.pictures + "/../kinds"
      let result = try ToolRunner.shell(
        """
        mkdir mixed; for f in \(names.joined(separator: " ")); do cp "$FROM/$f" mixed/; done
        pmae-pack mixed --output mixed.stz --quiet
        pmae-augment mixed.stz --views center,simple,complex --size 20 --quiet | pmae-inspect --check
        """, environment: ["FROM": kinds], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (bytes, _, header) = try files(folder + "/mixed.stz")
      let expected = try names.map { try fixture("../kinds/" + $0) }
      #expect(bytes == expected)
      // 37 x 43 turned is 43 x 37; 13 x 19 turned is 19 x 13.
      #expect(header.metadata["sizes"] == #"{"max":[43,43],"min":[13,13]}"#)
    }
  }

  @Test func subFoldersAreClassesWhateverTheirNames() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(
        """
        new='line
        break'
        odd=$(printf 'odd\\377name')
        mkdir -p "p/b c/deep er/x" "p/$new" "p/$odd"
        cp "$FROM/one.jpg" "p/b c/z.jpg"; cp "$FROM/grey.jpg" "p/b c/deep er/x/a.jpg"
        cp "$FROM/cmyk.jpg" "p/$new/-n.jpg"; cp "$FROM/baseline.jpg" "p/$odd/$new"
        pmae-pack p --output p.stz --quiet
        """, environment: ["FROM": Self.pictures], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (bytes, labels, header) = try files(folder + "/p.stz")
      let expected = try ["one.jpg", "grey.jpg", "cmyk.jpg", "baseline.jpg"].map { try fixture($0) }
      #expect(bytes == expected)
      #expect(labels == [0, 0, 1, 2])
      let classes = try JSONText.decode([String].self, from: header.metadata["classes"] ?? "", what: "classes")
      #expect(classes == ["b c", "line\\nbreak", "odd\\xffname"])
    }
  }

  @Test func badFoldersAreErrorsThatNameTheFile() throws {
    try ToolRunner.withTemporaryFolder { folder in
      // What is done to a folder with one good picture, and how the message begins.
      var cases: [(prepare: String, status: Int32, message: String)] = [
        ("printf GIF89a > photos/7.jpg", 65, "photos/7.jpg: a GIF picture, which is not read: "),
        (": > photos/7.jpg", 65, "photos/7.jpg: not a JPEG, PNG, WebP or TIFF: it is empty\n"),
        ("rm photos/1.jpg", 65, "photos: an empty folder: there are no pictures in it\n"),
        ("mkdir photos/cats", 65, "photos/1.jpg: a picture beside the class folders of photos"),
        (
          "mkdir -p photos/a photos/b; mv photos/1.jpg photos/a", 65,
          "photos: class b: there is no picture of it that can be read: remove the empty folder"
        ),
        ("mkfifo photos/7.jpg", 65, "photos/7.jpg: neither a file nor a folder\n"),
        ("ln -s nowhere photos/7.jpg", 66, "photos/7.jpg: No such file or directory\n"),
        (
          "mkdir photos/a photos/b; cp photos/1.jpg photos/a; mv photos/1.jpg photos/b; ln -s nowhere photos/aa", 66,
          "photos/aa: a link to nowhere, which cannot be reached, beside the class folders of photos: it may be a class"
        ),
        (
          "mkdir photos/a; mv photos/1.jpg photos/a; ln -s .. photos/a/up", 65, "photos/a/up: a link back to a folder"
        ),
        ("rm -r photos", 66, "photos: No such file or directory\n"),
      ]
      for name in ["cut.jpg", "cut-in-header.jpg", "cut-progressive.jpg"] {
        cases.append(("cp \"$FROM/\(name)\" photos/7.jpg", 65, "photos/7.jpg: a damaged JPEG: "))
      }
      for (prepare, status, message) in cases {
        let result = try ToolRunner.shell(
          "rm -rf photos; mkdir photos; cp \"$FROM/one.jpg\" photos/1.jpg\n\(prepare)\npmae-pack --quiet --strict --output out photos",
          environment: ["FROM": Self.pictures], in: folder)
        #expect(result.status == status)
        #expect(result.errors.hasPrefix("pmae-pack: " + message), "\(prepare): \(result.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { $0 == "photos" })
      }
    }
  }

  // MARK: Output

  @Test func anExistingOutputIsLeftAlone() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try IDXFiles.write(in: folder)
      try "precious".write(toFile: folder + "/o.stz", atomically: true, encoding: .utf8)
      let refused = try ToolRunner.run("pmae-pack", ["images", "--output", "o.stz"], in: folder)
      #expect(refused.status == 73)
      #expect(try String(contentsOfFile: folder + "/o.stz", encoding: .utf8) == "precious")
      let replaced = try ToolRunner.run("pmae-pack", ["images", "--output", "o.stz", "--overwrite"], in: folder)
      #expect(replaced.status == 0)
      #expect(try contents(folder + "/o.stz").pixels.count == 12)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["images", "labels", "o.stz"])
    }
  }

  @Test func wrongUsageSaysSo() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try IDXFiles.write(in: folder)
      for options in [
        ["--limit", "0"], ["--skip", "-1"], ["--per-class", "0"], ["--rows-per-record", "0"], ["--class-names", "a"],
        ["--per-class", "1"], ["--threads", "0"], ["--seed", "-1"], ["--colour"],
      ] {
        let result = try ToolRunner.run("pmae-pack", ["images"] + options, in: folder)
        #expect(result.status == 64 && result.output.isEmpty, "\(options): \(result.errors)")
      }
    }
  }
}
