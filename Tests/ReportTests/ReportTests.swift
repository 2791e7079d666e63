import Evaluation
import Foundation
import Imaging
import Networks
import Parallel
import Report
import Runs
import Testing

@Suite struct ReportTests {
  /// A page with as many classes as asked for, each with a name of 200 characters, and with names that a browser would obey.
  private func page(classes: Int) throws -> String {
    var score = ClassificationScore()
    for image in 0..<4 * classes {
      var logits = [Float](repeating: 0, count: classes)
      logits[(image * 7 + image / 3) % classes] = Float(image % 5)
      logits.withUnsafeBufferPointer { score.add($0, label: image % classes) }
    }
    let figures = ClassificationFigures(
      score.verdicts, classes: classes, bootstrap: Bootstrap(resamples: 20), isDetailed: true,
      threads: ThreadPool(threads: 2))
    func name(_ label: Int) -> String {
      hostile[label % hostile.count] + String(repeating: "x", count: 190) + "\(label)"
    }
    var report = Report(title: "model\(hostile[0]).stz on \(name(1))", about: "a test & more")
    report.add(
      figures: figures.whole, level: 0.95, facts: [("model", hostile[1])])
    report.add(reliability: figures)
    report.add(confusion: figures, name: name)
    report.add(classes: figures, name: name)
    let pictures = (0..<9).map { number in
      ReportPicture(
        Picture(
          height: 8, width: 8, channels: number % 2 == 0 ? 1 : 3,
          pixels: [UInt8](repeating: UInt8(number * 20), count: number % 2 == 0 ? 64 : 192)),
        name: name(number), lines: ["is \(name(0))", "said: \(name(1))"], isWrong: true)
    }
    try report.add(pictures: pictures, title: "Most confident mistakes", about: "about")
    try report.add(rows: [pictures, pictures], title: "Nearest neighbours", about: "about")
    var looked = LookedImages(of: 2, most: 2)
    let images = ImageBatch(
      pixels: (0..<384).map { UInt8($0 % 256) }, count: 2, side: 8, channels: 3, mean: [0, 0, 0], std: [1, 1, 1])
    looked.add(images, index: [3, 4], names: [name(4), nil], score.verdicts.prefix(2))
    try report.add(
      looked: looked,
      looks: [Float(1), 0.25].map { share in
        LookedImages.Look(
          attention: [share, 0.5, 0.25, 0], components: [[0, 0.5, 1], [1, 0, 0], [0.5, 0.5, 0.5], [0, 1, 0]])
      }, name: name)
    report.add(curvesOf: try run(steps: 700, metric: name(5)))
    report.addLineage(
      command: ["pmae-evaluate", "classify", name(2)],
      inputs: [
        (name(3), ["made_by": #"{"tool":"t","version":"1","arguments":["<script>alert(1)</script>"]}"#]), ("b", [:]),
      ])
    return report.text
  }

  /// A run folder with a metric that has a bad name.
  private func run(steps: Int, metric: String) throws -> RunMetrics {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-run-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let lines = try (1...steps).map { step in
      let values: [String: Any] = ["step": step, "loss": 2 / Double(step), "lr": 1e-3, metric: step % 7]
      return String(decoding: try JSONSerialization.data(withJSONObject: values), as: UTF8.self) + "\n"
    }
    try lines.joined().write(toFile: folder + "/metrics.jsonl", atomically: true, encoding: .utf8)
    return try RunMetrics(folder)
  }

  private let hostile = [
    "<script>document.title = 'obeyed'</script>", "\"><img src=x onerror=alert(1)>", "a & b 'c' \u{1b}[2J",
  ]

  @Test func whatComesFromOutsideIsEscaped() throws {
    let text = try page(classes: 3)
    #expect(!text.contains("<script") && !text.contains("<img src=x"))
    #expect(text.contains("&lt;script&gt;document.title = &#39;obeyed&#39;&lt;/script&gt;"))
    #expect(text.contains("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"))
    #expect(!text.contains("\u{1b}") && text.contains("\\x1b[2J"))
    #expect(!text.contains("http://") && !text.contains("https://"))
  }

  /// Of few classes a matrix, of many the pairs that are most frequent.
  @Test func manyClassesHaveNoMatrix() throws {
    #expect(try page(classes: 40).contains("class=\"matrix\""))
    let many = try page(classes: 41)
    #expect(!many.contains("<table class=\"matrix\"") && many.contains("41 classes are too many for a matrix"))
  }

  /// In a real browser, narrow and wide, light and dark: nothing is obeyed, nothing is wider than the window, every picture is
  /// there, and what scrolls is within reach of the keyboard.
  @Test(
    .enabled(if: Browser.path != nil, "no chromium is installed (Debian: chromium-headless-shell)"),
    arguments: [(10, 1280, false), (10, 400, true), (1000, 400, false)])
  func opensInABrowser(classes: Int, width: Int, isDark: Bool) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-report-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let look = try Browser.look(at: page(classes: classes), width: width, isDark: isDark, in: folder)
    #expect(look.title.hasPrefix("model<script>document.title"))
    #expect(look.width == width && look.scroll <= width, "\(look.scroll) pixels in a window of \(look.width)")
    #expect(look.images == 33 && look.broken == 0)
    #expect(look.scripts == 0 && look.loose == 0 && look.unreachable == 0)
    #expect(look.tables == (classes > 40 ? 6 : 7))
    #expect(look.background == (isDark ? "rgb(23, 25, 28)" : "rgb(253, 253, 252)"))
  }
}
