// The classes of several sets: one list where all have the same, or, on request, all names there are.

import TensorStream

/// The class names of some sets together, and how each set's labels become numbers in that list.
struct ClassMerging {
  /// Nil where the sets name none.
  let classes: [String]?
  /// For each set the new number of each old label; nil where labels stay.
  let numbers: [[Int32]?]

  /// - Parameter merges: whether different lists become one of all names, each in the place where it comes first.
  /// - Throws: `Failure(.data)` where lists differ and `merges` is false, where some sets name classes and others do not, and for a
  ///   list that is not one of names.
  init(sets: [(name: String, classes: [String]?)], merges: Bool) throws {
    let lists = sets.map(\.classes)
    let first = lists[0]
    guard let other = lists.indices.first(where: { lists[$0] != first }) else {
      classes = first
      numbers = lists.map { _ in nil }
      return
    }
    guard let named = lists.allNamed else {
      let without = lists.firstIndex { $0 == nil } ?? 0
      throw Failure(
        .data,
        "\(sets[without].name): names no classes, unlike others: their labels cannot be told apart; --no-labels leaves all out"
      )
    }
    guard merges else {
      let (a, b) = (Self.summary(named[0]), Self.summary(named[other]))
      throw Failure(
        .data,
        "\(sets[other].name): other classes than \(sets[0].name): \(b), not \(a); --merge-classes makes one list of all names"
      )
    }
    var merged: [String] = []
    var place: [String: Int32] = [:]
    for name in named.joined() where place[name] == nil {
      place[name] = Int32(merged.count)
      merged.append(name)
    }
    classes = merged
    numbers = named.map { list in list.map { place[$0] ?? -1 } }
  }

  private static func summary(_ names: [String]) -> String {
    "\(grouped(names.count)) (\(names.prefix(3).map { quoted($0) }.joined(separator: ", "))\(names.count > 3 ? ", …" : ""))"
  }
}

extension [[String]?] {
  /// All lists, where none is missing.
  fileprivate var allNamed: [[String]]? {
    let lists = compactMap { $0 }
    return lists.count == count ? lists : nil
  }
}
