import Foundation
import TensorStream
import Testing

/// The make scripts of whole experiments, on stand-ins, and the arithmetic of their tables.
@Suite struct PipelineTests {
  static let pipelines = ToolRunner.checkout + "/pipelines/"
  private static let hasFashion = FileManager.default.fileExists(atPath: "/usr/share/datasets/fashion-mnist")
  static let plain = ["MAKEFLAGS": "", "MAKELEVEL": ""]

  func table(_ text: String, _ row: String) -> [String]? {
    text.split(separator: "\n").first { $0.hasPrefix(row) }.map {
      $0.dropFirst(row.count).split(separator: " ").map(String.init)
    }
  }

  @Test func theImageNetProtocolRunsOnAFolderOfItsLayout() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.run(
        Self.pipelines + "imagenet.mk", ["check", "BIN=\(ToolRunner.folder)", "OUT=out"], environment: Self.plain,
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      for row in ["finetuned", "probe", "knn, k = 5"] {
        let shares = try #require(table(result.text, row), "\(result.text)").compactMap(Double.init)
        #expect(shares.count == 2 && shares[0] <= shares[1] && shares[1] <= 100)
      }
    }
  }

  private func transfer(_ arguments: [String], in folder: String) throws -> ToolResult {
    try ToolRunner.run(
      Self.pipelines + "transfer.mk",
      [
        "BIN=\(ToolRunner.folder)", "ENCODER=encoder.stz", "OUT=out", "SIZE=minute", "IMAGE=28", "SHORT_SIDE=36",
        "PIXELS=8",
      ]
        + arguments, environment: Self.plain, in: folder)
  }

  /// Of an encoder, trained where it was, on pictures that it has not seen; a second run does nothing.
  @Test func anEncoderIsTransferred() throws {
    try ExampleFiles.withCopy { folder in
      let prepared = try ToolRunner.shell("mkdir set && cp -r photos set/train && cp -r photos set/test", in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let first = try transfer(["DATA=set"], in: folder)
      #expect(first.status == 0, "\(first.errors)")
      // k-NN, logistic regression and two of few labels; of a model from scratch fine-tuning alone.
      for (row, columns) in [("pixels", 4), ("random", 4), ("scratch", 1), ("pretrained", 5)] {
        let shares = table(first.text, "folder, encoder = \(row)")?.compactMap(Double.init)
        #expect(shares?.count == columns, "\(row): \(first.text)")
      }
      let again = try transfer(["DATA=set"], in: folder)
      #expect(again.status == 0 && again.errors == "", "\(again.errors)")
      #expect(first.text.hasSuffix(again.text) && !again.text.contains("pmae-"))
      let without = try ToolRunner.run(
        Self.pipelines + "transfer.mk", ["BIN=\(ToolRunner.folder)", "OUT=other"], environment: Self.plain, in: folder)
      #expect(without.status == 2 && without.errors.contains("ENCODER is \"\""), "\(without.errors)")
      for (changed, said) in [("FINETUNE_EPOCHS=3", "FINETUNE_EPOCHS=2"), ("DATA=elsewhere", "train.folder=")] {
        let other = try transfer(["DATA=set", changed], in: folder)
        #expect(other.status == 2 && other.errors.contains("was made with \(said)"), "\(other.errors)")
      }
      let missing = try transfer(["DATA=nowhere", "pets"], in: folder)
      #expect(
        missing.status == 2 && missing.errors.contains("nowhere/oxford-iiit-pet/annotations/trainval.txt is not there"),
        "\(missing.errors)")
      let blank = try transfer(["DATA=my photos"], in: folder)
      #expect(
        blank.status == 2 && blank.errors.contains("DATA is \"my photos\": make takes no path"), "\(blank.errors)")
    }
  }

  /// A Python with numpy, scipy and Pillow, where there is one.
  private static let python = [ProcessInfo.processInfo.environment["PMAE_PYTHON"], "python3"].compactMap { $0 }.first {
    let found = try? ToolRunner.run("/usr/bin/env", [$0, "-c", "import numpy, scipy.io, PIL"])
    return found?.status == 0
  }

  /// Each set in the layout in which it is published, from its own files to its rows of one table.
  @Test(.enabled(if: python != nil, "no python3 with numpy, scipy and Pillow (see PMAE_PYTHON)"))
  func publishedSetsAreRead() throws {
    let python = try #require(Self.python)
    try ExampleFiles.withCopy { folder in
      let script = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/published-sets.py"
      let made = try ToolRunner.run("/usr/bin/env", [python, script, "sets"], in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let sets = ["flowers", "pets", "cars", "cifar10", "cifar100"]
      let result = try transfer(["DATA=sets", "PYTHON=\(python)", "SETS=\(sets.joined(separator: " "))"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      for set in sets {
        for (row, columns) in [("pixels", 4), ("random", 4), ("scratch", 1), ("pretrained", 5)] {
          let shares = table(result.text, "\(set), encoder = \(row)")?.compactMap(Double.init)
          #expect(shares?.count == columns, "\(set) \(row): \(result.text)")
        }
        // A class is a colour, which pixels tell apart where the labels are the right pictures'.
        #expect(table(result.text, "\(set), encoder = pixels")?[1] == "100.00", "\(set): \(result.text)")
      }
      let flowers = try StreamReader(path: folder + "/out/flowers/test.stz").header
      #expect(flowers.metadata["classes"] == #"["1","2","3"]"#)
      let cars = try StreamReader(path: folder + "/out/cars/train.stz").header
      #expect(cars.metadata["classes"]?.contains("Audi TT, Hatchback 2011") == true)
    }
  }

  /// From a folder in ADE20K's layout to a table of segmentation; a second run does nothing.
  @Test func segmentationRunsOnAFolderOfItsLayout() throws {
    try ExampleFiles.withCopy { folder in
      let arguments = [
        "BIN=\(ToolRunner.folder)", "SIZE=minute", "DATA=scenes", "OUT=out", "CELLS=mae scratch", "EPOCHS=1",
        "TRAIN_EPOCHS=1", "BATCH=4", "TRAIN_BATCH=4", "MODEL=--width 16 --depth 4 --heads 2",
        "UPERNET=--head-channels 8 --aux-channels 8",
      ]
      let first = try ToolRunner.run(
        Self.pipelines + "segmentation.mk", arguments, environment: Self.plain, in: folder)
      #expect(first.status == 0, "\(first.errors)")
      for row in ["from scratch", "MAE"] {
        let shares = try #require(table(first.text, row), "\(first.text)").compactMap(Double.init)
        #expect(shares.count == 3 && shares.allSatisfy { $0 >= 0 && $0 <= 100 }, "\(first.text)")
      }
      let again = try ToolRunner.run(
        Self.pipelines + "segmentation.mk", arguments, environment: Self.plain, in: folder)
      #expect(again.status == 0 && again.errors == "", "\(again.errors)")
      #expect(first.text.hasSuffix(again.text) && !again.text.contains("pmae-"))
      let without = try ToolRunner.run(
        Self.pipelines + "segmentation.mk", ["DATA=photos", "OUT=other", "BIN=\(ToolRunner.folder)"],
        environment: Self.plain, in: folder)
      #expect(without.status == 2 && without.errors.contains("photos/annotations/training is not there"))
    }
  }

  /// A table that is there already does not hide that what it is made of is not: of seeds that were asked for later, for one.
  @Test(arguments: ["ablations.mk", "quickstart.mk"]) func whatIsMissingIsMade(script: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let there = try ToolRunner.shell(
        "mkdir out && touch -d 2020-01-01 out/tools && touch out/results.tsv out/table.txt", in: folder)
      #expect(there.status == 0, "\(there.errors)")
      let result = try ToolRunner.run(
        "/usr/bin/make", ["-n", "-f", Self.pipelines + script, "BIN=\(ToolRunner.folder)", "OUT=out"],
        environment: Self.plain, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      for tool in ["pmae-pack", "pmae-pretrain", "pmae-evaluate knn"] { #expect(result.text.contains(tool)) }
    }
  }

  /// Files of other settings are not taken for those that are asked for.
  @Test(arguments: [
    ("quickstart.mk", "DATA=photos"), ("quickstart.mk", "EPOCHS=3"), ("solar.mk", "PRETRAIN_ON=train"),
    ("segmentation.mk", "COUNT=3"), ("imagenet.mk", "PRESET=mae-vit-base-800"),
  ])
  func otherSettingsAreRefused(script: String, other: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      func make(_ arguments: String...) throws -> ToolResult {
        try ToolRunner.run(
          "/usr/bin/make",
          ["-f", Self.pipelines + script, "BIN=\(ToolRunner.folder)", "OUT=out"] + arguments, environment: Self.plain,
          in: folder)
      }
      let first = try make("out/tools")
      #expect(first.status == 0, "\(first.errors)")
      let same = try make("-n")
      #expect(same.status == 0 && same.text.contains("pmae-pretrain"), "\(same.errors)")
      let refused = try make("-n", other)
      let name = other.split(separator: "=")[0]
      #expect(
        refused.status == 2 && refused.errors.contains("out was made with")
          && refused.errors.contains(" \(name)=") && refused.errors.contains(other), "\(refused.errors)")
      let cleaned = try make("clean", other)
      #expect(cleaned.status == 0 && !FileManager.default.fileExists(atPath: folder + "/out"), "\(cleaned.errors)")
    }
  }

  /// Each objective for as many epochs as cost the same, from scratch and pixels, on a set that the script packs; a second run does
  /// nothing.
  @Test(.enabled(if: hasFashion, "no dataset-fashion-mnist: pipelines/test.mk install"))
  func theMethodsAreMeasuredAtEqualCompute() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let arguments = [
        "SIZE=minute", "BUDGET=compute", "OUT=out", "BIN=\(ToolRunner.folder)", "CELLS=pseudo-mae beit scratch",
        "SEEDS=0",
        "TRAIN_IMAGES=300", "TEST_IMAGES=50", "PER_CLASS=8", "FEW_EPOCHS=1", "TOKENS=16",
      ]
      let first = try ToolRunner.run(
        Self.pipelines + "methods.mk", arguments, environment: Self.plain, in: folder)
      #expect(first.status == 0, "\(first.errors)")
      for (row, columns) in [("pixels", 3), ("from scratch", 5), ("BEiT", 5), ("Pseudo MAE", 5)] {
        let shares = table(first.text, row)?.compactMap(Double.init)
        #expect(
          shares?.count == columns && shares?.allSatisfy { $0 >= 0 && $0 <= 100 } == true, "\(row): \(first.text)")
      }
      // A step of Pseudo MAE costs more: its views are two, and its teachers as well.
      let epochs = try String(contentsOfFile: folder + "/out/epochs.mk", encoding: .utf8).split(separator: "\n")
        .sorted()
      #expect(epochs.count == 2 && epochs[1] == "pseudo-mae.epochs := 2", "\(epochs)")
      #expect(epochs[0] != "beit.epochs := 2", "\(epochs)")
      let again = try ToolRunner.run(
        Self.pipelines + "methods.mk", arguments, environment: Self.plain, in: folder)
      #expect(again.status == 0 && again.errors == "", "\(again.errors)")
      #expect(first.text.hasSuffix(again.text) && !again.text.contains("pmae-"))
      // What others cost stays known, and a table is of the cells that are asked for.
      let cost = try ToolRunner.shell("touch out/cells/pseudo-mae/cost.json", in: folder)
      #expect(cost.status == 0)
      let fewer = try ToolRunner.run(
        Self.pipelines + "methods.mk", arguments + ["CELLS=scratch"], environment: Self.plain, in: folder)
      #expect(fewer.status == 0 && table(fewer.text, "BEiT") == nil, "\(fewer.text)\(fewer.errors)")
      let kept = try String(contentsOfFile: folder + "/out/epochs.mk", encoding: .utf8).split(separator: "\n").sorted()
      #expect(kept == epochs)
      let all = try ToolRunner.run(
        Self.pipelines + "methods.mk", arguments, environment: Self.plain, in: folder)
      #expect(all.status == 0 && first.text.hasSuffix(all.text), "\(all.text)\(all.errors)")
      for (changed, found, said) in [
        ("EPOCHS=3", "EPOCHS=2", "out was"),
        ("beit.finetune=--layer-decay 1", "beit.finetune=", "out/cells/beit was"),
      ] {
        let other = try ToolRunner.run(
          Self.pipelines + "methods.mk", arguments + [changed], environment: Self.plain, in: folder)
        let words = changed.replacingOccurrences(of: " ", with: "_")
        #expect(
          other.status != 0
            && other.errors.contains("\(said) made with \(found), not with \(words): give another OUT, say clean, or"),
          "\(other.errors)")
      }
    }
  }

  /// Trained in two stages, measured after each; a deleted encoder of the first is made again, to the same bits, and the run
  /// with it.
  @Test(.enabled(if: hasFashion, "no dataset-fashion-mnist: pipelines/test.mk install"))
  func aCellOfTheAblationsIsMadeAndMadeAgain() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let arguments = [
        "SIZE=minute", "OUT=out", "BIN=\(ToolRunner.folder)", "TRAIN_IMAGES=300", "TEST_IMAGES=50", "PER_CLASS=8",
        "EVALUATE_AT=1", "CELLS=mae", "cell-mae-seed1",
      ]
      let cost = try ToolRunner.run(
        Self.pipelines + "ablations.mk", arguments.dropLast() + ["out/costs.tsv"], environment: Self.plain,
        in: folder)
      #expect(cost.status == 0, "\(cost.errors)")
      let costs = try String(contentsOfFile: folder + "/out/costs.tsv", encoding: .utf8).split {
        $0 == "\n" || $0 == "\t"
      }
      #expect(costs.count == 4 && costs[2] == "mae" && (Double(costs[3]) ?? 0) > 0.001, "\(costs)")
      let first = try ToolRunner.run(
        Self.pipelines + "ablations.mk", arguments, environment: Self.plain, in: folder)
      #expect(first.status == 0, "\(first.errors)")
      let measured = try String(contentsOfFile: folder + "/out/cells/mae/seed1/result.tsv", encoding: .utf8)
      #expect(
        measured.split(separator: "\n").map { $0.split(separator: "\t").dropLast().joined(separator: " ") }
          == [
            "cell seed epoch measure", "mae 1 1 knn", "mae 1 1 linear", "mae 1 2 knn", "mae 1 2 linear", "mae 1 2 few",
            "mae 1 2 tuned", "mae 1 2 all",
          ])
      let encoder = URL(fileURLWithPath: folder + "/out/cells/mae/seed1/epoch1.stz")
      let tensors = {
        try ToolRunner.run("pmae-inspect", ["--tensor", "blocks.0.mlp.fc1.bias", "--rows", "all", encoder.path]).text
      }
      let before = try tensors()
      try FileManager.default.removeItem(at: encoder)
      // Asked for by name: what was made of it is there, so that the cell does not need it.
      for target in ["out/cells/mae/seed1/epoch1.stz", "cell-mae-seed1"] {
        let again = try ToolRunner.run(
          Self.pipelines + "ablations.mk", arguments.dropLast() + [target], environment: Self.plain, in: folder)
        #expect(again.status == 0, "\(again.errors)")
      }
      #expect(before.count > 100)
      #expect(try tensors() == before)
      #expect(try String(contentsOfFile: folder + "/out/cells/mae/seed1/result.tsv", encoding: .utf8) == measured)
    }
  }
}
