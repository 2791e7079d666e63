// pmae-finetune --task segment and pmae-evaluate segment against PyTorch's run (Fixtures/segment).

import Foundation
import TensorStream
import Testing

@Suite struct SegmentToolTests {
  private static let fixture = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/segment/"

  private func words() throws -> [String] {
    try String(contentsOfFile: Self.fixture + "options", encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @discardableResult
  private func finetune(_ more: [String], threads: Int = 2) throws -> ToolResult {
    let result = try ToolRunner.run(
      "pmae-finetune",
      try words() + ["--init", Self.fixture + "start.safetensors", "--threads", String(threads), "--quiet"] + more
        + [Self.fixture + "views.stz"])
    return result
  }

  private func lines(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  private func number(_ line: [String: Any], _ key: String) throws -> Double {
    try #require(line[key] as? NSNumber, "\(key)").doubleValue
  }

  /// Weights that no gradient reaches but rounding, which Adam makes into whole steps.
  private func isKnown(_ name: String) -> Bool {
    ![
      "pyramid.up4.0.bias", "pyramid.up4.3.bias", "pyramid.up2.bias", "pyramid.up4.1.running_mean",
      "head.lateral.0.1.running_mean", "head.lateral.1.1.running_mean",
    ].contains(name) && !name.hasSuffix("qkv.bias")
  }

  @Test func trainsAsTheOracleDoes() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try finetune(["--steps", "3", "--run", folder + "/run", "--output", folder + "/model.stz"])
      try #require(result.status == 0, "\(result.errors)")
      let expected = try readTensors(path: Self.fixture + "expected.safetensors")
      let metrics = try lines(try String(contentsOfFile: folder + "/run/metrics.jsonl", encoding: .utf8))
      #expect(metrics.count == 3)
      for key in ["loss", "loss_seg", "loss_aux", "lr"] {
        for (line, theirs) in zip(metrics, try #require(expected[key]).values(of: Float.self)) {
          #expect(abs(try number(line, key) - Double(theirs)) <= 1e-5 * max(abs(Double(theirs)), 1e-6), "\(key)")
        }
      }
      let final = try readTensors(path: Self.fixture + "final.safetensors")
      let mine = try readTensors(path: folder + "/run/checkpoint.stz", kinds: ["checkpoint"])
      for (name, tensor) in final.tensors where isKnown(name) {
        let found = try #require(mine[name], "\(name)")
        #expect(found.shape == tensor.shape, "\(name)")
        for (a, b) in zip(try found.values(of: Float.self), try tensor.values(of: Float.self)) {
          if abs(a - b) > 1e-5 { Issue.record("\(name): \(a), expected \(b)") }
        }
      }
      // The model is what the checkpoint holds, and pmae-evaluate reads it.
      let evaluated = try ToolRunner.run(
        "pmae-evaluate", ["segment", folder + "/model.stz", Self.fixture + "picture.stz", "--quiet"])
      #expect(evaluated.status == 0, "\(evaluated.errors)")
    }
  }

  @Test func aRunThatIsResumedEndsInTheSameBitsOnAnyThreads() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let look = [
        "--validate", Self.fixture + "picture.stz", "--validate-every", "2", "--tensorboard", folder + "/events",
      ]
      let run = ["--run", folder + "/run", "--output", folder + "/model.stz", "--overwrite"]
      // Draws of its own: those of the stream are left out by other widths.
      #expect(try finetune(run + look + ["--steps", "1"], threads: 1).status == 0)
      let resumed = try finetune(run + look + ["--steps", "3", "--resume"], threads: 2)
      try #require(resumed.status == 0, "\(resumed.errors)")
      #expect(
        try finetune(["--run", folder + "/whole", "--output", folder + "/other.stz", "--steps", "3"], threads: 3).status
          == 0)
      let (a, b) = (
        try readTensors(path: folder + "/run/checkpoint.stz", kinds: ["checkpoint"]),
        try readTensors(path: folder + "/whole/checkpoint.stz", kinds: ["checkpoint"])
      )
      #expect(a.tensors.map(\.name) == b.tensors.map(\.name))
      for (name, tensor) in a.tensors {
        let (mine, theirs) = (try tensor.values(of: Float.self), try #require(b[name]).values(of: Float.self))
        #expect(mine.map(\.bitPattern) == theirs.map(\.bitPattern), "\(name)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/events").count == 2)
      // Held-out figures at every second step and at the last, and they move nothing.
      let metrics = try lines(try String(contentsOfFile: folder + "/run/metrics.jsonl", encoding: .utf8))
      #expect(metrics.map { $0["mIoU"] != nil } == [true, true, true])
    }
  }

  @Test func predictsAsTheOracleDoes() throws {
    let expected = try readTensors(path: Self.fixture + "expected.safetensors")
    for (words, key) in [([], "test.figures"), (["--slide", "32", "--stride", "21"], "test.slide_figures")] {
      let result = try ToolRunner.run(
        "pmae-evaluate",
        ["segment", Self.fixture + "final.safetensors", Self.fixture + "picture.stz", "--resamples", "0", "--quiet"]
          + words)
      try #require(result.status == 0, "\(result.errors)")
      let line = try #require(try lines(result.text).first)
      for (name, theirs) in zip(["mIoU", "mAcc", "aAcc"], try #require(expected[key]).values(of: Double.self)) {
        #expect(abs(try number(line, name) - theirs) < 1e-9, "\(key) \(name)")
      }
    }
  }

  @Test func writesIdsAndOverlays() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let command = [
        "segment", Self.fixture + "final.safetensors", Self.fixture + "picture.stz", "--quiet", "--predictions",
        folder + "/ids", "--overlays", folder + "/colours",
      ]
      let result = try ToolRunner.run("pmae-evaluate", command)
      try #require(result.status == 0, "\(result.errors)")
      for part in ["ids", "colours"] {
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/" + part) == ["000000.png"])
      }
      let again = try ToolRunner.run("pmae-evaluate", command)
      #expect(again.status == 73 && again.errors.contains("/ids: holds 000000.png already"), "\(again.errors)")
    }
  }

  @Test(arguments: [
    (["--pool", "mean"], "--pool is an option of --task classify: it has no meaning with --task segment"),
    (["--mixup", "0.8"], "--mixup is an option of --task classify: it has no meaning with --task segment"),
    (["--accumulate", "3"], "--task segment normalises over the whole batch, so it has no parts"),
    (["--warmup-epochs", "1"], "--warmup-epochs: --task segment counts steps: --warmup-steps"),
    (["--batch", "1"], "--batch is 1: a pool of one pixel of one image has no variance"),
    (["--taps", "3,2,1,0"], "taps must be four blocks from 0 to 3 in order, not [3, 2, 1, 0]"),
    (["--task", "classify"], " is an option of --task segment: it has no meaning with --task classify"),
  ])
  func whatHasNoMeaningIsRefused(options: [String], message: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try finetune(options + ["--output", folder + "/model.stz"])
      #expect(result.status == 64 && result.errors.contains(message), "\(result.status): \(result.errors)")
    }
  }

  @Test func otherModelsAndViewsAreNamed() throws {
    let other = try ToolRunner.run(
      "pmae-evaluate", ["classify", Self.fixture + "final.safetensors", Self.fixture + "picture.stz"])
    #expect(
      other.status == 65 && other.errors.contains("a whole model of pmae-finetune --task segment, expected an encoder"),
      "\(other.errors)")
    let epochs = try ToolRunner.run(
      "pmae-evaluate", ["segment", Self.fixture + "final.safetensors", Self.fixture + "views.stz"])
    #expect(epochs.status == 65 && epochs.errors.contains("holds 10 epochs"), "\(epochs.errors)")
  }
}
