import Foundation
import TensorStream
import Testing

/// Files of earlier versions open, and runs go on as they would have; files of later ones are refused by their version.
@Suite struct OlderFilesTests {
  private static let tiny =
    "--image 14 --patch 7 --width 8 --depth 1 --heads 2 --decoder-width 8 --decoder-depth 1 --decoder-heads 2 "
    + "--head-hidden 8 --head-bottleneck 4 --prototypes 8 --batch 4"

  private func withOldFiles(_ body: (String) throws -> Void) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let before = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/before"
      #expect(try ToolRunner.run("/bin/cp", ["-r", before + "/.", folder]).status == 0)
      try body(folder)
    }
  }

  private func tensors(_ path: String) throws -> [String: [Float]] {
    try Dictionary(
      uniqueKeysWithValues: readTensors(path: path).tensors.map { ($0.name, try $0.tensor.values(of: Float.self)) })
  }

  @Test func everyKindOfFileOpens() throws {
    try withOldFiles { folder in
      let result = try ToolRunner.shell(
        """
        pmae-inspect --check images.stz views.stz run/checkpoint.stz encoder.stz
        pmae-augment --quiet --size 14 --views center --output center.stz images.stz
        pmae-evaluate knn --quiet --k 1 encoder.stz center.stz center.stz
        pmae-export --quiet run --output again.stz
        pmae-inspect --curves run run.svg
        pmae-inspect --look run views.stz look.jpg
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("\"k\":1,"))
    }
  }

  /// To the same losses and weights but for rounding: the files were made with AVX-512, whose sums are in another order than AVX2's, and
  /// what a decoder's first block computes of masked patches was added up image by image then. The bias of keys has no gradient but
  /// what rounding leaves, which AdamW makes as large as any: it is not compared.
  @Test func aRunOfPretrainingGoesOn() throws {
    try withOldFiles { folder in
      let result = try ToolRunner.shell(
        "pmae-pretrain --quiet \(Self.tiny) --resume --output run views.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (mine, theirs) = try (tensors(folder + "/run/checkpoint.stz"), tensors(folder + "/whole/checkpoint.stz"))
      #expect(mine.keys == theirs.keys && theirs.count > 100)
      for (name, values) in theirs {
        let others = try #require(mine[name])
        let third = values.count / 3
        let keys = name.hasSuffix("attn.qkv.bias") ? third..<2 * third : 0..<0
        let size = values.map(abs).max() ?? 0
        let worst = values.indices.filter { !keys.contains($0) }.map { abs(others[$0] - values[$0]) }.max() ?? 0
        #expect(others.count == values.count && worst <= 1e-5 * size, "\(name) differs by \(worst) of \(size)")
      }
      let lines = try ["run", "whole"].map { name in
        try String(contentsOfFile: "\(folder)/\(name)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
          try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Double])
        }
      }
      #expect(lines[0].count == lines[1].count)
      for (mine, theirs) in zip(lines[0], lines[1]) {
        #expect(mine.keys == theirs.keys)
        for (name, value) in theirs where name != "images_per_second" {
          let other = try #require(mine[name])
          #expect(abs(other - value) <= 1e-5 * abs(value), "\(name) is \(other), expected \(value)")
        }
      }
    }
  }

  @Test func aRunOfFinetuningGoesOn() throws {
    try withOldFiles { folder in
      let result = try ToolRunner.shell(
        """
        pmae-finetune --init encoder.stz --view simple --batch 4 --epochs 2 --warmup-epochs 0.2 \\
          --run tuned --resume --output tuned.stz views.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("tuned: continues after step 2"))
      #expect(try readTensors(path: folder + "/tuned/checkpoint.stz").metadata["step"] == "4")
    }
  }

  /// The version is that of the configuration inside.
  @Test func aNewerVersionIsRefusedWithBothNumbers() throws {
    try withOldFiles { folder in
      for (name, command) in [
        ("run", "pmae-pretrain --quiet \(Self.tiny) --resume --output run views.stz"),
        ("run", "pmae-export --quiet run --output e.stz"),
        ("tuned", "pmae-finetune --quiet --init encoder.stz --view simple --batch 4 --run tuned --resume views.stz >m"),
      ] {
        let path = "\(folder)/\(name)/checkpoint.stz"
        let old = try readTensors(path: path)
        var metadata = old.metadata
        metadata["config"] = old.metadata["config"]?.replacing(
          "{", with: "{\"version\":99,", maxReplacements: 1)
        try StreamWriter.writeOneRecord(
          path: path, kind: "checkpoint", metadata: metadata, tensors: old.tensors, overwrite: true)
        let result = try ToolRunner.shell(command, in: folder)
        #expect(result.status == 65, "\(command)")
        #expect(
          result.errors.contains("is of version 99, and this program knows versions up to 2"), "\(result.errors)")
      }
    }
  }
}
