import TensorStream

/// Which rows of every batch a `views` stream holds, where the ranks of a run have a stream each: of each batch the rows
/// of one of equal parts, which follow each other. What is left of an epoch after its last whole batch is in no part.
public struct ViewPart: Equatable, Sendable {
  /// Its number, from 0.
  public let index: Int
  public let count: Int
  /// Rows of a whole batch.
  public let batch: Int

  /// - Parameter text: `3/8`, the number and how many there are; nil where it is no such text, or they cannot share the batch equally.
  public init?(_ text: String, batch: Int) {
    guard let part = SetPart(text), batch >= 1, batch < 1 << 31, batch.isMultiple(of: part.count) else { return nil }
    (index, count, self.batch) = (part.index, part.count, batch)
  }

  public var text: String { "\(index)/\(count)" }

  /// Rows of a batch that it has.
  private var share: Int { batch / count }

  /// Whether it has a row of an epoch of so many.
  public func holds(_ row: Int, of rows: Int) -> Bool { row < rows - rows % batch && row % batch / share == index }

  /// How many rows it has of those in a range that counts on from epoch to epoch.
  public func count(in range: Range<Int>, rowsPerEpoch rows: Int) -> Int {
    count(before: range.upperBound, rows) - count(before: range.lowerBound, rows)
  }

  private func count(before place: Int, _ rows: Int) -> Int {
    let (epochs, row) = place.quotientAndRemainder(dividingBy: rows)
    let (batches, rest) = min(row, rows - rows % batch).quotientAndRemainder(dividingBy: batch)
    return (epochs * (rows / batch) + batches) * share + min(max(rest - index * share, 0), share)
  }
}
