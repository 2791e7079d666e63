import Evaluation
import TensorStream
import Testing

/// What a table says of rows that nothing beats.
@Suite struct TableRemarkTests {
  private func remarks(_ records: [ResultRecord], _ query: TableQuery) throws -> [String] {
    try ResultTable(records, query).remarks(TableStyle())
  }

  private let rows = [
    "cell=pixels measure=knn v=84", "cell=mae measure=knn v=82", "cell=sdae measure=knn v=83",
    "cell=pixels measure=probe v=80", "cell=mae measure=probe v=85", "cell=mae measure=other v=1",
  ]

  /// `pixels` is a row to beat without being asked for; a column in which it is beaten, or is not, has no sentence.
  @Test func whatNothingBeatsIsSaid() throws {
    let records = results(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5])
    let query = query("cell") { $0.columns = "measure" }
    let sentence = "knn: nothing beats pixels (84.00). The best other row, sdae, has 83.00."
    #expect(try remarks(records, query) == [sentence])
    let table = try ResultTable(records, query)
    #expect(table.text(TableStyle()).hasSuffix("\n\n\(sentence)\n"))
    #expect(table.markdown(TableStyle()).hasSuffix("|\n\n\(sentence)\n"))
    #expect(!table.tsv(TableStyle()).contains("nothing"))
  }

  @Test func equalIsNotBetter() throws {
    let records = results("cell=pixels v=84", "cell=mae v=84")
    let sentence = "v: nothing beats pixels (84.00). The best other row, mae, has 84.00."
    #expect(try remarks(records, query("cell")) == [sentence])
  }

  /// Better by less than seeds differ is said; by more is not.
  @Test func withinTheSpreadIsSaid() throws {
    let records = results("cell=pixels v=84", "cell=mae v=84", "cell=mae v=86")
    #expect(
      try remarks(records, query("cell")) == [
        "v: mae (85.00) beats pixels (84.00), but by no more than the spread of 1.41."
      ])
    #expect(try remarks(results("cell=pixels v=84", "cell=mae v=86", "cell=mae v=86.2"), query("cell")).isEmpty)
  }

  /// Rows named by several keys are compared where the others are the same; labels and lines of names are in the sentence.
  @Test func rowsOfSeveralKeys() throws {
    let records = results(
      "cell=raw k=1 v=3", "cell=raw k=2 v=5", "cell=scratch k=1 v=9", "cell=mae k=1 v=4", "cell=mae k=2 v=4")
    let query = query("cell", "k") {
      $0.baselines = ["raw", "scratch"]
      $0.chosenRows = [.init("raw", label: "raw pixels"), .init("scratch"), .init("mae", label: "MAE")]
      $0.values = [.init("v", label: "k-NN\nof k")]
    }
    #expect(
      try remarks(records, query) == [
        "k-NN of k, k = 2: nothing beats raw pixels (5.00). The best other row, MAE, has 4.00.",
        "k-NN of k, k = 1: nothing beats scratch (9.00). The best other row, MAE, has 4.00.",
      ])
  }

  @Test func aBaselineHasToBeThere() throws {
    let query = query("cell") { $0.baselines = ["scratch"] }
    #expect(throws: Failure.self) { try ResultTable(results("cell=pixels v=1"), query) }
    // One row alone has nothing to be compared with.
    #expect(try remarks(results("cell=pixels v=1"), EvaluationTests.query("cell")).isEmpty)
  }
}
