import Foundation
import TensorStream
import Testing

/// Presets, averages of weights and repeated views, as a user has them.
@Suite struct RecipeToolTests {
  private func prepared(_ body: (String) throws -> Void) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let export = try ToolRunner.run(
        "pmae-export", ["--quiet", "--part", "labelling-teacher", "--output", "encoder.stz", TaskFiles.checkpoint],
        in: folder)
      #expect(export.status == 0, "\(export.errors)")
      try TaskFiles.writeViews(folder + "/one.stz")
      try TaskFiles.writeViews(folder + "/three.stz", epochs: 3)
      try body(folder)
    }
  }

  private func tensors(_ path: String) throws -> [String: [Float]] {
    Dictionary(
      uniqueKeysWithValues: try readTensors(path: path).tensors.map { ($0.name, try $0.tensor.values(of: Float.self)) })
  }

  /// What is given wins, on either side of the preset, and --lr over its --base-lr; what is not given is the preset's.
  @Test func presetsArePrintedAndTaken() throws {
    try prepared { folder in
      let printed = try ToolRunner.run("pmae-finetune", ["--print-preset", "imagenet-sdae"])
      #expect(printed.status == 0 && printed.text.contains("--batch 2048 "), "\(printed.text)")
      #expect(printed.text.contains("note: section 4.1 says a batch of 1024"), "\(printed.text)")
      let unknown = try ToolRunner.run("pmae-finetune", ["--preset", "nonsense"])
      #expect(unknown.status == 64 && unknown.errors.contains("transfer-deit-1000"))
      let result = try ToolRunner.shell(
        """
        pmae-finetune --batch 4 --preset imagenet-mae --epochs 3 --warmup-epochs 1 --mixup 0.5 --lr 0.002 \
          --init encoder.stz --run run --output m.stz three.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("preset imagenet-mae: MAE's fine-tuning of ViT-B"), "\(result.errors)")
      let text = try String(contentsOfFile: folder + "/run/config.json", encoding: .utf8)
      let config = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      let expected: [String: Double] = [
        "batch": 4, "mixup": 0.5, "cutmix": 1, "layerDecay": 0.65, "learningRate": 0.002, "minimumRate": 1e-6,
        "dropPath": 0.1, "labelSmoothing": 0.1, "warmupEpochs": 1,
      ]
      for (name, value) in expected { #expect(config[name] as? Double == value, "\(name)") }
      #expect(try readTensors(path: folder + "/m.stz").metadata["made_by"]?.contains("imagenet-mae") == true)
    }
  }

  /// What the metrics say of held-out views after the last step is what pmae-evaluate says of the model.
  @Test func heldOutViewsAreMeasured() throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        pmae-finetune --quiet --init encoder.stz --batch 4 --validate one.stz --validate-every 5 --metrics m.jsonl \
          --output m.stz three.stz
        pmae-evaluate classify m.stz one.stz --quiet
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let said = try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
      let lines = try String(contentsOfFile: folder + "/m.jsonl", encoding: .utf8).split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      let looked = lines.indices.filter { lines[$0]["validation_loss"] != nil }
      #expect(looked == lines.indices.filter { ($0 + 1) % 5 == 0 || $0 == lines.count - 1 } && looked.count > 1)
      let last = try #require(lines.last)
      #expect(last["validation_accuracy"] as? Double == said["top1"] as? Double)
      let (mine, theirs) = (last["validation_loss"] as? Double, said["loss"] as? Double)
      #expect(abs(try #require(mine) - #require(theirs)) < 1e-6)
      let linear = try ToolRunner.shell(
        "pmae-finetune --mode linear --init encoder.stz --validate one.stz one.stz", in: folder)
      #expect(linear.status == 64 && linear.errors.contains("--validate has no meaning in linear mode"))
      let epochs = try ToolRunner.shell(
        "pmae-finetune --quiet --init encoder.stz --batch 4 --validate three.stz --output v.stz three.stz", in: folder)
      #expect(epochs.status == 65 && epochs.errors.contains("three.stz: holds 3 epochs: evaluation looks at each"))
    }
  }

  /// Every preset is one that the tool understands.
  @Test(arguments: [
    "imagenet-mae", "imagenet-mae-large", "imagenet-sdae", "imagenet-sdae-large", "transfer-deit", "transfer-deit-1000",
    "linear-mae", "few-shot-ibot",
  ])
  func everyPresetRuns(name: String) throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        pmae-finetune --quiet --preset \(name) --batch 4 --epochs 3 --warmup-epochs 1 --min-lr 0 --warmup-lr 0 \
          --init encoder.stz --output m.stz three.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  /// The average goes through a stop to the same bits; the weights of the last step are written besides, and differ.
  @Test func averagesGoOnWhereTheyWere() throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        plain="--quiet --init encoder.stz --batch 4 --lr 0.01 --clip 0.5 --mixup 0.8 --cutmix 1 --mix-mode element"
        options="$plain --ema 0.7"
        pmae-finetune $options --unaveraged last.stz --output whole.stz three.stz
        pmae-finetune $options --run run --steps 3 --output some.stz three.stz
        pmae-finetune $options --run run --resume --output rest.stz three.stz
        pmae-finetune $plain --output plain.stz three.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let models = try ["whole", "rest", "last", "plain"].map { try tensors("\(folder)/\($0).stz") }
      #expect(models[0] == models[1])
      #expect(models[0] != models[2])
      // The average follows the weights, and changes none of them.
      #expect(models[2] == models[3])
      #expect(models[0].keys == models[2].keys)
      let other = try ToolRunner.shell(
        "pmae-finetune --quiet --init encoder.stz --batch 4 --ema 0.8 --run run --resume --overwrite --output x.stz three.stz",
        in: folder)
      #expect(other.status == 65 && other.errors.contains("ema"), "\(other.errors)")
    }
  }

  @Test(arguments: [
    ("--unaveraged x.stz", "--unaveraged needs --ema"),
    ("--mode linear --ema 0.9", "--ema has no meaning in linear mode"),
    ("--optimizer lars", "--optimizer lars is for --mode linear"),
    ("--standardise batch", "--standardise has no meaning in full mode"),
    ("--mix-mode pair", "--mix-mode needs --mixup or --cutmix"),
    ("--mixup 1 --mix-switch-prob 0.2", "--mix-switch-prob needs --cutmix"),
    ("--ema 0.9 --unaveraged m.stz", "--unaveraged and --output name one file"), ("--ema 1", "ema must be from 0"),
  ])
  func whatHasNoMeaningIsAnError(options: String, message: String) throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        "pmae-finetune --init encoder.stz --batch 4 \(options) --output m.stz one.stz", in: folder)
      #expect(result.status == 64, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
    }
  }

  /// Each picture of the beginning of an epoch three times in a row, each time another view of it; from a place within too.
  @Test func repeatedViews() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        options="--quiet --size 20 --views simple --seed 4 --rows-per-record 5 --repeats 3"
        pmae-augment $options --output three.stz images.stz
        pmae-augment $options --from 0:7 --output rest.stz images.stz
        pmae-augment $options --threads 1 --output one.stz images.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      func rows(_ name: String) throws -> [(index: Int64, pixels: [UInt8])] {
        let reader = try StreamReader(path: "\(folder)/\(name).stz")
        var rows: [(index: Int64, pixels: [UInt8])] = []
        while let record = try reader.next() {
          guard let index = try record["index"]?.values(of: Int64.self),
            let pixels = try record["simple"]?.values(of: UInt8.self)
          else { continue }
          for (i, own) in index.enumerated() { rows.append((own, Array(pixels[i * 1200..<(i + 1) * 1200]))) }
        }
        return rows
      }
      let (three, rest) = (try rows("three"), try rows("rest"))
      #expect(try rows("one").map(\.pixels) == three.map(\.pixels))
      for start in stride(from: 0, to: three.count - 2, by: 3) {
        #expect(Set(three[start..<start + 3].map(\.index)).count == 1)
        #expect(Set(three[start..<start + 3].map(\.pixels)).count == 3)
      }
      #expect(Set(three.map(\.index)).count == (three.count + 2) / 3)
      #expect(rest.map(\.pixels) == three.dropFirst(7).map(\.pixels))
      let header = try StreamReader(path: folder + "/three.stz").header
      #expect(header.metadata["order"]?.hasSuffix("each 3 times") == true)
      let center = try ToolRunner.run(
        "pmae-augment", ["--views", "center", "--repeats", "2", "--output", "x.stz", "images.stz"], in: folder)
      #expect(center.status == 64 && center.errors.contains("would be the same"), "\(center.errors)")
    }
  }
}
