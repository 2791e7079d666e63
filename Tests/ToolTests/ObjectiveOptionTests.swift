import Foundation
import TensorStream
import Testing

/// An objective's options are its own, and what a run goes on with must be what it began with.
@Suite struct ObjectiveOptionTests {
  private static let tiny =
    "--image 28 --patch 7 --width 8 --depth 1 --heads 2 --decoder-width 8 --decoder-depth 1 --decoder-heads 2 --batch 8"

  @Test(arguments: [
    (
      "--objective mae --lambda-m 2",
      "--lambda-m is an option of --objective pseudo-mae: it has no meaning with --objective mae"
    ),
    ("--prototypes 8 --objective=mae", "--prototypes is an option of --objective pseudo-mae"),
    (
      "--preset imagenet-vit-base-300 --objective mae",
      ", which the preset sets, is an option of --objective pseudo-mae"
    ),
    ("--objective dinosaur", "--objective is dinosaur: expected one of pseudo-mae, mae"),
    ("--mask-ratio", "Missing value for '--mask-ratio <mask-ratio>'"),
    ("--mask-ratio much", "--mask-ratio is much: expected a number"),
    ("--match best", "--match is best: expected one of nearest, position"),
    ("--label-folds 2.5", "--label-folds is 2.5: expected a number"),
    ("--mask-ratio -1", "mask-ratio must be between 0 and 1, not -1"),
    ("--lr 1e-3 --base-lr 2.666e-4", "--lr and --base-lr exclude each other"),
    ("--lr -1", "lr must be 0 or more, not -1"),
    ("--teacher-temperature-start 0.03", "--teacher-temperature-start needs --teacher-temperature-epochs"),
    ("--output ''", "the run folder has an empty name"),
    ("--lamda-m 1", "Unknown option '--lamda-m'"),
  ])
  func whatAnObjectiveDoesNotKnowIsAUsageError(options: String, message: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell("pmae-pretrain --output run \(options) </dev/null", in: folder)
      #expect(result.status == 64, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }

  /// The last of an option that comes twice counts, and a preset's is before all.
  @Test func theLastOptionCounts() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pretrain --quiet --preset mae-vit-base-800 \(Self.tiny) --lr 1e-3 --mask-ratio 0.6 --mask-ratio=0.5 \\
          --epochs 2 --warmup-epochs 1 --steps 1 --output mae views.stz
        cat mae/config.json
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
      #expect(object["maskRatio"] as? Double == 0.5 && object["objective"] as? String == "mae")
      #expect(object["lambdaM"] == nil && object["version"] as? Int == 2)
    }
  }

  /// A warm-up longer than the default run is for the views to allow.
  @Test func theWarmupIsHeldAgainstTheViews() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --size 28 --epochs 400 images.stz |
          pmae-pretrain --quiet \(Self.tiny) --head-hidden 8 --head-bottleneck 4 --prototypes 8 --warmup-epochs 350 \\
            --steps 1 --output out - || echo failed
        grep -c '"warmupEpochs" : 350' out/config.json
        pmae-pretrain --quiet \(Self.tiny) --warmup-epochs 350 --output other views.stz || echo $?
        """, in: folder)
      #expect(result.text == "1\n64\n", "\(result.text)\(result.errors)")
      #expect(result.errors.contains("warmup-epochs 350.0 are more than the 2 epochs"), "\(result.errors)")
    }
  }

  /// Views of another seed, other recipes or another order end in other bits: each is named, and the run stays as it was.
  @Test func otherViewsAreNamed() throws {
    try ExampleFiles.withCopy { folder in
      let train = "pmae-pretrain --quiet \(Self.tiny) --objective mae --output out"
      let begun = try ToolRunner.shell("\(train) --steps 7 views.stz", in: folder)
      #expect(begun.status == 0, "\(begun.errors)")
      let before = try Data(contentsOf: URL(fileURLWithPath: folder + "/out/checkpoint.stz"))
      for (views, message) in [
        ("--seed 9", "seed of the views 9, not 0"),
        ("--view 'name=simple: crop 0.5-1'", "recipe simple of the views"),
        ("--shuffle-memory 10k", "order of the views"),
        ("--mean 0.1 --std 0.2", "mean of the views"),
      ] {
        let result = try ToolRunner.shell(
          "pmae-augment --quiet --size 28 --epochs 2 \(views) images.stz | \(train) --resume -", in: folder)
        #expect(result.status == 65, "\(views): \(result.errors)")
        #expect(result.errors.contains(message), "\(views): \(result.errors)")
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/out/checkpoint.stz")) == before)
      let same = try ToolRunner.shell(
        "pmae-augment --quiet --size 28 --epochs 2 images.stz --resume out | \(train) --resume -", in: folder)
      #expect(same.status == 0, "\(same.errors)")
    }
  }

  /// So many steps need views for these alone.
  @Test func finetuningNeedsViewsForItsStepsAlone() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        "pmae-finetune --quiet --init encoder.stz --epochs 9 --batch 16 --steps 4 --output m.stz views.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let more = try ToolRunner.shell(
        "pmae-finetune --quiet --init encoder.stz --epochs 9 --batch 16 --steps 7 --output n.stz views.stz", in: folder)
      #expect(more.status == 65 && more.errors.contains("holds epochs 0 to 1, but the run needs epochs 0 to 2"))
    }
  }

  /// A probe that was killed goes on to the bits of one that was not.
  @Test func aProbeResumes() throws {
    try ExampleFiles.withCopy { folder in
      let probe =
        "pmae-finetune --quiet --init encoder.stz --mode linear --epochs 20 --batch 4 --checkpoint-every 3"
      let result = try ToolRunner.shell(
        """
        \(probe) --run whole --output whole.stz center.stz
        \(probe) --run out --output first.stz --steps 31 center.stz
        \(probe) --run out --resume --output rest.stz center.stz
        sed 's/,"images_per.*//' whole/metrics.jsonl >a; sed 's/,"images_per.*//' out/metrics.jsonl >b; cmp a b
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      func weights(_ name: String) throws -> [[Float]] {
        let record = try readTensors(path: "\(folder)/\(name).stz")
        return try ["head.weight", "head.bias"].map { try #require(record[$0]).values(of: Float.self) }
      }
      #expect(try weights("whole") == weights("rest"))
      #expect(try weights("whole") != weights("first"))
    }
  }
}
