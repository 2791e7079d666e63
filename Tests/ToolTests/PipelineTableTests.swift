import Foundation
import Testing

extension PipelineTests {
  /// Means, sample deviations, the last epoch, and which cell is which row.
  @Test func theTableOfAblations() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let results = [
        ("pseudo-mae", [[70.0, 80.0], [72.0, 84.0], [74.0, 88.0]]), ("momentum-0.9", [[1.0, 2.0]]),
        ("sdae", [[60.5, 61.5], [60.5, 61.5], [60.5, 61.5]]), ("pixels", [[79.0, 79.0]]),
      ]
      for (cell, seeds) in results {
        for (seed, values) in seeds.enumerated() {
          let place = "\(folder)/out/cells/\(cell)/seed\(seed)"
          try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
          let lines = zip([1, 10], values).map {
            "\(cell)\t\(seed)\t\($0)\tknn\t\($1)\n\(cell)\t\(seed)\t\($0)\tlinear\t5\n"
          }
          try ("cell\tseed\tepoch\tmeasure\ttop1\n" + lines.joined()).write(
            toFile: place + "/result.tsv", atomically: true, encoding: .utf8)
        }
      }
      let tables = try ToolRunner.run(
        Self.pipelines + "ablations.mk", ["show", "BIN=\(ToolRunner.folder)", "OUT=out"], environment: Self.plain,
        in: folder)
      #expect(tables.status == 0, "\(tables.errors)")
      #expect(
        table(tables.text, "Pseudo MAE") == ["84.00", "±", "4.00", "5.00", "±", "0.00", "-", "-", "-"], "\(tables.text)"
      )
      #expect(table(tables.text, "L_m ") == ["61.50", "±", "0.00", "5.00", "±", "0.00", "-", "-", "-"])
      #expect(table(tables.text, "0.9 ") == ["2.00", "(1)", "5.00", "(1)", "-", "-", "-"])
      #expect(tables.text.contains("logistic regr. all labels: nothing beats pixels (5.00)."), "\(tables.text)")
      #expect(table(tables.text, "MAE") == nil, "nothing is there of it")
      let lines = try String(contentsOfFile: folder + "/out/results.tsv", encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 33 && lines[0] == "cell\tseed\tepoch\tmeasure\ttop1")
      #expect(lines.contains("pseudo-mae\t0\t10\tknn\t80.00"))
    }
  }

  /// Measures that nobody took and cells without a cost are left out.
  @Test func resultsAreDrawn() throws {
    try ToolRunner.withTemporaryFolder { folder in
      func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
      }
      func draw(_ name: String, _ arguments: String...) throws -> ToolResult {
        try ToolRunner.run(Self.pipelines + "results-\(name).sh", arguments, in: folder)
      }
      let results = ["pseudo-mae", "momentum-0.9", "sdae"].enumerated().flatMap { row, cell in
        [1, 10].flatMap { epoch in [0, 1].map { "\(cell)\t\($0)\t\(epoch)\tknn\t\(70 + row + epoch)\n" } }
      }
      try write("all.tsv", "cell\tseed\tepoch\tmeasure\ttop1\n" + results.joined() + "pixels\t0\t0\tknn\t75\n")
      try write("costs.tsv", "cell\tgflop\npseudo-mae\t200\nsdae\t100\nmae\t50\n")
      try write("other.tsv", "cell\tgflop\nmae\t50\n")
      let curves = try draw("curves", "all.tsv", "costs.tsv", "3")
      #expect(curves.status == 0 && curves.errors.isEmpty, "\(curves.errors)")
      for text in [">pseudo-mae<", ">sdae<", ">pixels<", ">k-NN against epochs<", ">k-NN against computing<", "</svg>"]
      {
        #expect(curves.text.contains(text))
      }
      for text in ["momentum", ">mae<", "logistic"] { #expect(!curves.text.contains(text), "no value, or no cost") }
      let costless = try draw("curves", "all.tsv", "all.tsv", "3")
      #expect(costless.status == 65 && costless.errors.contains("no result has \"gflop\""), "\(costless.errors)")
      let strangers = try draw("curves", "all.tsv", "other.tsv", "3")
      #expect(strangers.status == 65 && strangers.errors.contains("no cell of"), "\(strangers.errors)")

      let picture = try draw("picture", "equal epochs=all.tsv", "once more=all.tsv")
      #expect(picture.status == 0 && picture.errors.isEmpty, "\(picture.errors)")
      for text in ["Pseudo MAE<", ">SdAE<", ">momentum-0.9<", "equal epochs<", "once more<", "</svg>"] {
        #expect(picture.text.contains(text), "\(text)")
      }
      try write("pixels.tsv", "cell\tseed\tepoch\tmeasure\ttop1\npixels\t0\t0\tknn\t75\n")
      let none = try draw("picture", "nothing=pixels.tsv")
      #expect(none.status == 65 && none.errors.contains("pixels.tsv: no method in it"), "\(none.errors)")
      let unnamed = try draw("picture", "all.tsv")
      #expect(unnamed.status == 64 && unnamed.errors.contains("expected NAME=RESULTS.tsv"), "\(unnamed.errors)")
    }
  }
}
