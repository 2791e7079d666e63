import Foundation
import TensorStream
import Testing

@Suite struct PixelFeatureTests {
  private func writeViews(_ path: String) throws {
    try TaskFiles.writeViews(path) { metadata, _ in metadata["size"] = "20" }
  }

  /// From the definition: a channel after the other, (pixel / 255 − mean) / deviation, of the views' own statistics.
  @Test func pixelsAreFeatures() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeViews(folder + "/views.stz")
      let result = try ToolRunner.run(
        "pmae-evaluate", ["embed", "--quiet", "--pixels", "--output", "f.stz", "views.stz"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let reader = try StreamReader(path: folder + "/f.stz", kinds: ["features"])
      #expect(reader.header.metadata["pool"] == "pixels" && reader.header.metadata["width"] == "1200")
      let record = try #require(try reader.next())
      let values = try #require(record["features"]).values(of: Float.self)
      let views = try StreamReader(path: folder + "/views.stz")
      func statistics(_ key: String) throws -> [Double] {
        try JSONDecoder().decode([Double].self, from: Data((views.header.metadata[key] ?? "").utf8))
      }
      let (mean, std) = (try statistics("mean"), try statistics("std"))
      let rows = try #require(try views.next())
      let pixels = try #require(rows["simple"]).values(of: UInt8.self)
      #expect(values.count == pixels.count)
      for image in [0, 23] {
        for (c, y, x) in [(0, 0, 0), (1, 0, 1), (2, 19, 18), (0, 7, 3)] {
          let pixel = pixels[((image * 20 + y) * 20 + x) * 3 + c]
          let expected = (Double(pixel) / 255 - mean[c]) / std[c]
          #expect(abs(Double(values[((image * 3 + c) * 20 + y) * 20 + x]) - expected) < 1e-5)
        }
      }
      #expect(
        try #require(record["label"]).values(of: Int32.self) == #require(rows["label"]).values(of: Int32.self))
    }
  }

  /// Features that were computed once give what the encoder gives, or the pixels; each is scaled alike.
  @Test func featuresServeInPlaceOfAnEncoder() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeViews(folder + "/views.stz")
      let result = try ToolRunner.shell(
        """
        pmae-export --quiet --output encoder.stz "\(TaskFiles.checkpoint)"
        pmae-evaluate embed --quiet --output e.stz encoder.stz views.stz
        pmae-evaluate embed --quiet --pixels <views.stz >p.stz
        for scaling in "" --standardise; do
          pmae-evaluate knn --quiet $scaling --k 3 encoder.stz views.stz views.stz
          pmae-evaluate knn --quiet $scaling --k 3 e.stz - <e.stz
          pmae-evaluate knn --quiet $scaling --k 3 --pixels views.stz views.stz
          pmae-evaluate knn --quiet $scaling --k 3 --threads 1 p.stz p.stz
        done
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = try TaskFiles.lines(result.text)
      try #require(lines.count == 8)
      #expect(lines.compactMap { $0["encoder"] as? String }.prefix(4) == ["encoder.stz", "e.stz", "pixels", "p.stz"])
      #expect(lines.compactMap { $0["pool"] as? String }.prefix(4) == ["class", "class", "pixels", "pixels"])
      #expect(
        lines.compactMap { $0["scaling"] as? String } == ["none", "none", "none", "none"]
          + Array(repeating: "standardised", count: 4))
      for pair in stride(from: 0, to: 8, by: 2) {
        for key in ["top1", "top5", "k", "train_images", "images"] {
          #expect(lines[pair][key] as? Double == lines[pair + 1][key] as? Double, "\(key)")
        }
      }
    }
  }

  @Test(arguments: [
    ("knn --pixels encoder.stz views.stz views.stz", 64, "expected <train> <test>"),
    ("knn views.stz", 64, "expected <encoder> <train> <test>, or <train> <test> alone where they are features"),
    ("knn views.stz views.stz", 64, "views.stz: holds views: name an encoder before it, or use --pixels"),
    ("knn --pixels --pool mean views.stz views.stz", 64, "--pool is of an encoder, and --pixels has none"),
    ("knn --view center p.stz p.stz", 64, "--view is of an encoder or of views, and none is named"),
    ("knn p.stz e.stz", 65, "e.stz: features of width 12, pool class, but those of p.stz are of width 1200"),
    ("knn e.stz t.stz", 65, "t.stz: made by another encoder than those of e.stz"),
    ("knn --pixels views.stz sizeless.stz", 65, "sizeless.stz: the views have no \"size\""),
    ("knn nolabel.stz e.stz", 65, "nolabel.stz: no labels: the features have no \"label\""),
    ("knn cut.stz e.stz", 65, "cut.stz"),
    ("knn nan.stz e.stz", 65, "nan.stz: row 1: a feature is nan, expected a number"),
    ("embed", 64, "expected <encoder> <views>"),
    ("embed --pixels views.stz views.stz", 64, "expected <views>"),
    ("embed --pixels e.stz", 65, "e.stz"),
  ])
  func badInput(_ arguments: String, status: Int32, message: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      try writeViews(folder + "/views.stz")
      try TaskFiles.writeViews(folder + "/sizeless.stz")
      for (name, labels, bad) in [("nolabel", false, Float(1)), ("nan", true, .nan)] {
        let writer = try StreamWriter(
          path: "\(folder)/\(name).stz", kind: "features", metadata: ["width": "2", "pool": "class"])
        var tensors: [NamedTensor] = [("features", StoredTensor([1, 2, 3, bad], shape: [2, 2]))]
        if labels { tensors.append(("label", StoredTensor([Int32](0..<2), shape: [2]))) }
        try writer.write(tensors)
        try writer.finish()
      }
      let prepared = try ToolRunner.shell(
        """
        pmae-export --quiet --output encoder.stz "\(TaskFiles.checkpoint)"
        pmae-export --quiet --part labelling-teacher --output teacher.stz "\(TaskFiles.checkpoint)"
        pmae-evaluate embed --quiet --output e.stz encoder.stz views.stz
        pmae-evaluate embed --quiet --output t.stz teacher.stz views.stz
        pmae-evaluate embed --quiet --pixels --output p.stz views.stz
        head -c 3000 p.stz >cut.stz
        """, in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let result = try ToolRunner.run(
        "pmae-evaluate", arguments.split(separator: " ").map(String.init), in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(result.output.isEmpty)
    }
  }
}
