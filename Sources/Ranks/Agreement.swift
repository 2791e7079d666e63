import Foundation
import TensorStream

// What several ranks must have in common, and what happens where one of them fails.
extension Ranks {
  /// Does something on every rank. Where it fails on one, it fails on all: with that rank's failure, the first one's of
  /// several.
  public func agree<R>(_ body: () throws -> R) throws -> R {
    if count == 1 { return try body() }
    let result = Result { try body() }
    var (status, message) = (Int32(0), "")
    if case .failure(let error) = result {
      let failure = error as? Failure ?? Failure(.software, "\(error)")
      (status, message) = (failure.kind.rawValue, failure.message)
    }
    let all = gather([status])
    guard let first = all.firstIndex(where: { $0 != 0 }) else { return try result.get() }
    let texts = gather(message)
    // What all of them found is no matter of one rank.
    let isShared = all.allSatisfy { $0 == all[first] } && texts.allSatisfy { $0 == texts[first] }
    if isShared { _ = try result.get() }
    throw Failure(
      Failure.Kind(rawValue: all[first]) ?? .software, isShared ? texts[first] : "\(name(of: first)): \(texts[first])")
  }

  /// Throws `Failure(.data)` on all ranks where one has other facts than rank 0.
  /// - Parameter facts: values by the names that a message uses.
  public func requireSame(_ facts: [String: String]) throws {
    if count == 1 { return }
    let (field, line) = ("\u{1F}", "\u{1E}")
    let theirs = first(facts.map { $0.key + field + $0.value }.joined(separator: line)).components(separatedBy: line)
    try agree {
      let theirs = Dictionary(
        theirs.map { $0.components(separatedBy: field) }.map { ($0[0], $0.dropFirst().joined()) },
        uniquingKeysWith: { $1 })
      let names = Set(facts.keys).union(theirs.keys).sorted().filter { facts[$0] != theirs[$0] }
      if names.isEmpty { return }
      let differences = names.map { "\($0) \(facts[$0] ?? "none"), not \(theirs[$0] ?? "none")" }
      throw Failure(.data, "has, unlike \(name(of: 0)), " + differences.joined(separator: "; "))
    }
  }

  /// A rank as messages call it.
  private func name(of rank: Int) -> String { "rank \(rank) on \(hosts[rank])" }
}
