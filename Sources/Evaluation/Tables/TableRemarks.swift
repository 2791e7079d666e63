import TensorStream

/// What a table has to say in words: where nothing that was learnt beats a row that learnt nothing.
extension ResultTable {
  /// A sentence for each baseline and column in which the best other row is not better, or better by no more than the values of a
  /// cell differ. Greater counts as better. Rows are compared that have the same values of all keys but the first.
  public func remarks(_ style: TableStyle) -> [String] {
    let others = rows.filter { !$0.isBaseline }
    return rows.filter(\.isBaseline).flatMap { baseline in
      columns.indices.compactMap { place -> String? in
        guard let least = baseline.cells[place] else { return nil }
        let rivals = others.filter { $0.others.map(\.value) == baseline.others.map(\.value) }
        let best = rivals.compactMap { row in row.cells[place].map { (row: row, sample: $0) } }
          .max { centre($0.sample) < centre($1.sample) }
        guard let best else { return nil }
        let number = { (sample: Sample) in style.numbers.text(self.centre(sample)) }
        let keys = baseline.others.compactMap { key, value in value.map { "\(key) = \($0)" } }
        let column = (columns[place].names + keys).joined(separator: ", ").replacing("\n", with: " ")
        let (mine, theirs) = (baseline.label.replacing("\n", with: " "), best.row.label.replacing("\n", with: " "))
        if centre(best.sample) <= centre(least) {
          return "\(column): nothing beats \(mine) (\(number(least))). "
            + "The best other row, \(theirs), has \(number(best.sample))."
        }
        let spread = max(width(best.sample), width(least))
        if centre(best.sample) - centre(least) <= spread {
          return "\(column): \(theirs) (\(number(best.sample))) beats \(mine) (\(number(least))), "
            + "but by no more than the spread of \(style.numbers.text(spread))."
        }
        return nil
      }
    }.map { printable($0) }
  }

  /// What stands for a cell's values.
  private func centre(_ sample: Sample) -> Double { spread == .range ? sample.median : sample.mean }

  /// How far a cell's values differ, as the table shows it.
  private func width(_ sample: Sample) -> Double {
    switch spread {
    case .none: 0
    case .deviation: sample.deviation ?? 0
    case .range: sample.most - sample.least
    }
  }
}
