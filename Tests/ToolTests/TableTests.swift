import Foundation
import Testing

/// `pmae-evaluate table`, and the tables that the make scripts print with it.
@Suite struct TableTests {
  private static let pipelines = ToolRunner.checkout + "/pipelines/"
  private static let plain = ["MAKEFLAGS": "", "MAKELEVEL": ""]

  private func table(_ arguments: String, files: [String: String]) throws -> ToolResult {
    try ToolRunner.withTemporaryFolder { folder in
      for (name, text) in files {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
      }
      return try ToolRunner.shell("pmae-evaluate table \(arguments)", in: folder)
    }
  }

  @Test func byDefaultARowAFileAndANumberOfNeighbours() throws {
    let files = [
      "knn.json": "{\"task\":\"knn\",\"k\":20,\"top1\":0.5}\n{\"task\":\"knn\",\"k\":10,\"top1\":0.25}\n",
      "probe.json": "{\"top1\":0.75}\n",
    ]
    #expect(
      try table("knn.json - --scale 100 <probe.json", files: files).text == """
                      top1
        knn, k = 10  25.00
        knn, k = 20  50.00
        -            75.00

        """)
  }

  /// What a terminal would obey is shown; in Markdown, what would end a cell.
  @Test func labelsAreEscaped() throws {
    let files = ["a.json": #"{"name":"a\u001b[2J|b","top1":1}"# + "\n"]
    #expect(try table("--rows name a.json", files: files).text.contains("a\\x1b[2J|b"))
    #expect(try table("--rows name --format markdown a.json", files: files).text.contains("| a\\x1b[2J\\|b | 1.00 |"))
  }

  @Test func aRowThatNothingBeatsIsSaid() throws {
    let files = ["pixels", "scratch", "a"].enumerated().reduce(into: [String: String]()) { files, row in
      files[row.element + ".json"] = "{\"top1\":0.8\(5 - row.offset)}\n"
    }
    let sentence = "top1: nothing beats pixels (85.00). The best other row, scratch, has 84.00.\n"
    #expect(try table("*.json --scale 100", files: files).text.hasSuffix("\n\n" + sentence))
    let both = try table("*.json --scale 100 --baseline pixels --baseline scratch", files: files).text
    #expect(both.contains("nothing beats pixels (85.00). The best other row, a, has 83.00.\n"))
    #expect(both.contains("nothing beats scratch (84.00). The best other row, a, has 83.00.\n"))
    #expect(try !table("*.json --format tsv", files: files).text.contains("beats"))
    let unmeasured = try table("*.json --row a --row b --baseline b --skip-empty", files: files)
    #expect(unmeasured.status == 0 && !unmeasured.text.contains("beats"), "\(unmeasured.errors)")
  }

  @Test(arguments: [
    ("a.json --baseline b", 65, "no row is \"b\", which is to be beaten: there is \"a\""),
    (".", 66, ".: is a folder: expected a file of results"),
    ("absent.json", 66, "absent.json: No such file"), ("a.json --value top5", 65, "no result has \"top5\""),
    ("a.json --where k", 64, "--where is \"k\": expected KEY=VALUE"),
    ("a.json --ratio k=1", 64, "--ratio is \"k=1\": expected KEY=A/B"),
    ("a.json --column x", 64, "--column needs --columns"), ("a.json --rows ''", 64, "--rows is \"\""),
    ("a.json --skip-empty", 64, "--skip-empty needs --row"),
    ("a.json --widths 3 --format tsv", 64, "--widths has no meaning in tsv"),
    ("a.json --digits 2 --significant 2", 64, "exclude each other"), ("- -", 64, "standard input is read once"),
    ("a.json --path 'b{x}.json'", 65, "a.json: its name does not end as the pattern"),
    ("a.json --path b", 64, "names no key"),
  ])
  func badInput(_ arguments: String, status: Int32, message: String) throws {
    let result = try table(arguments, files: ["a.json": "{\"top1\":1}\n"])
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  /// The page of results shows what the scripts print of the results beside it.
  @Test(arguments: [
    ("methods.mk", "methods-epochs.tsv", "Methods, equal epochs", 100),
    ("methods.mk", "methods-compute.tsv", "Methods, equal compute", 100),
    ("methods.mk", "fashion-80-epochs.tsv", "Methods, equal epochs", 100),
    ("methods.mk", "fashion-80-compute.tsv", "Methods, equal compute", 100),
    ("methods.mk", "photos-epochs.tsv", "Methods, equal epochs", 20),
    ("methods.mk", "photos-compute.tsv", "Methods, equal compute", 20),
    ("ablations.mk", "ablations.tsv", "Methods", 100),
  ])
  func thePageHasTheTablesOfItsResults(script: String, results: String, title: String, perClass: Int) throws {
    let budget = title.hasSuffix("compute") ? "compute" : "epochs"
    try expectOnThePage(
      results, at: "cells/all/seed0/result.tsv", script, ["show", "BUDGET=\(budget)", "PER_CLASS=\(perClass)"],
      from: title + "\n")
  }

  @Test func thePageHasTheTableOfTheSolarCells() throws {
    try expectOnThePage("solar.tsv", at: "results.tsv", "solar.mk", ["-o", "out/results.tsv"], from: "test cells, %")
  }

  /// Puts the results where the script looks for them. The page has what it prints of them, from its table's first line on.
  private func expectOnThePage(
    _ results: String, at place: String, _ script: String, _ arguments: [String], from start: String
  ) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let prepared = try ToolRunner.shell(
        "mkdir -p $(dirname out/\(place)); cp \(Self.pipelines)results/\(results) out/\(place)", in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let result = try ToolRunner.run(
        Self.pipelines + script, ["-s", "BIN=\(ToolRunner.folder)", "OUT=out"] + arguments, environment: Self.plain,
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let printed = result.text[try #require(result.text.range(of: start)).lowerBound...]
      let page = try String(contentsOfFile: Self.pipelines + "results/README.md", encoding: .utf8)
      #expect(page.contains("```\n" + printed + "```\n"), "\(result.text)")
    }
  }

  /// Each column has its set, its epochs and its heading; a number without epochs of its own has those of the other columns.
  @Test func theQuickstartHasMoreColumnsOfFineTuning() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.run(
        "/usr/bin/make",
        [
          "-n", "-f", Self.pipelines + "quickstart.mk", "BIN=\(ToolRunner.folder)", "OUT=out", "best",
          "MORE=7 1000 all", "FINETUNE_EPOCHS=9", "SEEDS=0",
        ], environment: Self.plain, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.text.split(separator: "\n")
      for (set, epochs) in [("few100", 9), ("few7", 9), ("few1000", 40), ("train", 15)] {
        let runs = lines.filter { $0.contains("pmae-augment") && $0.contains("out/\(set).stz --view 'name=simple") }
        #expect(runs.count(where: { $0.contains(" --epochs \(epochs) ") }) == 2, "\(set): \(runs)")
      }
      for heading in ["finetune7=fine-tuned\\n7 labels a class", "finetuneall=fine-tuned\\nall labels'"] {
        #expect(result.text.contains(heading))
      }
    }
  }

  @Test func theQuickstartsTable() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/out", withIntermediateDirectories: true)
      var arguments = ["-s", "-f", Self.pipelines + "quickstart.mk", "BIN=\(ToolRunner.folder)", "OUT=out"]
      for (row, encoder) in ["pixels", "random", "student"].enumerated() {
        let share = [0.86, 0.7, 0.8][row]
        let seeds = [0, 0.01, 0.02].map { "{\"top1\":\(share + $0)}\n" }.joined()
        let lines = [
          "knn": "{\"k\":20,\"train_images\":60000,\"top1\":\(share)}\n", "linear": "{\"top1\":\(share + 0.01)}\n",
          "few": seeds, "finetune": seeds,
        ]
        for (measure, text) in lines where measure != "finetune" || encoder != "pixels" {
          let name = "out/\(encoder).\(measure).json"
          try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
          arguments += ["-o", name]
        }
      }
      let result = try ToolRunner.run("/usr/bin/make", arguments, environment: Self.plain, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.text == """
          encoder           k-NN  logistic regression  logistic regression          fine-tuned
                          k = 20         60000 labels   100 labels a class  100 labels a class
          pixels           86.00                87.00         87.00 ± 1.00                   -
          random weights   70.00                71.00         71.00 ± 1.00        71.00 ± 1.00
          pretrained       80.00                81.00         81.00 ± 1.00        81.00 ± 1.00

          k-NN k = 20: nothing beats pixels (86.00). The best other row, pretrained, has 80.00.
          logistic regression 60000 labels: nothing beats pixels (87.00). The best other row, pretrained, has 81.00.
          logistic regression 100 labels a class: nothing beats pixels (87.00). The best other row, pretrained, has 81.00.

          """)
    }
  }
}
