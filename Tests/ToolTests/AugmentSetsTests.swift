import Foundation
import TensorStream
import Testing

/// pmae-augment on several sets of pictures.
@Suite struct AugmentSetsTests {
  /// Pictures of 8 × 8 with their label and a level of their own, in records of seven.
  private func write(_ path: String, rows: Int, level: Int, classes: String?) throws {
    let writer = try StreamWriter(
      path: path, kind: "images", metadata: classes.map { ["classes": $0, "mean": "[0.5]", "std": "[0.25]"] } ?? [:])
    for start in stride(from: 0, to: rows, by: 7) {
      let part = start..<min(start + 7, rows)
      try writer.write([
        (
          "pixels",
          StoredTensor(part.flatMap { [UInt8](repeating: UInt8(level + $0), count: 64) }, shape: [part.count, 8, 8, 1])
        ),
        ("label", StoredTensor(part.map { Int32($0 % 2) }, shape: [part.count])),
      ])
    }
    try writer.finish()
  }

  private func withSets<R>(_ body: (String) throws -> R) throws -> R {
    try ToolRunner.withTemporaryFolder { folder in
      try write(folder + "/a.stz", rows: 40, level: 0, classes: #"["cat","dog"]"#)
      try write(folder + "/b.stz", rows: 20, level: 100, classes: #"["cat","dog"]"#)
      try write(folder + "/c.stz", rows: 20, level: 200, classes: #"["dog","eel"]"#)
      return try body(folder)
    }
  }

  private struct Views: Equatable {
    var index: [Int64] = []
    var label: [Int32] = []
    var pixels: [UInt8] = []
    var parameters: [Float] = []
  }

  private func views(_ path: String, recipe: String = "simple") throws -> (header: Record, views: Views) {
    let reader = try StreamReader(path: path)
    var views = Views()
    while let record = try reader.next() {
      views.index += try #require(record["index"]).values(of: Int64.self)
      views.label += try #require(record["label"]).values(of: Int32.self)
      views.pixels += try #require(record[recipe]).values(of: UInt8.self)
      views.parameters += try #require(record["\(recipe).parameters"]).values(of: Float.self)
    }
    return (reader.header, views)
  }

  private func run(_ arguments: String, in folder: String) throws {
    let result = try ToolRunner.shell("pmae-augment --quiet \(arguments)", in: folder)
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func shardsAreOneSet() throws {
    try withSets { folder in
      try run("a.stz b.stz --views center --output v.stz", in: folder)
      let (header, all) = try views(folder + "/v.stz", recipe: "center")
      #expect(header.metadata["rows_per_epoch"] == "60")
      #expect(header.metadata["classes"] == #"["cat","dog"]"#)
      #expect(header.metadata["mean"] == "[0.5,0.5,0.5]")
      #expect(all.index == (0..<60).map { Int64($0) })
      #expect(all.label == (0..<60).map { Int32($0 % 2) })
      let levels = stride(from: 0, to: all.pixels.count, by: 192).map { Int(all.pixels[$0]) }
      #expect(levels == Array(0..<40) + Array(100..<120))
      // As one file would give them.
      let made =
        try JSONSerialization.jsonObject(with: Data((header.metadata["made_from"] ?? "").utf8)) as? [[String: Any]]
      #expect(made?.compactMap { $0["name"] as? String } == ["a.stz", "b.stz"])
    }
  }

  @Test func weightsAreKeptInEveryEpoch() throws {
    try withSets { folder in
      try run("a.stz:1 b.stz:3 --epochs 3 --views simple --size 8 --output v.stz", in: folder)
      let all = try views(folder + "/v.stz").views
      #expect(all.index.count == 180)
      for epoch in 0..<3 {
        let own = all.index[(epoch * 60)..<((epoch + 1) * 60)]
        #expect(own.count { $0 < 40 } == 15)
        for row in 40..<60 { #expect((2...3).contains(own.count { $0 == row })) }
      }
      // A picture's repetitions in an epoch are different views.
      var seen: [Int64: Set<[Float]>] = [:]
      for (i, index) in all.index[..<60].enumerated() {
        seen[index, default: []].insert(Array(all.parameters[(i * 5)..<(i * 5 + 5)]))
      }
      #expect(seen.values.reduce(0) { $0 + $1.count } > 55)
      for (i, index) in all.index.enumerated() {
        #expect(all.pixels[i * 192] == UInt8(index < 40 ? index : index + 60) && all.label[i] == Int32(index % 2))
      }
    }
  }

  /// Also where the sets do not fit into memory.
  @Test(arguments: ["2G", "3K"])
  func theRestOfAWeightedStreamIsTheSame(memory: String) throws {
    try withSets { folder in
      let options =
        "a.stz:0.3 b.stz:0.7 --epochs 4 --size 8 --views simple --seed 5 --shuffle-memory \(memory) --rows-per-record 9"
      try run("\(options) --threads 1 --output whole.stz", in: folder)
      let whole = try views(folder + "/whole.stz").views
      for (epoch, row) in [(0, 31), (2, 0), (3, 59)] {
        try run("\(options) --threads 3 --from \(epoch):\(row) --overwrite --output rest.stz", in: folder)
        let rest = try views(folder + "/rest.stz").views
        let skipped = epoch * 60 + row
        #expect(rest.index == Array(whole.index[skipped...]))
        #expect(rest.pixels == Array(whole.pixels[(skipped * 192)...]))
        #expect(rest.parameters == Array(whole.parameters[(skipped * 5)...]))
      }
    }
  }

  /// Views of another order say so: a run that goes on compares it.
  @Test func viewsSayHowTheirRowsFollow() throws {
    try withSets { folder in
      for (options, order) in [
        ("a.stz", "whole"), ("a.stz --no-shuffle", "own"), ("a.stz --shuffle-memory 1K", "groups of 1024 bytes"),
        ("a.stz:1 b.stz:3", "whole, 15 + 45 of the sets"),
      ] {
        try run("\(options) --size 8 --overwrite --output v.stz", in: folder)
        #expect(try IndexedStream(path: folder + "/v.stz").header.metadata["order"] == order)
      }
    }
  }

  @Test func differentClassesAreRefusedOrMerged() throws {
    try withSets { folder in
      let refused = try ToolRunner.run("pmae-augment", ["a.stz", "c.stz", "--output", "v.stz"], in: folder)
      #expect(refused.status == 65)
      #expect(
        refused.errors.contains("c.stz: other classes than a.stz: 2 (\"dog\", \"eel\"), not 2"), "\(refused.errors)")
      try run("a.stz c.stz --merge-classes --views center --output v.stz", in: folder)
      let (header, all) = try views(folder + "/v.stz", recipe: "center")
      #expect(header.metadata["classes"] == #"["cat","dog","eel"]"#)
      #expect(all.label[..<4] == [0, 1, 0, 1])
      #expect(all.label[40..<44] == [1, 2, 1, 2])
    }
  }

  @Test func whatDoesNotGoTogetherSaysSo() throws {
    try withSets { folder in
      try write(folder + "/nameless.stz", rows: 3, level: 0, classes: nil)
      try StreamWriter.writeImages(folder + "/bare.stz")
      for (arguments, status, says) in [
        ("a.stz:1 b.stz", 64, "b.stz: has no weight"), ("a.stz:1 b.stz:0", 64, "b.stz:0: a weight of 0"),
        ("a.stz:1 b.stz:0.0001", 64, "b.stz: with its weight"), ("a.stz -", 64, "standard input can only"),
        ("a.stz nameless.stz", 65, "nameless.stz: names no classes"),
        ("a.stz nameless.stz --merge-classes", 65, "nameless.stz: names no classes"),
        ("nameless.stz bare.stz --output v.stz", 65, "bare.stz: record 1: no labels, unlike the first"),
        ("a.stz gone.stz", 66, "gone.stz"),
      ] {
        let result = try ToolRunner.shell("pmae-augment \(arguments) --quiet > /dev/null", in: folder)
        #expect(result.status == Int32(status) && result.errors.contains(says), "\(arguments): \(result.errors)")
      }
    }
  }
}

extension StreamWriter {
  /// Three pictures without labels.
  fileprivate static func writeImages(_ path: String) throws {
    let writer = try StreamWriter(path: path, kind: "images", metadata: [:])
    try writer.write([("pixels", StoredTensor([UInt8](repeating: 0, count: 192), shape: [3, 8, 8, 1]))])
    try writer.finish()
  }
}
