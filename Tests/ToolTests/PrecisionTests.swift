import Compute
import Foundation
import TensorStream
import Testing

/// --precision of the built tools.
struct PrecisionTests {
  private static let bfloat16: [String] = ["--precision", "bfloat16"]

  /// The tensors of a file, or of a stream's first record that has any.
  private func record(_ path: String) throws -> Record {
    let reader = try StreamReader(path: path)
    return try reader.next() ?? reader.header
  }

  private func bytes(_ path: String) throws -> [String: [UInt8]] {
    let tensors = try record(path).tensors
    return Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor.withUnsafeBytes { Array($0) }) })
  }

  /// Everything that the tools make of the example's pictures, from pretraining to scores: losses and scores as text, the rest as
  /// tensors by file and name.
  private func results(_ precision: Precision, threads: Int) throws -> (text: String, tensors: [[String: [UInt8]]]) {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        on="--quiet --precision \(precision.rawValue) --threads \(threads)"
        pmae-pretrain $on --image 28 --patch 7 --width 32 --depth 2 --heads 2 --decoder-width 32 --decoder-depth 1 \
          --decoder-heads 2 --head-hidden 32 --head-bottleneck 16 --prototypes 16 --drop-path 0.5 --batch 16 --epochs 2 \
          --warmup-epochs 1 --output new views.stz
        pmae-export --quiet --output weights.stz new
        pmae-evaluate embed $on --output features.stz weights.stz center.stz
        pmae-evaluate knn $on --k 3 weights.stz center.stz center.stz
        pmae-finetune $on --view simple --batch 16 --init weights.stz --metrics full.jsonl --output full.stz views.stz
        pmae-finetune $on --view simple --batch 16 --init weights.stz --metrics probe.jsonl --output probe.stz \
          --mode linear views.stz
        pmae-evaluate classify $on full.stz center.stz
        cat new/metrics.jsonl full.jsonl probe.jsonl | sed 's/,"images_per_second.*//'
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors == "")
      // Scores of k-NN and classifier, and six steps each of three trainings.
      #expect(result.text.split(separator: "\n").count == 20)
      return (
        result.text,
        try ["new/checkpoint", "weights", "features", "full", "probe"].map { try bytes("\(folder)/\($0).stz") }
      )
    }
  }

  private func checkThreads(_ precision: Precision) throws {
    let one = try results(precision, threads: 1)
    for threads in [2, 3, 7] {
      let other = try results(precision, threads: threads)
      #expect(other.text == one.text, "\(threads) threads")
      #expect(other.tensors == one.tensors, "\(threads) threads")
    }
  }

  @Test func bitsDoNotDependOnThreadsInFloat32() throws { try checkThreads(.float32) }

  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
  func bitsDoNotDependOnThreadsInBFloat16() throws { try checkThreads(.bfloat16) }

  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
  func aStoppedRunResumesToTheSameBits() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let more = ["--drop-path", "0.5"] + Self.bfloat16
      #expect(try PretrainTests.pretrain("odd", folder + "/whole", more).status == 0)
      for steps in ["1", "2", "5", "99"] {
        let result = try PretrainTests.pretrain("odd", folder + "/parts", more + ["--steps", steps, "--resume"])
        #expect(result.status == 0, "\(result.errors)")
      }
      let whole = try PretrainTests.tensors(folder + "/whole")
      #expect(try PretrainTests.tensors(folder + "/parts") == whole)
      let float32 = try PretrainTests.pretrain("odd", folder + "/whole", ["--drop-path", "0.5", "--resume"])
      #expect(float32.status == 65)
      #expect(float32.errors.contains("precision float32, not bfloat16"), "\(float32.errors)")
      #expect(try PretrainTests.pretrain("odd", folder + "/float32", ["--drop-path", "0.5"]).status == 0)
      #expect(try PretrainTests.tensors(folder + "/float32") != whole)
    }
  }

  /// Each tool computes in what it is asked for: the features differ, by little.
  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
  func bfloat16IsNearFloat32() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        for p in float32 bfloat16; do
          pmae-evaluate embed --quiet --precision $p --output f-$p.stz encoder.stz center.stz
          pmae-finetune --quiet --precision $p --view simple --batch 16 --lr 0.01 --init encoder.stz --output $p.stz views.stz
          pmae-finetune --quiet --precision $p --view simple --mode linear --batch 16 --lr 0.01 --init encoder.stz \
            --output probe-$p.stz views.stz
          pmae-evaluate classify --quiet --precision $p float32.stz center.stz
        done
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = try TaskFiles.lines(result.text).compactMap { $0["loss"] as? Double }
      #expect(lines.count == 2 && lines[0] != lines[1] && abs(lines[0] - lines[1]) < 0.02 * lines[0], "\(lines)")
      for (name, stem) in [("features", "f-"), ("head.weight", ""), ("head.weight", "probe-")] {
        let values = try ["float32", "bfloat16"].map {
          try #require(try record("\(folder)/\(stem)\($0).stz")[name]).values(of: Float.self).map(
            Double.init)
        }
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let cosine =
          dot(values[0], values[1]) / (dot(values[0], values[0]) * dot(values[1], values[1])).squareRoot()
        #expect(values[0] != values[1], "\(stem)\(name)")
        #expect(cosine > 0.99, "\(stem)\(name): \(cosine)")
      }
    }
  }

  private static let commands = [
    ("pmae-pretrain", ["--output", "run", "views.stz"]), ("pmae-finetune", ["--output", "model.stz", "views.stz"]),
    ("pmae-evaluate", ["classify", "model.stz", "views.stz"]), ("pmae-evaluate", ["knn", "e.stz", "views.stz", "-"]),
    ("pmae-evaluate", ["embed", "e.stz", "views.stz"]),
  ]

  /// The error comes before a file is looked for, and says how to get it.
  @Test(arguments: commands) func whereThereIsNoBFloat16(_ tool: String, _ arguments: [String]) throws {
    let result = try ToolRunner.run(
      tool, arguments + Self.bfloat16, environment: ["ONEDNN_MAX_CPU_ISA": "AVX2"], in: "/tmp")
    #expect(result.status == 64)
    #expect(result.errors.hasPrefix("\(tool): --precision bfloat16: "), "\(result.errors)")
    #if OneDNN
      #expect(result.errors.contains("AVX-512"), "\(result.errors)")
    #else
      for word in ["--disable-default-traits", "libdnnl-dev"] { #expect(result.errors.contains(word)) }
    #endif
  }

  /// `auto` says what it chose. Where there are no instructions for bfloat16 the result is float32's.
  @Test func autoIsFloat32WhereThereIsNoBFloat16() throws {
    try ExampleFiles.withCopy { folder in
      func run(_ output: String, _ precision: String) throws -> ToolResult {
        try ToolRunner.run(
          "pmae-pretrain",
          [
            "--steps", "0", "--image", "28", "--patch", "7", "--width", "16", "--depth", "1", "--heads", "2",
            "--batch", "4", "--precision", precision, "--output", output, "views.stz",
          ], environment: ["ONEDNN_MAX_CPU_ISA": "AVX2"], in: folder)
      }
      let (auto, plain) = (try run("auto", "auto"), try run("plain", "float32"))
      #expect(auto.status == 0 && auto.errors.contains("--precision auto is float32, not bfloat16: "), "\(auto.errors)")
      #expect(plain.status == 0 && !plain.errors.contains("--precision"), "\(plain.errors)")
      let files = try ["auto", "plain"].map {
        try String(contentsOfFile: "\(folder)/\($0)/config.json", encoding: .utf8)
      }
      #expect(files[0] == files[1])
    }
  }

  /// What is got is not quite what was asked for: a note, and no error.
  @Test func notesOnTheProcessor() throws {
    try ExampleFiles.withCopy { folder in
      var cases: [([String], [String: String], String)] = [([], ["PMAE_KERNELS": "abacus"], "PMAE_KERNELS is abacus")]
      if BFloat16.unavailable == nil {
        cases.append((Self.bfloat16, ["ONEDNN_MAX_CPU_ISA": "AVX512_CORE"], "no bfloat16 instructions"))
      }
      let epoch = try ToolRunner.shell(
        "pmae-augment --quiet --views simple --epochs 1 --output e.stz train.stz", in: folder)
      #expect(epoch.status == 0)
      for (options, environment, message) in cases {
        for (tool, arguments) in [
          ("pmae-evaluate", ["embed", "--overwrite", "--output", "f.stz", "encoder.stz", "center.stz"]),
          (
            "pmae-finetune",
            ["--overwrite", "--steps", "1", "--batch", "4", "--init", "encoder.stz", "--output", "m.stz", "e.stz"]
          ),
          (
            "pmae-pretrain",
            [
              "--overwrite", "--steps", "0", "--image", "28", "--patch", "7", "--width", "16", "--depth", "1",
              "--heads", "2",
            ]
              + ["--batch", "4", "--output", "r", "views.stz"]
          ),
        ] {
          for quiet in [[], ["--quiet"]] {
            let result = try ToolRunner.run(tool, arguments + options + quiet, environment: environment, in: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains(message) == quiet.isEmpty, "\(tool): \(result.errors)")
          }
        }
      }
    }
  }
}
