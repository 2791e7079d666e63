import Foundation
import TensorStream
import Testing

/// What pmae-pretrain tells of a run, its presets, and the ramps of its labels.
struct WatchTests {
  @Test func theFiguresOfHealthAreInTheMetrics() throws {
    try ToolRunner.withTemporaryFolder { folder in
      for (name, has) in [("default", true), ("mae", false)] {
        var first: [[Double]]?
        for threads in ["1", "3"] {
          let run = "\(folder)/\(name)\(threads)"
          let result = try PretrainTests.pretrain(name, run, ["--threads", threads])
          #expect(result.status == 0, "\(result.errors)")
          let figures = try PretrainTests.metrics(run).map { step in
            ["entropy_c", "entropy_p", "used_c", "used_p", "cosine_teacher"].compactMap { step[$0] as? Double }
          }
          #expect(figures.allSatisfy { $0.count == (has ? 5 : 0) && $0.allSatisfy { abs($0) <= 1 } })
          #expect(figures == first ?? figures)
          first = first ?? figures
        }
      }
    }
  }

  /// Also in two sittings: each has a file, and the second one begins after the first's steps.
  @Test func tensorBoardsFilesHoldTheMetrics() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let events = folder + "/events"
      for steps in ["2", "4"] {
        let result = try PretrainTests.pretrain(
          "default", folder + "/run", ["--resume", "--steps", steps, "--tensorboard", events])
        #expect(result.status == 0, "\(result.errors)")
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: events).sorted()
      #expect(files.count == 2)
      var steps: [Int] = []
      for file in files {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(events)/\(file)")))
        // Records by their lengths; of a record of scalars the step is the byte after the time's nine and its own tag.
        var at = 0
        while at < bytes.count {
          let length = bytes[at..<at + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
          let data = Array(bytes[at + 12..<at + 12 + length])
          if data.count > 12, data[9] == 0x10, data[11] == 0x2A { steps.append(Int(data[10])) }
          at += 16 + length
        }
        #expect(at == bytes.count)
      }
      #expect(steps == [1, 2, 3, 4])
    }
  }

  private static let tiny =
    "--image 28 --patch 7 --width 8 --depth 1 --heads 1 --decoder-width 8 --decoder-depth 1 --decoder-heads 1 "
    + "--head-hidden 8 --head-bottleneck 4 --prototypes 8 --batch 2"

  /// At a temperature of 100 all labels are uniform. Epochs have ten steps, and the first hundred steps are not looked at.
  @Test func aCollapseIsToldOfOnceAnEpoch() throws {
    try ExampleFiles.withCopy { folder in
      for (options, count) in [("", 2), ("--collapse-floor 0", 0), ("--quiet", 0)] {
        let result = try ToolRunner.shell(
          """
          pmae-pack --quiet --limit 20 train-images-idx3-ubyte.gz |
            pmae-augment --quiet --size 28 --epochs 12 |
            pmae-pretrain \(Self.tiny) --lr 0 --teacher-temperature 100 --overwrite --output collapsed \(options) -
          """, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let told = result.errors.components(separatedBy: "\n").filter { $0.contains("looks collapsed") }
        #expect(told.count == count, "\(result.errors)")
        #expect(told.allSatisfy { $0.hasPrefix("pmae-pretrain: ") && $0.contains("entropy_c 1.0000") })
      }
    }
  }

  @Test func presetsArePrintedAndTaken() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let printed = try ToolRunner.run("pmae-pretrain", ["--print-preset", "imagenet-vit-base-300"])
      #expect(printed.status == 0 && printed.text.contains("--batch 768 "), "\(printed.text)")
      let unknown = try ToolRunner.run("pmae-pretrain", ["--preset=nonsense", "--output", "x"])
      #expect(unknown.status == 64 && unknown.errors.contains("imagenet-vit-base-800"))
      // What is given wins, on either side of the preset, and --lr over its --base-lr.
      let words = try PretrainTests.options("default")
      let views = PretrainTests.oracle + "default.views.stz"
      let result = try ToolRunner.run(
        "pmae-pretrain",
        words + ["--preset", "sdae-vit-base-300", "--lambda-c", "0.5", "--quiet", "--output", folder + "/run", views])
      #expect(result.status == 0, "\(result.errors)")
      let text = try String(contentsOfFile: folder + "/run/config.json", encoding: .utf8)
      let config = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      #expect(config["lambdaC"] as? Double == 0.5)
      let given = try #require(words.firstIndex(of: "--lr").map { Double(words[$0 + 1]) })
      #expect(config["learningRate"] as? Double == given)
      // What is not given is the preset's.
      let plain = try ToolRunner.run(
        "pmae-pretrain",
        [
          "--preset", "sdae-vit-base-300", "--steps", "0", "--width", "48", "--depth", "1", "--heads", "2", "--image",
          "32",
        ]
          + ["--batch", "8", "--quiet", "--output", folder + "/plain", views])
      #expect(plain.status == 0, "\(plain.errors)")
      let other = try String(contentsOfFile: folder + "/plain/config.json", encoding: .utf8)
      for line in [#""lambdaC" : 0,"#, #""warmupEpochs" : 60,"#, #""epochs" : 300,"#, #""dropPath" : 0.25,"#] {
        #expect(other.contains(line), "\(line) is not in \(other)")
      }
    }
  }

  /// Off they change nothing; on they are in the metrics, and a run in two sittings is the run in one.
  @Test func rampsOfLabels() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let ramps = [
        "--lambda-warmup-epochs", "1.5", "--teacher-temperature-epochs", "1", "--teacher-temperature-start", "0.1",
      ]
      #expect(try PretrainTests.pretrain("default", folder + "/plain").status == 0)
      #expect(try PretrainTests.pretrain("default", folder + "/whole", ramps).status == 0)
      for steps in ["1", "3", "99"] {
        let result = try PretrainTests.pretrain("default", folder + "/parts", ramps + ["--resume", "--steps", steps])
        #expect(result.status == 0, "\(result.errors)")
      }
      #expect(try PretrainTests.tensors(folder + "/parts") == PretrainTests.tensors(folder + "/whole"))
      #expect(try PretrainTests.tensors(folder + "/plain") != PretrainTests.tensors(folder + "/whole"))
      let steps = try PretrainTests.metrics(folder + "/whole")
      let weights = steps.prefix(2).compactMap { $0["label_weight"] as? Double }
      #expect(weights == [0, 0.333333333])
      #expect(steps[0]["teacher_temperature"] as? Double == 0.1)
      #expect(try PretrainTests.metrics(folder + "/plain").allSatisfy { $0["label_weight"] == nil })
      // At a weight of 0 the loss is that of features alone.
      #expect(steps[0]["loss"] as? Double == steps[0]["loss_m"] as? Double)
      let changed = try PretrainTests.pretrain("default", folder + "/plain", ramps + ["--resume"])
      #expect(changed.status == 65 && changed.errors.contains("lambdaWarmupEpochs 1.5, not 0"), "\(changed.errors)")
      let alone = try PretrainTests.pretrain("default", folder + "/x", ["--teacher-temperature-start", "0.1"])
      #expect(alone.status == 64 && alone.errors.contains("needs --teacher-temperature-epochs"))
    }
  }
}
