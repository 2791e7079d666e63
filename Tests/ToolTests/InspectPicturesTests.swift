import Foundation
import Imaging
import TensorStream
import Testing

/// pmae-inspect --contact-sheet, --statistics, --curves and --look, from end to end.
@Suite struct InspectPicturesTests {
  private func decoded(_ path: String) throws -> Picture {
    try Data(contentsOf: URL(fileURLWithPath: path)).withUnsafeBytes { try ImageFile.decode($0, name: path) }
  }

  private func run(_ arguments: String..., in folder: String, environment: [String: String] = [:]) throws -> ToolResult
  {
    try ToolRunner.run("pmae-inspect", arguments, environment: environment, in: folder)
  }

  @Test func aSheetOfImagesIsAGrid() throws {
    try ExampleFiles.withCopy { folder in
      let result = try run("--contact-sheet", "sheet.jpg", "--columns", "5", "--size", "56", "images.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.isEmpty && result.errors.isEmpty)
      let sheet = try decoded(folder + "/sheet.jpg")
      // 48 pictures, five a row: ten rows.
      #expect(sheet.width == 8 + 5 * 64)
      // The first picture is where the first cell is: as in the stream, each pixel four times.
      let record = try IndexedStream(path: folder + "/images.stz").record(0)
      let pixels = try #require(record["pixels"]).values(of: UInt8.self)
      var error = 0
      for y in 0..<56 {
        for x in 0..<56 {
          let value = Int(sheet.pixels[((8 + y) * sheet.width + 8 + x) * 3])
          error += abs(value - Int(pixels[y / 2 * 28 + x / 2]))
        }
      }
      #expect(error / (56 * 56) < 12, "mean difference \(Double(error) / (56 * 56))")
    }
  }

  @Test func aSheetOfAPipeIsThatOfTheFile() throws {
    try ExampleFiles.withCopy { folder in
      for rows in ["0-2", "15-16", "all"] {
        let file = try run("--contact-sheet", "a.jpg", "--overwrite", "--rows", rows, "views.stz", in: folder)
        #expect(file.status == 0, "\(file.errors)")
        let pipe = try ToolRunner.shell(
          "cat views.stz | pmae-inspect --contact-sheet b.jpg --overwrite --rows \(rows)", in: folder)
        #expect(pipe.status == 0, "\(pipe.errors)")
        let (a, b) = (try decoded(folder + "/a.jpg"), try decoded(folder + "/b.jpg"))
        #expect(a == b)
        // Groups of two recipes, side by side.
        #expect(a.width % (2 * 200 - 8 + 16) == 0)
        let ratio = Double(a.width) / Double(a.height)
        #expect(rows != "all" || ratio > 0.9 && ratio < 2, "\(a.width) x \(a.height)")
      }
    }
  }

  @Test(arguments: [
    (["--contact-sheet", "x.jpg", "encoder.stz"], "encoder.stz: holds weights: a contact sheet needs images or views"),
    (
      ["--contact-sheet", "x.jpg", "--rows", "40-48", "images.stz"],
      "images.stz: has 48 rows, counted from 0: there is no row 48"
    ),
    (["--contact-sheet", "taken.jpg", "images.stz"], "taken.jpg: exists already"),
    (["--contact-sheet", "nowhere/x.jpg", "images.stz"], "nowhere/x.jpg: there is no folder nowhere"),
    (["--statistics", "views.stz"], "views.stz: record 0: holds \"views\", expected images"),
    (["--look", "run", "images.stz", "x.jpg"], "images.stz: record 0: holds \"images\", expected views"),
    (
      ["--look", "photos", "views.stz", "x.jpg"],
      "photos: a run without a checkpoint: there is no photos/checkpoint.stz yet"
    ),
    (["--look", "encoder.stz", "views.stz", "x.jpg"], "encoder.stz: holds weights, expected a checkpoint"),
    (["--look", "run", "small.stz", "x.jpg"], "\"simple\" is U8 [48, 14, 14, 3], expected U8 [48, 28, 28, 3]"),
    (["--look", "run", "test-views.stz", "x.jpg"], "no tensor \"simple\""),
    (
      ["--look", "--rows", "94-97", "run", "views.stz", "x.jpg"],
      "views.stz: has 96 rows, counted from 0: there is no row 97"
    ),
    (["--curves", "photos", "x.svg"], "photos: not a run folder: there is no photos/metrics.jsonl"),
  ])
  func whatCannotBeShownIsAnErrorThatSaysWhy(arguments: [String], message: String) throws {
    try ExampleFiles.withCopy { folder in
      let made = try ToolRunner.shell(
        """
        pmae-augment --quiet --views simple,complex --size 14 --output small.stz images.stz
        cp center.stz test-views.stz
        echo > taken.jpg
        """, in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let result = try ToolRunner.run("pmae-inspect", arguments, in: folder)
      #expect(result.status != 0 && result.status != 70)
      #expect(result.errors.hasPrefix("pmae-inspect: ") && result.errors.contains(message), "\(result.errors)")
      let leftovers = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
        $0.hasPrefix("x.") || $0.contains("partial")
      }
      #expect(leftovers.isEmpty)
    }
  }

  @Test(arguments: [
    ["--look", "--curves", "a", "b", "c"], ["--look", "a", "b"], ["--curves", "a"], ["--part", "student", "a"],
    ["--contact-sheet", "x.jpg", "a", "b"], ["--statistics", "--rows", "5", "a"], ["--columns", "5", "a"],
    ["--contact-sheet", "x.jpg", "--size", "5", "a"], ["--statistics", "--limit", "-1", "a"], ["--threads", "2", "a"],
  ]) func whatDoesNotGoTogetherIsAUsageError(arguments: [String]) throws {
    #expect(try ToolRunner.run("pmae-inspect", arguments).status == 64)
  }

  @Test func statisticsOfAPipeAreThoseOfTheFileWithAnyThreads() throws {
    try ExampleFiles.withCopy { folder in
      let file = try run("--statistics", "--threads", "1", "images.stz", in: folder)
      #expect(file.status == 0, "\(file.errors)")
      #expect(file.text.hasPrefix("images.stz: 48 pictures\n"))
      let pipe = try ToolRunner.shell("cat images.stz | pmae-inspect --statistics --threads 3", in: folder)
      #expect(pipe.text == file.text.replacingOccurrences(of: "images.stz", with: "standard input"))

      let json = try run("--statistics", "--json", "images.stz", in: folder)
      let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
      #expect(object["count"] as? Int == 48)
      let classes = try #require(object["classes"] as? [[String: Any]])
      #expect(classes.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == 48)
      // The packer's own, which adds up elsewhere.
      let packed = try IndexedStream(path: folder + "/images.stz").header.metadata
      let mean = try JSONDecoder().decode([Double].self, from: Data(try #require(packed["mean"]).utf8))
      let found = try #require(object["mean"] as? [Double])
      #expect(found.count == 3 && found.allSatisfy { abs($0 - mean[0]) < 1e-6 })
    }
  }

  @Test func aStreamThatIsCutHasNoStatistics() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell("head -c 2000 images.stz | pmae-inspect --statistics || echo $?", in: folder)
      #expect(result.text == "65\n", "\(result.text)")
      #expect(result.errors.contains("input ends without an end record"))
    }
  }

  @Test func aLookHasEveryPanelAndIsTheSameEachTime() throws {
    try ExampleFiles.withCopy { folder in
      var sheets: [Picture] = []
      for threads in ["1", "2"] {
        let result = try run(
          "--look", "--rows", "0-2", "--size", "84", "--threads", threads, "run", "views.stz", "\(threads).jpg",
          in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.isEmpty && result.errors.isEmpty)
        sheets.append(try decoded("\(folder)/\(threads).jpg"))
      }
      #expect(sheets[0] == sheets[1])
      // Six panels of 84 and one of two heads, half as wide; a line for the title and two for each image.
      #expect(sheets[0].width == 8 + 6 * 92 + 50)
      #expect(sheets[0].height == 10 + 16 + 3 * (20 + 84 + 8))
      let teacher = try run(
        "--look", "--part", "labelling-teacher", "--rows", "0-2", "--size", "84", "run/checkpoint.stz", "views.stz",
        "s.jpg",
        in: folder)
      #expect(teacher.status == 0, "\(teacher.errors)")
      #expect(try decoded(folder + "/s.jpg") != sheets[0])
    }
  }

  private static let hasGnuplot = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .contains { FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot") }

  @Test(.enabled(if: hasGnuplot, "gnuplot is not installed: pipelines/test.mk install does it"))
  func curvesAreADrawing() throws {
    try ExampleFiles.withCopy { folder in
      let made = try ToolRunner.shell("cp -r run 'other'\\''s run'", in: folder)
      #expect(made.status == 0)
      let result = try run("--curves", "run", "other's run", "curves.svg", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let drawing = try String(contentsOfFile: folder + "/curves.svg", encoding: .utf8)
      let parser = XMLCheck(drawing)
      #expect(parser.isWellFormed)
      #expect(drawing.contains("learning rate") && drawing.contains("losses"))
      #expect(drawing.contains("run loss_m") && drawing.contains("s run loss_m"))
    }
  }

  @Test func withoutGnuplotTheErrorSaysHowToGetIt() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run(
        "\(ToolRunner.folder)/pmae-inspect", ["--curves", "run", "curves.svg"], environment: ["PATH": folder],
        in: folder)
      #expect(result.status == 66)
      #expect(result.errors.contains("apt-get install gnuplot-nox"), "\(result.errors)")
    }
  }
}

/// Whether a text is well-formed, by its tags: every one that opens also closes.
private struct XMLCheck {
  let isWellFormed: Bool

  init(_ text: String) {
    var open: [Substring] = []
    var isRight = text.contains("<svg")
    for match in text.matches(of: #/<(/?)([a-zA-Z]+)(?:\s[^<>]*?)?(/?)>/#) {
      if !match.1.isEmpty {
        isRight = isRight && open.popLast() == match.2
      } else if match.3.isEmpty {
        open.append(match.2)
      }
    }
    isWellFormed = isRight && open.isEmpty
  }
}
