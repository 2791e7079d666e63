import Foundation
import TensorStream
import Testing

/// Parts of a set that jobs work on, and what is joined of them: as if one job had done all.
@Suite struct SetPartTests {
  @Test(arguments: ["", "--shuffle --seed 4 --limit 11", "--per-class 2"]) func packsAPart(choice: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet \(choice) --output all.stz photos
        for i in 0 1 2; do pmae-pack --quiet \(choice) --part $i/3 --output part$i.stz photos; done
        """, in: folder)
      try #require(result.status == 0, "\(result.errors)")
      let all = try PackedImages(folder + "/all.stz")
      let parts = try (0..<3).map { try PackedImages("\(folder)/part\($0).stz") }
      #expect(parts.allSatisfy { !$0.pictures.isEmpty })
      #expect(parts.flatMap(\.pictures) == all.pictures)
      #expect(parts.flatMap { $0.labels ?? [] } == all.labels)
      #expect(parts.flatMap { $0.names ?? [] } == all.names)
      #expect(try parts.allSatisfy { try $0.classes == all.classes })
    }
  }

  @Test func shardsOfAPartAreShards() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --output all.stz photos
        for i in 0 1; do pmae-pack --quiet --part $i/2 --shard-size 2K --output part$i-%02d.stz photos; done
        pmae-pack --quiet --part 1/2 --shard-size 2K --resume --output part1-%02d.stz photos
        ls part*.stz
        """, in: folder)
      try #require(result.status == 0, "\(result.errors)")
      let names = result.text.split(separator: "\n")
      #expect(names.count > 2)
      let all = try PackedImages(folder + "/all.stz")
      #expect(try names.flatMap { try PackedImages("\(folder)/\($0)").pictures } == all.pictures)
    }
  }

  /// `views.stz` with more views than are computed at a time, and `queries.stz`.
  private func prepared(_ body: (String) throws -> Void) throws {
    try ExampleFiles.withCopy { folder in
      let rows = Array(repeating: "images.stz", count: 4).joined(separator: " ")
      let queries = Array(repeating: "test.stz", count: 40).joined(separator: " ")
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --views center --size 28 --output bank.stz \(rows)
        pmae-augment --quiet --views center --size 28 --output queries.stz \(queries)
        """, in: folder)
      try #require(result.status == 0, "\(result.errors)")
      try body(folder)
    }
  }

  private func features(_ path: String) throws -> [String: [UInt8]] {
    let reader = try StreamReader(path: path, kinds: ["features"])
    var found: [String: [UInt8]] = [:]
    while let record = try reader.next() {
      for (name, tensor) in record.tensors where !name.hasPrefix("name.offsets") {
        tensor.withUnsafeBytes { found[name, default: []] += $0 }
      }
    }
    return found
  }

  @Test func featuresOfPartsAreJoined() throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        pmae-evaluate embed --quiet --output all.stz encoder.stz queries.stz
        for i in 0 1 2; do
          pmae-evaluate embed --quiet --part $i/3 --output part$i.stz encoder.stz queries.stz
          # A writer whose reader goes early is broken off.
          (cat queries.stz || echo broken >&2) | pmae-evaluate embed --quiet --part $i/3 --output piped$i.stz encoder.stz -
        done
        pmae-evaluate join --quiet --output joined.stz part2.stz part0.stz part1.stz
        pmae-evaluate join --quiet --output again.stz piped1.stz piped0.stz piped2.stz
        pmae-evaluate knn --quiet --resamples 0 --k 3 all.stz joined.stz >knn.json
        """, in: folder)
      try #require(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
      let all = try features(folder + "/all.stz")
      #expect(all.keys.contains("features") && all.keys.contains("label") && all.keys.contains("index"))
      #expect(try features(folder + "/joined.stz") == all)
      #expect(try features(folder + "/again.stz") == all)
    }
  }

  /// Of sets of their own, each packed and embedded apart, the numbers of pictures are counted on.
  @Test func setsAreCountedOn() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --views center --size 28 images.stz images.stz | pmae-evaluate embed --quiet encoder.stz >all.stz
        pmae-augment --quiet --views center --size 28 images.stz | pmae-evaluate embed --quiet encoder.stz >one.stz
        pmae-evaluate join --quiet one.stz one.stz >joined.stz
        """, in: folder)
      try #require(result.status == 0, "\(result.errors)")
      #expect(try features(folder + "/joined.stz")["index"] == features(folder + "/all.stz")["index"])
      #expect(try features(folder + "/joined.stz")["label"] == features(folder + "/all.stz")["label"])
    }
  }

  @Test(arguments: ["", "--standardise --labels-per-class 5 --seed 3 --resamples 50", "--pixels --k 1,5 --resamples 0"])
  func neighboursOfPartsAreJoined(options: String) throws {
    try prepared { folder in
      let encoder = options.contains("--pixels") ? "" : "encoder.stz"
      let result = try ToolRunner.shell(
        """
        pmae-evaluate knn --quiet \(options) \(encoder) bank.stz queries.stz >all.json
        for i in 0 1 2; do
          pmae-evaluate knn --quiet \(options) --part $i/3 \(encoder) bank.stz queries.stz >part$i.json
        done
        pmae-evaluate join part1.json part2.json part0.json >joined.json
        cmp all.json joined.json
        """, in: folder)
      #expect(result.status == 0, "\(result.text) \(result.errors)")
    }
  }

  @Test(arguments: [
    ("embed --part 3/3 encoder.stz queries.stz", 64, "--part is 3/3: expected NUMBER/PARTS"),
    ("embed --part 1/99 encoder.stz queries.stz", 65, "is empty: expected at most"),
    ("join --output j.stz part0.stz", 65, "part0.stz: is one of 2 parts, of which 1/2 is missing"),
    ("join --output j.stz part0.stz part0.stz", 65, "part0.stz: is part 0/2, as is part0.stz"),
    ("join --output j.stz part0.stz whole.stz", 65, "whole.stz: is no part, but part0.stz is one of 2 parts"),
    ("join --output j.stz part0.stz wide.stz", 65, "wide.stz: features of width 2352"),
    ("join --output j.stz views.stz", 65, "views.stz: record 0: holds \"views\", expected features"),
    ("join nothing.stz", 66, "nothing.stz"),
    ("join part0.json", 65, "part0.json: is one of 2 parts, of which 1/2 is missing"),
    ("join part0.json other1.json", 65, "other1.json: is not of the measurement that part0.json is of"),
    ("join whole.json", 65, "whole.json: line 1: expected what pmae-evaluate knn --part writes"),
    ("knn --k 3 part0.stz whole.stz", 65, "part0.stz: is part 0/2 of a set: pmae-evaluate join"),
  ])
  func whatCannotBeIsAnError(command: String, status: Int32, message: String) throws {
    try prepared { folder in
      let made = try ToolRunner.shell(
        """
        pmae-evaluate embed --quiet --output whole.stz encoder.stz queries.stz
        pmae-evaluate embed --quiet --part 0/2 --output part0.stz encoder.stz queries.stz
        pmae-evaluate embed --quiet --part 1/2 --pixels --output wide.stz queries.stz
        pmae-evaluate knn --quiet --resamples 0 --k 3 --part 0/2 whole.stz whole.stz >part0.json
        pmae-evaluate knn --quiet --resamples 0 --k 4 --part 1/2 whole.stz whole.stz >other1.json
        pmae-evaluate knn --quiet --resamples 0 --k 3 whole.stz whole.stz >whole.json
        """, in: folder)
      try #require(made.status == 0, "\(made.errors)")
      let words = command.split(separator: " ").map(String.init)
      let result = try ToolRunner.run("pmae-evaluate", words, in: folder)
      #expect(result.status == status && result.errors.contains(message), "\(result.status) \(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/j.stz"))
    }
  }
}
