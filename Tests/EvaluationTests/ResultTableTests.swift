import Evaluation
import TensorStream
import Testing

/// Which result goes into which cell, and what a cell says.
@Suite struct ResultTableTests {
  private func text(
    _ records: [ResultRecord], _ query: TableQuery, style change: (inout TableStyle) -> Void = { _ in }
  ) throws -> String {
    var style = TableStyle()
    change(&style)
    return try ResultTable(records, query).text(style)
  }

  private let seeds = [
    "cell=b seed=0 measure=knn v=1", "cell=b seed=1 measure=knn v=3", "cell=a seed=0 measure=knn v=5",
    "cell=b seed=0 measure=probe v=4",
  ]

  @Test func meansAndDeviationsOfSeeds() throws {
    let records = results(seeds[0], seeds[1], seeds[2], seeds[3])
    let query = query("cell") {
      $0.columns = "measure"
      $0.over = "seed"
    }
    #expect(
      try text(records, query) == """
                   knn     probe
        b  2.00 ± 1.41  4.00 (1)
        a     5.00 (1)         -

        """)
    #expect(
      try text(records, query) { $0.showsCounts = false } == """
                   knn  probe
        b  2.00 ± 1.41   4.00
        a         5.00      -

        """)
    #expect(
      try ResultTable(records, query).tsv(TableStyle()) == """
        cell\tknn\tknn_deviation\tknn_n\tprobe\tprobe_deviation\tprobe_n
        b\t2.00\t1.41\t2\t4.00\t-\t1
        a\t5.00\t-\t1\t-\t-\t0

        """)
    #expect(
      try ResultTable(records, query).markdown(TableStyle()) == """
        |  | knn | probe |
        |---|---:|---:|
        | b | 2.00 ± 1.41 | 4.00 (1) |
        | a | 5.00 (1) | - |

        """)
  }

  @Test func rowsAndColumnsAreChosenAndNamed() throws {
    let records = results(seeds[0], seeds[1], seeds[2], seeds[3])
    var query = query("cell") {
      $0.columns = "measure"
      $0.chosenRows = [.init("none", label: "not run"), .init("b", label: "the first")]
      $0.chosenColumns = [.init("probe", label: "linear\nprobe"), .init("few")]
    }
    #expect(
      try text(records, query) {
        $0.title = "A title"
        $0.heading = "cell"
        $0.widths = [10, 9]
      } == """
        A title
        cell         linear      few
                      probe
        not run           -        -
        the first  4.00 (1)        -

        """)
    query.skipsEmptyRows = true
    #expect(try ResultTable(records, query).rows.map(\.name) == ["the first"])
  }

  /// Numbers by size, words as they come; a result without a second key is a row of its own.
  @Test func theOrderOfRows() throws {
    let records = results("f=z k=100 v=1", "f=z k=20 v=2", "f=a v=3", "f=z k=3 v=4")
    #expect(
      try ResultTable(records, query("f", "k")).rows.map(\.name) == ["z, k = 3", "z, k = 20", "z, k = 100", "a"])
    #expect(
      try ResultTable(results("e=10 v=1", "e=9 v=1", "e=9.5 v=1"), query("e")).rows.map(\.name) == ["9", "9.5", "10"])
    #expect(
      try ResultTable(results("e=10 v=1", "e=x v=1", "e=9 v=1"), query("e")).rows.map(\.name) == ["10", "x", "9"])
  }

  @Test func onlyTheLastEpochOfEachRow() throws {
    let records = results("c=a e=9 v=1", "c=a e=10 v=2", "c=b e=9 v=3")
    let table = try ResultTable(records, query("c") { $0.last = "e" })
    #expect(table.rows.map { $0.cells[0]?.mean } == [2, 3])
  }

  /// Not the ratio of the medians, which is 3.
  @Test func ratiosAreThoseOfPairs() throws {
    var lines: [ResultRecord] = []
    for (pair, (a, b)) in zip([2, 4, 6, 8, 10], [1, 4, 2, 1, 5]).enumerated() {
      lines += results("s=a p=\(pair) v=\(a)", "s=b p=\(pair) v=\(b)")
    }
    let table = try ResultTable(
      lines,
      query("s") {
        $0.ratio = .init(key: "s", numerator: "a", denominator: "b")
        $0.over = "p"
        $0.spread = .range
      })
    #expect(table.rows.map(\.name) == ["a/b"])
    #expect(table.text(TableStyle()).hasSuffix("a/b  2.00 (1.00..8.00)\n"))
  }

  @Test func filtersOfOneKeyAreAlternatives() throws {
    let records = results("c=a m=1 v=1", "c=b m=1.0 v=2", "c=c m=2 v=3", "c=d m=1 v=4")
    let table = try ResultTable(records, query("c") { $0.filter = [("m", ["1"]), ("c", ["a", "b", "c"])] })
    #expect(table.rows.map(\.name) == ["a", "b"])
  }

  @Test(arguments: [
    (NumberFormat.digits(2), 0.125, "0.12"), (.digits(0), 99.5001, "100"), (.significant(4), 1890.24, "1890"),
    (.significant(4), 2.5, "2.500"), (.significant(3), 0.01234, "0.0123"), (.significant(3), 0, "0.00"),
    (.whole, 0.1, "0.1"), (.whole, 1.0 / 3, "0.333333333"),
  ])
  func digits(_ format: NumberFormat, value: Double, expected: String) throws {
    let text = try text(results("c=a v=\(value)"), query("c")) {
      $0.numbers = format
      $0.hasHeader = false
    }
    #expect(text == "a  \(expected)\n")
  }

  @Test(arguments: [
    ("twice", "x, knn, v: seed 0 comes twice (line 1, line 2)"),
    ("none", "x, knn, v: has 2 values (line 1, line 2), and --spread none shows one"),
    ("key", "no result has \"cel\": there is \"cell\", \"m\", \"seed\", \"v\""),
    ("value", "no result has \"w\""), ("where", "no result has m=z: \"m\" is \"knn\", \"probe\""),
    ("word", "line 3: \"seed\" is \"one\": expected a number"), ("lone", "line 3: has no \"m\""),
    ("ratio", "a ratio needs one result with m=probe beside it, but there are 0"),
  ])
  func whatCannotBeIsNamed(_ what: String, message: String) throws {
    var records = results("cell=x m=knn seed=0 v=1", "cell=x m=knn seed=0 v=2", "cell=y m=probe seed=one v=3")
    var query = query("cell") { $0.columns = "m" }
    switch what {
    case "twice": query.over = "seed"
    case "none": query.spread = .none
    case "key": query.rows = ["cel"]
    case "value": query.values = [.init("w")]
    case "where": query.filter = [("m", ["z"])]
    case "word": query.values = [.init("seed")]
    case "ratio":
      records[1]["cell"] = .text("z")
      query = TableQuery(rows: ["cell"], values: [.init("v")])
      query.ratio = .init(key: "m", numerator: "knn", denominator: "probe")
    default: records[2] = ResultRecord(place: "line 3", fields: ["cell": .text("y"), "v": .number(1)])
    }
    let failure = #expect(throws: Failure.self) { try ResultTable(records, query) }
    #expect(failure?.kind == .data)
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
  }
}
