import Schemas
import TensorStream

/// What streams that become one set must agree on.
enum StreamAgreement {
  /// What stands between the classes in a label's name, which is the same in all streams.
  static func labelSeparator(of sets: [(name: String, header: Record, digest: String)]) throws -> String? {
    let all = try sets.map { try ImagesHeader($0.header, source: $0.name).labelSeparator }
    for (set, own) in zip(sets, all) { try requireSameSeparator(all[0], of: sets[0].name, own, of: set.name) }
    return all[0]
  }

  /// The masks' classes of all streams, which all have the same or none. A class has the name that some stream gives it.
  static func masks(of sets: [(name: String, header: Record, digest: String)]) throws -> MaskClasses? {
    let all = try sets.map { try MaskClasses.of($0.header, source: $0.name) }
    guard var merged = all[0] else {
      if let other = all.firstIndex(where: { $0 != nil }) { throw mixed(sets[other].name, sets[0].name) }
      return nil
    }
    for (place, (set, own)) in zip(sets, all).enumerated().dropFirst() {
      guard let own else { throw mixed(sets[0].name, set.name) }
      try requireSameMasks(merged, of: place == 1 ? sets[0].name : "the streams before it", own, of: set.name)
      let names = ClassNames.merged(merged.names, own.names) ?? merged.names
      merged = MaskClasses(names: names, colours: merged.colours)
    }
    return merged
  }

  private static func mixed(_ with: String, _ without: String) -> Failure {
    Failure(.data, "\(without): has no masks, but \(with) has: --no-masks leaves all out")
  }
}
