// Which pictures of a set are taken, and in which order.

import Parallel
import Schemas
import TensorStream

/// A choice among pictures: shuffle, then skip, then so many of each class or a share of it, then a limit, then a part of what is left, for
/// one of several jobs. Shuffling comes first. So with equal seeds, and `skip` and `limit` at the same number, a set is cut into two parts that share nothing.
public struct PictureSelection: Sendable {
  /// Shuffles by this seed; nil keeps the order.
  public var shuffle: UInt64?
  /// Leaves out this many at the beginning.
  public var skip = 0
  /// Takes this many of each class, the first ones.
  public var perClass: Int?
  /// Takes this share of each class, the first ones, rounded and at least one; of all where there are no labels.
  public var share: Double?
  /// Takes at most this many.
  public var limit: Int?
  /// Takes this part of these.
  public var part: SetPart?

  private static let purpose: UInt32 = 0x7061_636B

  public init() {}

  /// The numbers of the chosen pictures, in the order to be written.
  /// Throws `Failure(.data)` where nothing is left or a class has too few, `Failure(.usage)` for `perClass` without labels.
  public func choose(from source: PictureSet) throws -> [Int] {
    var chosen: [Int]
    if let shuffle {
      var random = CounterRandom(seed: shuffle, epoch: 0, sample: 0, purpose: Self.purpose)
      chosen = random.permutation(source.count)
    } else {
      chosen = Array(0..<source.count)
    }
    guard skip < chosen.count else {
      throw Failure(.data, "\(source.name): --skip \(skip) leaves nothing of \(counted(chosen.count, "picture"))")
    }
    chosen.removeFirst(skip)
    if let perClass { chosen = try stratified(chosen, perClass, source) }
    if let share { chosen = Self.part(chosen, share, source) }
    if let limit, limit < chosen.count { chosen.removeLast(chosen.count - limit) }
    if let part {
      chosen = Array(chosen[try part.rows(of: chosen.count, unit: "picture", source: source.name)])
    }
    return chosen
  }

  private static func part(_ order: [Int], _ share: Double, _ source: PictureSet) -> [Int] {
    func count(of all: Int) -> Int { max(1, Int((share * Double(all)).rounded())) }
    guard let classes = source.classes else { return Array(order.prefix(count(of: order.count))) }
    var left = [Int](repeating: 0, count: classes.count)
    for index in order where source.label(index) >= 0 { left[Int(source.label(index))] += 1 }
    left = left.map(count)
    return order.filter { index in
      let label = Int(source.label(index))
      if label < 0 || left[label] == 0 { return false }
      left[label] -= 1
      return true
    }
  }

  private func stratified(_ order: [Int], _ perClass: Int, _ source: PictureSet) throws -> [Int] {
    guard let classes = source.classes else {
      throw Failure(.usage, "\(source.name): --per-class needs labels, and there are none")
    }
    var taken = [Int](repeating: 0, count: classes.count)
    let chosen = order.filter { index in
      let label = Int(source.label(index))
      // It will not be packed.
      if label < 0 { return false }
      taken[label] += 1
      return taken[label] <= perClass
    }
    for (label, count) in taken.enumerated() where count < perClass {
      throw Failure(
        .data,
        "\(source.name): --per-class \(perClass), but class \(classes[label]) has \(counted(count, "picture"))"
          + (skip > 0 ? " after --skip \(skip)" : ""))
    }
    return chosen
  }
}
