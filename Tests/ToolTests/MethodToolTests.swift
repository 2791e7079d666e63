import Foundation
import Pretraining
import TensorStream
import Testing

/// The other objectives from pictures to an encoder, by the built tools.
@Suite struct MethodToolTests {
  private static let tiny = "--image 28 --patch 7 --width 16 --depth 2 --heads 2 --batch 8 --lr 1e-3 --drop-path 0.2"
  private static let heads = "--head-hidden 16 --head-bottleneck 8"
  /// Makes views of images.stz for beit, and a tokenizer of their patches.
  private static let tokens = """
    pmae-augment --quiet --views beit --size 28 --output beit.stz images.stz
    pmae-evaluate tokenizer --quiet --patch 7 --vocabulary 16 --iterations 3 --output tokens.stz beit.stz
    """

  struct Method: Sendable, CustomTestStringConvertible {
    let name: String
    let views: String
    let options: String
    /// Of metrics.jsonl, beside what all have.
    let figures: [String]
    var testDescription: String { name }
  }

  static let methods = [
    Method(
      name: "dino", views: "--views dino --local-size 14",
      options: "\(heads) --prototypes 16 --freeze-epochs 1 --clip 3",
      figures: ["loss_c", "entropy_c", "used_c", "centre_c", "teacher_momentum", "teacher_temperature"]),
    Method(
      name: "ibot", views: "--views ibot --local-size 14",
      options: "\(heads) --prototypes 16 --teacher-temperature-start 0.05",
      figures: ["loss_c", "loss_p", "entropy_p", "used_p", "centre_p", "teacher_momentum"]),
    Method(
      name: "moco-v3", views: "--views moco", options: heads,
      figures: ["loss_1", "loss_2", "accuracy", "variance", "teacher_momentum"]),
    Method(
      name: "beit", views: "--views beit", options: "--vocabulary 16 --tokenizer tokens.stz --mask-least 2",
      figures: ["loss_m", "accuracy", "used_tokens"]),
    Method(
      name: "cae", views: "--views beit",
      options: "--vocabulary 16 --tokenizer tokens.stz --mask-least 2 --regressor-depth 1 --decoder-depth 1",
      figures: ["loss_m", "loss_a", "accuracy", "spread"]),
    Method(name: "simmim", views: "--views simmim", options: "--mask-unit 2", figures: ["loss_m", "contrast"]),
  ]

  @Test func eachOtherObjectiveIsAmongThem() {
    #expect(Set(Self.methods.map(\.name)).union(["pseudo-mae", "mae"]) == Set(objectives.map { $0.name }))
  }

  private func tensors(_ path: String) throws -> [String: [UInt8]] {
    try Dictionary(
      uniqueKeysWithValues: readTensors(path: path).tensors.map { ($0.name, $0.tensor.withUnsafeBytes { Array($0) }) })
  }

  /// A run, and the same stopped after a step and gone on with; then its curves, a look at it and its encoder.
  @Test(arguments: methods) func aRunFromPicturesToAnEncoder(_ method: Method) throws {
    try ExampleFiles.withCopy { folder in
      let train = "pmae-pretrain --quiet --objective \(method.name) \(Self.tiny) \(method.options) --epochs 2"
      let result = try ToolRunner.shell(
        """
        set -e
        \(Self.tokens)
        pmae-augment --quiet \(method.views) --size 28 --epochs 2 --output all.stz images.stz
        \(train) --output whole all.stz
        \(train) --output parts --steps 1 all.stz
        rm tokens.stz
        \(train) --output parts --resume all.stz
        pmae-inspect --curves whole curves.svg
        pmae-inspect --look whole all.stz look.jpg
        pmae-inspect --contact-sheet sheet.jpg all.stz
        pmae-export --quiet --output exported.stz whole
        pmae-augment --quiet --views center --size 28 --output c.stz images.stz
        pmae-evaluate knn --quiet --k 1 exported.stz c.stz c.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try tensors(folder + "/whole/checkpoint.stz") == tensors(folder + "/parts/checkpoint.stz"))
      let line = try #require(
        try String(contentsOfFile: folder + "/whole/metrics.jsonl", encoding: .utf8).split(separator: "\n").last)
      for figure in method.figures { #expect(line.contains("\"\(figure)\":"), "\(figure): \(line)") }
      let curves = try String(contentsOfFile: folder + "/curves.svg", encoding: .utf8)
      #expect(curves.contains(method.figures[0]))
    }
  }

  /// What labels and tokens say is of the whole batch, in however many parts it is computed.
  @Test(arguments: methods.filter { ["dino", "ibot", "beit", "cae"].contains($0.name) })
  func labelsInParts(_ method: Method) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        set -e
        \(Self.tokens)
        pmae-augment --quiet \(method.views) --size 28 --output all.stz images.stz
        for n in 1 2 4; do
          pmae-pretrain --quiet --objective \(method.name) \(Self.tiny) \(method.options) \
            --steps 1 --accumulate $n --output $n all.stz
        done
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let found = try [1, 2, 4].map { parts in
        let text = try String(contentsOfFile: "\(folder)/\(parts)/metrics.jsonl", encoding: .utf8)
        let line = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        return ["entropy_c", "entropy_p", "used_c", "used_p", "used_tokens"].compactMap { line[$0] as? Double }
      }
      #expect(found[0].count == (["dino": 2, "ibot": 4][method.name] ?? 1))
      for other in found[1...] {
        for (a, b) in zip(found[0], other) { #expect(abs(a - b) < 1e-5, "\(found)") }
      }
    }
  }

  @Test(arguments: [
    ("--objective beit --vocabulary 8 --mask-least 2", "beit", 65, "carry no \"ids\", so --tokenizer must name a file"),
    (
      "--objective beit --vocabulary 8 --mask-least 2 --tokenizer tokens.stz", "beit", 65,
      "tokens.stz: has 16 tokens, but --vocabulary is 8"
    ),
    (
      "--objective beit --vocabulary 16 --mask-least 2 --tokenizer beit.stz", "beit", 65,
      "holds \"views\", expected tokenizer"
    ),
    (
      "--objective cae --image 28 --patch 14 --mask-least 1 --vocabulary 16 --tokenizer tokens.stz", "beit", 65,
      "patches of 7 pixels, 3 channels: the model has 14 and 3"
    ),
    ("--objective dino --head-hidden 8 --head-bottleneck 4 --prototypes 8", "beit", 65, "no tensor \"global_1\""),
    (
      "--objective dino --head-hidden 8 --head-bottleneck 4 --prototypes 8", "dino", 65,
      "\"local_1\" is [12, 12, 12, 3], expected squares whose side is a multiple of 7"
    ),
    (
      "--objective moco-v3 --accumulate 2", "beit", 64,
      "norms are over the batch, so it has no parts: expected no --accumulate, not 2"
    ),
    ("--objective moco-v3 --batch 1", "beit", 64, "moco-v3 needs a batch of at least 2"),
    ("--objective ibot --mask-ratio 0.1", "beit", 64, "mask-ratio must be from 0.2 to 0.8"),
    ("--objective simmim --mask-unit 5", "beit", 64, "mask-unit must be from 1 to the 4 patches along a side, not 5"),
    ("--objective simmim --mask-ratio 0.99", "beit", 64, "masks all 4 units of an image"),
    (
      "--objective ibot --teacher-temperature-start 0.05 --teacher-temperature-epochs 0", "beit", 64,
      "--teacher-temperature-start needs --teacher-temperature-epochs"
    ),
    ("--objective simmim --min-lr 1e-6", "beit", 64, "expected no --min-lr, or --drop-at 0"),
    ("--lambda-m 0 --lambda-c 0 --lambda-p 0", "beit", 64, "lambda-pixels are 0: nothing is to be learnt"),
    ("--objective beit --mask-least 17 --vocabulary 16", "beit", 64, "mask-least is 17, but an image has 16 patches"),
    ("--objective cae --mask-least 0", "beit", 64, "mask-least must be at least 1, not 0"),
    ("--objective dino --freeze-epochs -1", "beit", 64, "freeze-epochs must be from 0"),
    ("--objective dino --clip -1", "beit", 64, "clip must be 0 or more, not -1"),
  ])
  func whatCannotBeIsSaid(options: String, views: String, status: Int32, message: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        \(Self.tokens)
        pmae-augment --quiet --views dino --size 28 --epochs 1 --rows-per-record 12 --output dino.stz images.stz
        pmae-pretrain --quiet \(Self.tiny) \(options) --output out \(views).stz
        """, in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/out/checkpoint.stz"))
    }
  }

  /// Of as many small views as before: fewer would end in other bits.
  @Test func theNumberOfSmallViewsIsTheRuns() throws {
    try ExampleFiles.withCopy { folder in
      let views = "pmae-augment --quiet --size 28 --epochs 2"
      let large = "--view 'name=global_1: crop 0.4-1' --view 'name=global_2: crop 0.4-1'"
      let train =
        "pmae-pretrain --quiet --objective dino \(Self.tiny) \(Self.heads) --prototypes 8 --epochs 2 --output out"
      let result = try ToolRunner.shell(
        """
        set -e
        \(views) \(large) --view 'name=local: crop 0.1-0.4 size 14 count 3' --output three.stz images.stz
        \(views) \(large) --view 'name=local: crop 0.1-0.4 size 14 count 2' --output two.stz images.stz
        \(train) --steps 1 three.stz
        \(train) --resume two.stz
        """, in: folder)
      #expect(result.status == 65, "\(result.errors)")
      #expect(result.errors.contains("number of local of the views 2, not 3"), "\(result.errors)")
    }
  }

  @Test(arguments: [
    ("--patch 7 --vocabulary 100000", 65, "patches for a --vocabulary of 100,000"),
    ("--patch 8 --vocabulary 4", 65, "expected squares whose side is a multiple of 8"),
    ("--vocabulary 1", 64, "--vocabulary is 1: expected 2 to"),
    ("--view complex --vocabulary 4", 65, "has no view \"complex\", only simple"),
  ])
  func aTokenizerThatCannotBeIsSaid(options: String, status: Int32, message: String) throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --views beit --size 28 --output beit.stz images.stz
        pmae-evaluate tokenizer --quiet \(options) --output tokens.stz beit.stz
        """, in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/tokens.stz"))
    }
  }

  /// The same views and seed make the same tokens, on one thread and on several.
  @Test func aTokenizerIsTheSameAgain() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        set -e
        pmae-augment --quiet --views beit --size 28 --output beit.stz images.stz
        for threads in 1 3; do
          pmae-evaluate tokenizer --quiet --patch 7 --vocabulary 16 --threads $threads --output $threads.stz beit.stz
        done
        pmae-evaluate tokenizer --quiet --patch 7 --vocabulary 16 --seed 1 --output other.stz beit.stz
        pmae-inspect 1.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("tokenizer") && result.text.contains("centres"))
      #expect(try tensors(folder + "/1.stz") == tensors(folder + "/3.stz"))
      #expect(try tensors(folder + "/1.stz") != tensors(folder + "/other.stz"))
    }
  }

  @Test func smallViewsHaveASizeOfTheirOwn() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --views dino --size 28 --output v.stz images.stz || exit 1
        pmae-augment --quiet --views simple --local-size 14 images.stz >/dev/null
        """, in: folder)
      #expect(result.status == 64)
      #expect(result.errors.contains("--local-size needs dino or ibot among --views"), "\(result.errors)")
      let reader = try StreamReader(path: folder + "/v.stz")
      let record = try #require(try reader.next())
      #expect(record["global_2"]?.shape.dropFirst() == [28, 28, 3])
      #expect(record["local_8"]?.shape.dropFirst() == [12, 12, 3])
      #expect(record["local_9"] == nil && record["local_8.parameters"] != nil)
      #expect(reader.header.metadata.values.contains { $0.hasSuffix("blur p 0.5 size 12") })
    }
  }
}
