import Foundation
import Imaging
import Parallel
import TensorStream
import Testing

/// What is said of a set of pictures, on sets that a person can check.
@Suite struct ImageStatisticsTests {
  private func statistics(
    _ write: (StreamWriter) throws -> Void, isFile: Bool = true, limit: Int = 10, threads: Int = 2
  ) throws -> ImageStatistics {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-statistics-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try StreamWriter(path: path, kind: "images", metadata: [:])
    try write(writer)
    try writer.finish()
    var statistics = ImageStatistics(limit: limit)
    try statistics.read(ImageRecords(path: path, isFile: isFile), pool: ThreadPool(threads: threads))
    return statistics
  }

  private func encoded(_ files: [[UInt8]], labels: [Int32]? = nil) -> [NamedTensor] {
    let offsets = files.reduce(into: [Int64(0)]) { $0.append($0.last! + Int64($1.count)) }
    let bytes = files.flatMap { $0 }
    var tensors: [NamedTensor] = [
      ("image.bytes", StoredTensor(bytes, shape: [bytes.count])),
      ("image.offsets", StoredTensor(offsets, shape: [offsets.count])),
    ]
    if let labels { tensors.append(("label", StoredTensor(labels, shape: [labels.count]))) }
    return tensors
  }

  /// Rows of 2 × 3 grey pixels.
  private func grey(_ pictures: [[UInt8]], labels: [Int32]) -> [NamedTensor] {
    [
      ("pixels", StoredTensor(pictures.flatMap { $0 }, shape: [pictures.count, 2, 3, 1])),
      ("label", StoredTensor(labels, shape: [labels.count])),
    ]
  }

  @Test(arguments: [true, false]) func greyPixelsByHand(isFile: Bool) throws {
    let a: [UInt8] = [0, 50, 100, 150, 200, 250]
    let dark: [UInt8] = [0, 0, 30, 0, 0, 0]
    let plain: [UInt8] = [90, 90, 90, 91, 90, 90]
    let s = try statistics(
      { writer in
        try writer.write(grey([a, dark, plain], labels: [0, 1, 1]))
        try writer.write(grey([a, plain, a], labels: [0, 5, 0]))
      }, isFile: isFile)
    #expect(s.count == 6 && s.greyCount == 6 && s.pixels == 36)
    #expect(s.labels == [0: 3, 1: 2, 5: 1])
    #expect(s.heights.minimum == 2 && s.widths.maximum == 3 && s.aspects.median == 1500)
    #expect(s.nearBlack.count == 1 && s.nearBlack.first == [1])
    #expect(s.plain.count == 2 && s.plain.first == [2, 4])
    #expect(s.duplicateCount == 3 && s.duplicateGroups == 2)
    #expect(s.duplicates.map(\.first) == [0, 2] && s.duplicates.map(\.others.first) == [[3, 5], [4]])
    let values = [a, dark, plain, a, plain, a].flatMap { $0 }.map { Double($0) / 255 }
    let mean = values.reduce(0, +) / 36
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 36).squareRoot()
    for c in 0..<3 {
      #expect(abs(try #require(s.mean)[c] - mean) < 1e-12)
      #expect(abs(try #require(s.deviation)[c] - deviation) < 1e-12)
    }
  }

  /// Pillow's decoding of the same files is in the fixtures; a damaged one is counted and named, and the rest is looked at.
  @Test func jpegFilesByPillow() throws {
    let fixtures = try PillowFixtures()
    let names = ["baseline.jpg", "cut.jpg", "grey.jpg", "baseline.jpg", "one.jpg"]
    let files = try names.map { try fixtures.file($0) }
    let s = try statistics { try $0.write(encoded(files, labels: [0, 0, 1, 1, 2])) }
    #expect(s.count == 5)
    #expect(s.broken.count == 1 && s.broken.first.first?.row == 1)
    #expect(s.broken.first.first?.reason.contains("picture 1: a damaged JPEG: ") == true)
    #expect(s.duplicates.map(\.first) == [0] && s.duplicates.map(\.others.first) == [[3]])
    let pictures = try ["baseline.jpg", "grey.jpg", "baseline.jpg", "one.jpg"].map { name in
      let file = try fixtures.file(name)
      return try file.withUnsafeBytes { try ImageFile.decode($0, name: name) }
    }
    #expect(s.heights.minimum == pictures.map(\.height).min() && s.widths.maximum == pictures.map(\.width).max())
    let pixels = pictures.reduce(0) { $0 + $1.pixels.count / 3 }
    #expect(s.pixels == pixels)
    for c in 0..<3 {
      let sum = pictures.reduce(0.0) { sum, picture in
        sum + stride(from: c, to: picture.pixels.count, by: 3).reduce(0.0) { $0 + Double(picture.pixels[$1]) }
      }
      #expect(abs(try #require(s.mean)[c] - sum / Double(pixels) / 255) < 1e-12)
    }
  }

  /// The same for any number of threads, and no list is longer than was asked for.
  @Test func threadsChangeNothingAndListsAreCut() throws {
    let results = try [1, 3].map { threads in
      try statistics(
        { writer in
          for record in 0..<5 {
            try writer.write(
              grey((0..<40).map { [UInt8(record), UInt8($0 % 7), 3, 0, 0, 0] }, labels: (0..<40).map { Int32($0) }))
          }
        }, limit: 4, threads: threads)
    }
    for s in results {
      #expect(s.nearBlack.count == 200 && s.nearBlack.first == [0, 1, 2, 3])
      #expect(s.duplicateGroups == 35 && s.duplicateCount == 165)
      #expect(s.duplicates.map(\.first) == [0, 1, 2, 3] && s.duplicates[0].others.first == [7, 14, 21, 28])
      #expect(s.duplicates[0].others.count == 5)
    }
    #expect(results[0].mean == results[1].mean && results[0].deviation == results[1].deviation)
  }
}

/// What is drawn is where it was asked for.
@Suite struct CanvasTests {
  private func colour(_ picture: Picture, _ x: Int, _ y: Int) -> [UInt8] {
    Array(picture.pixels[(y * picture.width + x) * 3..<(y * picture.width + x) * 3 + 3])
  }

  @Test func fillsAreMixedAndCutAtTheEdges() throws {
    var canvas = try Canvas(width: 4, height: 3)
    canvas.fill(x: 2, y: -1, width: 9, height: 2, Canvas.Colour(0, 100, 200))
    canvas.fill(x: 0, y: 2, width: 1, height: 1, .black, share: 0.4)
    #expect(colour(canvas.picture, 3, 0) == [0, 100, 200] && colour(canvas.picture, 1, 0) == [255, 255, 255])
    #expect(colour(canvas.picture, 2, 1) == [255, 255, 255] && colour(canvas.picture, 0, 2) == [153, 153, 153])
    canvas.draw(Picture(height: 1, width: 2, channels: 1, pixels: [7, 8]), x: 3, y: 2)
    #expect(colour(canvas.picture, 3, 2) == [7, 7, 7])
  }

  @Test func lettersAreLetters() throws {
    var canvas = try Canvas(width: 24, height: 7)
    canvas.text("T|é!", x: 0, y: 0)
    let lines = (0..<7).map { y in
      String((0..<24).map { colour(canvas.picture, $0, y) == [0, 0, 0] ? "#" : "." })
    }
    #expect(
      lines == [
        "#####...#...#####...#...", "..#.....#...#...#...#...", "..#.....#...#...#...#...", "..#.....#...#...#...#...",
        "..#.....#...#...#...#...", "..#.....#...#...#.......", "..#.....#...#####...#...",
      ])
  }

  @Test func everyLetterIsADifferentOne() throws {
    let drawn = try (33...126).map { code in
      var canvas = try Canvas(width: 6, height: 8)
      canvas.text(String(UnicodeScalar(UInt8(code))), x: 0, y: 0)
      return canvas.picture.pixels
    }
    #expect(Set(drawn).count == 94)
    // Something is left of each pair's gap: the sixth column is empty.
    #expect(drawn.allSatisfy { pixels in (0..<8).allSatisfy { pixels[($0 * 6 + 5) * 3] == 255 } })
  }

  @Test func aSheetThatNoFileHoldsIsAnErrorBeforeItIsMade() {
    for (width, height) in [(70_000, 10), (10, 70_000), (60_000, 60_000), (0, 5)] {
      #expect(throws: Failure.self) { try Canvas(width: width, height: height) }
    }
  }

  @Test func smallPicturesGrowByWholePixels() {
    let small = Picture(height: 1, width: 2, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
    let fitted = small.fitted(into: 4)
    #expect(fitted.height == 2 && fitted.width == 4)
    #expect(Array(fitted.pixels.prefix(12)) == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    let large = Picture(height: 40, width: 10, channels: 1, pixels: [UInt8](repeating: 9, count: 400)).fitted(into: 20)
    #expect(large.height == 20 && large.width == 5 && large.pixels.allSatisfy { $0 == 9 })
  }

  /// A cell's picture is where the layout says, and its caption is wrapped below.
  @Test func cellsLieInTheirRows() throws {
    var sheet = ContactSheet(side: 24)
    let red = Picture(
      height: 24, width: 24, channels: 3, pixels: (0..<24 * 24).flatMap { _ in [200, 0, 0] as [UInt8] })
    sheet.add([.init(red, caption: ""), .init(red, caption: "abcd efg hijklmnop")], title: "")
    sheet.add([.init(red, caption: "")], title: "row")
    let picture = try sheet.drawn(columns: 1)
    #expect(picture.width == 8 + 2 * 32)
    // Four lines of caption at most ("abcd", "efg", "hijk", "lmno", "p": five) and a title; 16 between groups of several cells.
    #expect(picture.height == 8 + (24 + 4 + 5 * 10) + 16 + (10 + 24 + 4) + 8)
    #expect(colour(picture, 8, 8) == [200, 0, 0] && colour(picture, 31, 31) == [200, 0, 0])
    #expect(colour(picture, 32, 8) == [255, 255, 255] && colour(picture, 40, 8) == [200, 0, 0])
    let second = 8 + 24 + 4 + 50 + 16 + 10
    #expect(colour(picture, 8, second) == [200, 0, 0] && colour(picture, 40, second) == [255, 255, 255])
    let wide = try sheet.drawn(columns: 2)
    #expect(wide.width == 8 + 56 + 16 + 56 + 8 && wide.height == 8 + 78 + 8)
    #expect(colour(wide, 8 + 56 + 16, 18) == [200, 0, 0])
  }

  /// Whatever there is to show, it is a page: as near to 4:3 as whole columns come.
  @Test func aSheetIsAPage() throws {
    let picture = Picture(height: 8, width: 8, channels: 1, pixels: [UInt8](repeating: 9, count: 64))
    for (count, factor) in [(4, 2.0), (16, 1.6), (23, 1.6), (64, 1.6)] {
      for cells in 1...3 {
        for caption in ["", "simple: top=0 left=3 height=20 width=19 flip=1 and so on, for several lines"] {
          var sheet = ContactSheet(side: 96)
          for row in 0..<count {
            sheet.add(Array(repeating: .init(picture, caption: caption), count: cells), title: "row \(row), cat")
          }
          let page = try sheet.drawn()
          let ratio = Double(page.width) / Double(page.height) / ContactSheet.pageRatio
          #expect(ratio > 1 / factor && ratio < factor, "\(cells) x \(count): \(page.width) x \(page.height)")
        }
      }
    }
  }

  /// Letters twice as large are the same letters.
  @Test func lettersGrowByWholePixels() throws {
    var (small, large) = (try Canvas(width: 60, height: 10), try Canvas(width: 120, height: 20))
    small.text("Row 7, cat", x: 0, y: 0)
    large.text("Row 7, cat", x: 0, y: 0, scale: 2)
    for y in 0..<20 {
      for x in 0..<120 { #expect(colour(large.picture, x, y) == colour(small.picture, x / 2, y / 2)) }
    }
  }
}
