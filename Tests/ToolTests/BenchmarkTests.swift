import Foundation
import Testing

/// The arithmetic and the errors of pipelines/benchmark.mk, on commands whose speed is known.
@Suite struct BenchmarkTests {
  private static let pipelines = ToolRunner.checkout + "/pipelines/"

  /// A command that says the next number of `rates` each time, in `line`, and notes that it ran.
  private func command(_ name: String, rates: [Int], line: String, in folder: String) throws -> String {
    try rates.map { "\($0)\n" }.joined().write(toFile: "\(folder)/\(name).rates", atomically: true, encoding: .utf8)
    return """
      echo \(name) >> order; rate=$(sed -n "$(grep -c \(name) order)p" \(name).rates); echo "step 1"; echo "\(line)"
      """
  }

  private func pairs(_ count: Int, ours: [Int], theirs: [Int], in folder: String) throws -> ToolResult {
    try ToolRunner.run(
      Self.pipelines + "benchmark-pairs.sh",
      [
        "pairs.tsv", "A title", "\(count)",
        "ours",
        command(
          "a", rates: ours, line: "$rate images/s, 1,890.2 GFLOP a step, 192.7 GFLOP/s, peak memory 1,536 MiB",
          in: folder),
        "theirs",
        command("b", rates: theirs, line: "f32: $rate.0 images/s, median step 9 s, peak 3.00 GiB", in: folder),
      ], in: folder)
  }

  /// Not the ratio of the medians, which is 6 / 2.
  @Test func medianOfTheRatiosAndSpreadOfPairsInTurn() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try pairs(5, ours: [2, 4, 6, 8, 10], theirs: [1, 4, 2, 1, 5], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.text.hasSuffix("ours over theirs  2.000 (1.000..8.000)  0.500 (0.500..0.500)\n\n"), "\(result.text)")
      #expect(result.text.contains("192.7"))
      let order = try String(contentsOfFile: folder + "/order", encoding: .utf8)
      #expect(order == String(repeating: "a\nb\n", count: 5))
      let again = try ToolRunner.run(Self.pipelines + "benchmark-report.sh", ["pairs.tsv"], in: folder)
      #expect(again.text == result.text)
      let memory = try ToolRunner.run(Self.pipelines + "benchmark-report.sh", ["--memory", "pairs.tsv"], in: folder)
      let lines = memory.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
      #expect(lines.contains("pairs 1536 (1536..1536) 3072 (3072..3072)"), "\(memory.text)")
      #expect(lines.last == "pairs 0.500 (0.500..0.500)")
    }
  }

  @Test func anEvenNumberHasTheMeanOfTheMiddleTwo() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try pairs(6, ours: [2, 4, 6, 8, 10, 12], theirs: [1, 4, 2, 1, 5, 4], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("ours over theirs  2.500 (1.000..8.000)"), "\(result.text)")
    }
  }

  @Test(arguments: [
    ("echo 'x: 1,203.5 images/s'", "1203.5\t-\t-\n"),
    ("echo '3 images/s' >&2", "3\t-\t-\n"),
    (
      #"echo '3 images/s'; echo '{"images_per_second":2.5,"peak_memory_mib":7,"gflop_per_second":null}'"#, "2.5\t7\t-\n"
    ),
    ("echo '1 images/s, peak 1 GiB'; echo '2 images/s, peak 1.5 GiB'; echo end", "2\t1536\t-\n"),
  ])
  func whatACommandSays(_ command: String, columns: String) throws {
    let result = try ToolRunner.run(Self.pipelines + "benchmark-measure.sh", [command])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text == columns)
  }

  @Test(arguments: [
    ("5", "echo broken; exit 3", 3, ["ended with status 3", "broken"]),
    ("5", "echo slowly", 65, ["printed no images/s", "slowly"]),
    ("5", "echo 1e3 images/s", 65, ["printed no images/s", "1e3"]),
    ("5", #"echo '{"images_per_second":}'"#, 65, ["printed JSON that is no result", "images_per_second"]),
    ("5", "echo nan images/s", 65, ["printed no images/s"]),
    ("5", "echo 0.00 images/s", 65, ["printed no images/s"]),
    ("4", "echo 1 images/s", 64, ["PAIRS is 4: expected 5 or more"]),
    ("x", "echo 1 images/s", 64, ["PAIRS is x"]),
  ])
  func aSideThatFails(_ pairs: String, command: String, status: Int32, messages: [String]) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.run(
        Self.pipelines + "benchmark-pairs.sh",
        ["pairs.tsv", "title", pairs, "ours", "echo 1 images/s", "theirs", command], in: folder)
      #expect(result.status == status)
      for message in messages { #expect(result.errors.contains(message), "\(result.errors)") }
      #expect(result.output.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: folder + "/pairs.tsv"))
    }
  }

  @Test func anOptionThatThePeerDoesNotHave() throws {
    let result = try ToolRunner.run(Self.pipelines + "benchmark-peer.sh", ["--model", "vit-small", "--channels", "1"])
    #expect(result.status == 64)
    #expect(result.errors.contains("--channels: the peer has no argument for it"))
  }

  /// The make script runs the small model, with views that last, beside a peer that is told the same model.
  @Test func bothSidesAreTheQuickstartsModel() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
      let result = try ToolRunner.shell(
        """
        printf '%s\\n' '#!/bin/sh' 'echo "$*" >ours' 'echo 2 images/s' >bin/pmae-pretrain
        printf '%s\\n' 'echo "$* threads $OMP_NUM_THREADS" >theirs' 'echo 1 images/s' >peer.sh
        chmod +x bin/pmae-pretrain
        "\(Self.pipelines)benchmark.mk" quickstart-bfloat16-compiled BIN=bin RUN=out QUICKSTART_STEPS=1 THREADS=3 \
          PEER='sh peer.sh'
        pmae-inspect out/views-28-384.stz >views
        """, environment: ["MAKEFLAGS": "", "MAKELEVEL": ""], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("pmae-pretrain over peer  2.000 (2.000..2.000) "), "\(result.text)")
      func read(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).trimmingCharacters(in: .newlines)
      }
      let options =
        "--image 28 --patch 7 --width 128 --depth 4 --heads 4 --decoder-width 64 --decoder-depth 2 --decoder-heads 2"
        + " --head-hidden 256 --head-bottleneck 64 --prototypes 512 --batch 128 --drop-path 0.05 --lambda-c 0.1 --lambda-p 0.1"
      #expect(
        try read("ours") == options + " --precision bfloat16 --threads 3 --steps 3 --profile-json - --quiet --overwrite"
          + " --output out/run out/views-28-384.stz")
      #expect(
        try read("theirs") == "--model vit_base --batch 128 --dtype bf16 --compile --steps 1 image=28 patch=7 dim=128"
          + " depth=4 heads=4 dec_dim=64 dec_depth=2 dec_heads=2 head_hidden=256 head_bottleneck=64 prototypes=512"
          + " drop_path=0.05 lambda_c=0.1 lambda_p=0.1 threads 3")
      #expect(try read("views").contains("384"))
    }
  }

  @Test func theScalingTableMeasuresEachConfigurationOnce() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
      let result = try ToolRunner.shell(
        """
        printf '%s\\n' '#!/bin/sh' 'echo "$*" >>runs' 'echo "$(wc -l <runs)5 images/s"' >bin/pmae-pretrain
        chmod +x bin/pmae-pretrain
        PATH="$PWD/bin:$PATH"
        "\(Self.pipelines)benchmark-scaling.sh" out 1 '--threads 1' batch:vit-tiny:32:2 batch:vit-tiny:32:4 \
          image:vit-tiny:32:4 image:vit-tiny:48:4 model:vit-small:32:2
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let rows = result.text.split(separator: "\n").filter { $0.hasPrefix("vit-") }
        .map { $0.split(separator: " ").joined(separator: " ") }
      #expect(
        rows == [
          "vit-tiny, image = 32, batch = 2 15.00 - -", "vit-tiny, image = 32, batch = 4 25.00 - -",
          "vit-tiny, image = 32, batch = 4 25.00 - -", "vit-tiny, image = 48, batch = 4 35.00 - -",
          "vit-small, image = 32, batch = 2 45.00 - -",
        ])
      for group in ["batch", "image", "model"] { #expect(result.text.contains("as the \(group) grows\n")) }
      // One file of views a side, with the rows that the largest batch needs.
      let views = try FileManager.default.contentsOfDirectory(atPath: folder + "/out").filter { $0.hasSuffix(".stz") }
      #expect(Set(views) == ["views-32-12.stz", "views-48-12.stz"])
    }
  }

  /// 1,000 images in half a second.
  @Test func theClock() throws {
    let result = try ToolRunner.run(
      Self.pipelines + "benchmark-measure.sh", ["\(Self.pipelines)benchmark-clock.sh 1000 'echo words; sleep 0.5'"])
    #expect(result.status == 0, "\(result.errors)")
    let columns = result.text.trimmingCharacters(in: .newlines).split(separator: "\t")
    #expect(columns.count == 3 && columns[1] == "-" && columns[2] == "-")
    let rate = try #require(Double(columns[0]))
    #expect(rate <= 2000 && rate > 100)
    let failed = try ToolRunner.run(Self.pipelines + "benchmark-clock.sh", ["1", "exit 3"])
    #expect(failed.status == 3 && failed.output.isEmpty)
  }
}
