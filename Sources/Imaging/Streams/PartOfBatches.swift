import Schemas

// The rows of one rank of a run alone.
extension ViewStream {
  /// Of the rows at some places of an epoch those that are made.
  func own(_ rows: [Int], at places: Range<Int>, of all: Int) -> [Int] {
    guard let part else { return rows }
    return zip(places, rows).filter { part.holds($0.0, of: all) }.map(\.1)
  }

  /// How many rows are made of a store.
  public func count(of store: ImageStore) -> Int {
    let all = firstRow..<epochs * store.rows
    return part?.count(in: all, rowsPerEpoch: store.rows) ?? all.count
  }
}
