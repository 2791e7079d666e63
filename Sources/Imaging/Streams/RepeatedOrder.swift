/// An epoch in which each picture that comes, comes several times in a row, in views that are drawn anew each time (repeated
/// augmentation: Hoffer et al., 2020). It has as many rows as the order that it is made from, so it shows the pictures of
/// that order's beginning alone, as DeiT's `RASampler` does.
public struct RepeatedOrder {
  private let order: EpochOrder
  private let repeats: Int
  /// Of all sets together.
  private let pictures: Int

  /// - Parameters:
  ///   - repeats: how often a picture comes in a row.
  ///   - pictures: how many there are.
  public init(_ order: EpochOrder, repeats: Int, pictures: Int) {
    precondition(repeats > 0)
    (self.order, self.repeats, self.pictures) = (order, repeats, pictures)
  }

  public var rows: Int { order.rows }

  /// The rows at these places of the epoch; the k-th view of a picture has its number plus k times that of all pictures.
  public func rows(_ places: Range<Int>) -> [Int] {
    if repeats == 1 { return order.rows(places) }
    let rows = order.rows(origins(of: places))
    return places.map { place in
      let (picture, view) = (rows[place / repeats - places.lowerBound / repeats], place % repeats)
      let (seen, row) = picture.quotientAndRemainder(dividingBy: pictures)
      return row + (seen * repeats + view) * pictures
    }
  }

  /// All records of the groups that these places lie in.
  func records(at places: Range<Int>) -> Set<Int> { order.records(at: origins(of: places)) }

  private func origins(of places: Range<Int>) -> Range<Int> {
    places.lowerBound / repeats..<(places.upperBound + repeats - 1) / repeats
  }
}
