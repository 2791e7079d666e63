import Foundation
import Networks
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

@Suite struct LabelledViewsTests {
  private let encoder = EncoderConfiguration(image: 4, patch: 2, channels: 3, width: 8, depth: 1, heads: 2)

  /// Views of four pictures, row r's pixels all r.
  private func open(
    recipes: [String] = ["simple", "center"], label: [Int32]? = [0, 1, 2, 1], side: Int = 4, view: String? = nil,
    preferred: [String] = ["simple"], labels: LabelledViews.Labels = .below(3),
    encoder: EncoderConfiguration? = nil
  ) throws -> LabelledViews {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-views-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try StreamWriter(
      path: path, kind: "views",
      metadata: [
        "recipes": JSONText.encode(recipes), "mean": "[0,0,0]", "std": "[1,1,1]", "epochs": "1", "rows_per_epoch": "4",
        "classes": #"["a","b","c"]"#,
      ])
    var tensors: [NamedTensor] = recipes.enumerated().map { place, recipe in
      let pixels = (0..<4).flatMap { [UInt8](repeating: UInt8($0 + 10 * place), count: side * side * 3) }
      return (recipe, StoredTensor(pixels, shape: [4, side, side, 3]))
    }
    tensors.append(("index", StoredTensor([Int64](0..<4), shape: [4])))
    if let label { tensors.append(("label", StoredTensor(label, shape: [4]))) }
    try writer.write(tensors)
    try writer.finish()
    return try LabelledViews(
      StreamReader(path: path), view: view, preferred: preferred, encoder: encoder ?? self.encoder,
      normalisation: nil, labels: labels)
  }

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "no error"
  }

  @Test func theViewIsChosenByNameOrPreference() throws {
    #expect(try open().view == "simple")
    #expect(try open(preferred: ["center"]).take(1).images.pixels[0] == 10)
    #expect(try open(view: "center").view == "center")
    #expect(try open(recipes: ["odd"]).view == "odd")
    #expect(message { _ = try open(view: "complex") }.contains("has no view \"complex\", only simple, center"))
    #expect(message { _ = try open(preferred: []) }.contains("--view"))
  }

  @Test func normalisationIsOfTheChannels() throws {
    #expect(message { try Normalisation(mean: [0], std: [1]).require(channels: 1, source: "a") } == "no error")
    for (mean, std, text) in [
      ([0.0], [1.0], "a: mean and std are of 1 channel: expected 3"), ([0, 0], [1], "expected as many finite values"),
      ([0, .nan, 0], [1, 1, 1], "finite"), ([0, 0, 0], [1, -1, 1], "std 0 or more"),
    ] {
      #expect(message { try Normalisation(mean: mean, std: std).require(channels: 3, source: "a") }.contains(text))
    }
  }

  @Test func labelsAreThereAndInRange() throws {
    #expect(try open().take(4).labels == [0, 1, 2, 1])
    #expect(message { _ = try open(label: nil).take(1) }.contains("no labels"))
    #expect(message { _ = try open(label: [0, 1, 3, 1]).take(4) }.contains("row 2: the label is 3, expected 0 to 2"))
    #expect(message { _ = try open(label: [0, -1, 0, 1]).take(4) }.contains("row 1: the label is -1, expected 0 to 2"))
    #expect(message { _ = try open(label: [0, -1, 0, 1], labels: .known).take(4) }.contains("0 or more"))
    #expect(try open(label: nil, labels: .optional).take(4).labels == [])
    #expect(try open(label: [7, -1, 0, 1], labels: .optional).take(4).labels == [7, -1, 0, 1])
  }

  @Test func sizesMustFitTheModel() throws {
    #expect(message { _ = try open(side: 6).take(1) }.contains("expected U8 [4, 4, 4, 3]"))
    var grey = encoder
    grey.channels = 1
    #expect(message { _ = try open(encoder: grey) }.contains("views of 3 channels, but the model takes 1"))
  }

  /// Names stay with their rows where batches are cut across records, one of which is without.
  @Test func namesStayWithTheirRows() throws {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-views-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    func open(without: Set<Int>) throws -> LabelledViews {
      let writer = try StreamWriter(
        path: path, kind: "views",
        metadata: [
          "recipes": #"["center"]"#, "mean": "[0,0,0]", "std": "[1,1,1]", "epochs": "1", "rows_per_epoch": "9",
        ], overwrite: true)
      for record in 0..<3 {
        var names = RowNames()
        for row in 0..<3 { names.append(Array("\(record)/\(row)".utf8)) }
        let pixels = StoredTensor([UInt8](repeating: 9, count: 3 * 48), shape: [3, 4, 4, 3])
        try writer.write([("center", pixels)] + (without.contains(record) ? [] : names.tensors))
      }
      try writer.finish()
      return try LabelledViews(
        StreamReader(path: path), preferred: [], encoder: encoder, normalisation: nil, labels: .optional)
    }
    func names(_ views: LabelledViews) throws -> [[String?]?] {
      try [2, 5, 2].map { count in
        try views.take(count).names.map { names in (0..<names.count).map { names.known($0) } }
      }
    }
    #expect(
      try names(open(without: []))
        == [["0/0", "0/1"], ["0/2", "1/0", "1/1", "1/2", "2/0"], ["2/1", "2/2"]])
    #expect(try names(open(without: [0])) == [nil, [nil, "1/0", "1/1", "1/2", "2/0"], ["2/1", "2/2"]])
    #expect(try names(open(without: [1])) == [["0/0", "0/1"], ["0/2", nil, nil, nil, "2/0"], ["2/1", "2/2"]])
    #expect(try names(open(without: [0, 1, 2])) == [nil, nil, nil])
  }
}
