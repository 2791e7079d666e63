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

  /// To the same losses, as they are written, and to the same bits. What a decoder's first block computes of masked patches was added up in
  /// another order then, image by image: its weights before attention and the mask token agree but for rounding. The bias of keys has
  /// no gradient but what rounding leaves, which AdamW makes as large as any: it is not compared.
  @Test func aRunOfPretrainingGoesOn() throws {
    try withOldFiles { folder in
      let result = try ToolRunner.shell(
        "pmae-pretrain --quiet \(Self.tiny) --resume --output run views.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (mine, theirs) = try (tensors(folder + "/run/checkpoint.stz"), tensors(folder + "/whole/checkpoint.stz"))
      #expect(mine.keys == theirs.keys && theirs.count > 100)
      let reordered = ["decoder_blocks.0.norm1.", "decoder_blocks.0.attn.qkv.", "mask_token"].map { "decoder." + $0 }
      for (name, values) in theirs {
        let others = try #require(mine[name])
        guard reordered.contains(where: { name.contains($0) }) else {
          #expect(others.map(\.bitPattern) == values.map(\.bitPattern), "\(name)")
          continue
        }
        let third = values.count / 3
        let keys = name == "decoder.decoder_blocks.0.attn.qkv.bias" ? third..<2 * third : 0..<0
        let size = values.map(abs).max() ?? 0
        let isClose = values.indices.allSatisfy { keys.contains($0) || abs(others[$0] - values[$0]) <= 1e-6 * size }
        #expect(others.count == values.count && isClose, "\(name)")
      }
      let lines = try ["run", "whole"].map { name in
        try String(contentsOfFile: "\(folder)/\(name)/metrics.jsonl", encoding: .utf8).replacing(
          /,"images_per_second":[0-9.e+]*/, with: "")
      }
      #expect(lines[0] == lines[1])
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
