import Schemas
import TensorStream

/// What streams that become one set must agree on.
enum StreamAgreement {
  /// What stands between the classes in a label's name, which is the same in all streams.
  static func labelSeparator(of sets: [(name: String, header: Record, digest: String)]) throws -> String? {
    let all = try sets.map { try ImagesHeader($0.header, source: $0.name).labelSeparator }
    if let other = all.firstIndex(where: { $0 != all[0] }) {
      throw Failure(
        .data, "\(sets[other].name): \(text(all[other])), but those of \(sets[0].name) have \(text(all[0]))")
    }
    return all[0]
  }

  private static func text(_ separator: String?) -> String {
    separator.map { "sets of classes for labels, with \(quoted($0)) between" } ?? "one class for a label"
  }

  /// The masks' classes of all streams, which all have the same or none.
  static func masks(of sets: [(name: String, header: Record, digest: String)]) throws -> MaskClasses? {
    let all = try sets.map { try MaskClasses.of($0.header, source: $0.name) }
    guard let first = all[0] else {
      if let other = all.firstIndex(where: { $0 != nil }) { throw mixed(sets[other].name, sets[0].name) }
      return nil
    }
    for (set, own) in zip(sets, all).dropFirst() {
      guard let own else { throw mixed(sets[0].name, set.name) }
      try requireSameMasks(first, of: sets[0].name, own, of: set.name)
    }
    return first
  }

  private static func mixed(_ with: String, _ without: String) -> Failure {
    Failure(.data, "\(without): has no masks, but \(with) has: --no-masks leaves all out")
  }
}
