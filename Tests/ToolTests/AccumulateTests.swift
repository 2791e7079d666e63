import Foundation
import TensorStream
import Testing

/// --accumulate of the built trainers: the same run in less memory.
struct AccumulateTests {
  /// Two epochs of 64 pictures of noise, 32 × 32, with labels: a record an epoch.
  private func writeViews(_ path: String) throws {
    let writer = try StreamWriter(
      path: path, kind: "views",
      metadata: [
        "recipes": #"["simple"]"#, "mean": "[0.5,0.5,0.5]", "std": "[0.2,0.2,0.2]", "epochs": "2",
        "rows_per_epoch": "64", "classes": #"["even","odd"]"#,
      ])
    var noise: UInt64 = 1
    for _ in 0..<2 {
      let pixels = (0..<64 * 32 * 32 * 3).map { _ in
        noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(noise >> 56)
      }
      try writer.write([
        ("simple", StoredTensor(pixels, shape: [64, 32, 32, 3])),
        ("index", StoredTensor((0..<64).map(Int64.init), shape: [64])),
        ("label", StoredTensor((0..<64).map { Int32($0 % 2) }, shape: [64])),
      ])
    }
    try writer.finish()
  }

  /// Runs a trainer on the first epoch and half of the second, so that it waits for more after the step that is one batch,
  /// and asks the system how much memory it had at most.
  private func peaks(_ trainer: String, metrics: String, in folder: String) throws -> [(kilobytes: Int, loss: Double)] {
    try writeViews(folder + "/views.stz")
    return try ["1", "4", "16"].map { parts in
      let result = try ToolRunner.shell(
        """
        size=$(wc -c <views.stz)
        mkfifo pipe\(parts)
        \(trainer) --quiet --threads 1 --batch 64 --accumulate \(parts) --output out\(parts) pipe\(parts) 2>errors & tool=$!
        exec 3>pipe\(parts)
        head -c $((size * 3 / 4)) views.stz >&3
        for i in $(seq 600); do
          if test -s \(metrics) || ! kill -0 $tool; then break; fi
          sleep 0.1
        done
        sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB$/\\1/p' /proc/$tool/status
        exec 3>&-
        if wait $tool; then exit 1; fi
        grep -q 'without an end record\\|ends' errors
        cat \(metrics)
        rm \(metrics)
        """, in: folder)
      #expect(result.status == 0, "\(result.errors) \(result.text)")
      let lines = result.text.split(separator: "\n", maxSplits: 1).map(String.init)
      let kilobytes = try #require(lines.first.flatMap { Int($0) }, "\(result.text)")
      let step = try #require(try TaskFiles.lines(lines.last ?? "").first)
      return (kilobytes, try #require(step["loss"] as? Double))
    }
  }

  private func check(_ peaks: [(kilobytes: Int, loss: Double)]) {
    for peak in peaks { #expect(abs(peak.loss - peaks[0].loss) <= 1e-6 * peaks[0].loss, "\(peaks)") }
    #expect(peaks[1].kilobytes < peaks[0].kilobytes * 3 / 4, "\(peaks)")
    #expect(peaks[2].kilobytes < peaks[1].kilobytes, "\(peaks)")
  }

  @Test func pretrainingTakesLessMemory() throws {
    try ToolRunner.withTemporaryFolder { folder in
      check(
        try peaks(
          """
          pmae-pretrain --label-view simple --image 32 --patch 4 --width 64 --depth 2 --heads 2 --decoder-width 64 \
          --decoder-depth 2 --decoder-heads 2 --head-hidden 64 --head-bottleneck 16 --prototypes 16 --overwrite
          """, metrics: "out*/metrics.jsonl", in: folder))
    }
  }

  @Test func finetuningTakesLessMemory() throws {
    try ToolRunner.withTemporaryFolder { folder in
      check(
        try peaks(
          """
          pmae-finetune --image 32 --patch 4 --width 64 --depth 4 --heads 2 --metrics steps.jsonl
          """, metrics: "steps.jsonl", in: folder))
    }
  }
}
