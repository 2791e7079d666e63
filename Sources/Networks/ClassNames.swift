import TensorStream

/// Throws where two lists of class names disagree about what a label means: a folder with one class fewer numbers all
/// that follow differently, and a result would be wrong without a sign of it.
///
/// A name that is its own number (what pmae-pack calls the classes of unnamed IDX labels) agrees with any, and one list
/// may be longer than the other.
public func requireSameClasses(
  _ first: [String]?, of firstSource: String, _ second: [String]?, of secondSource: String
) throws {
  for (label, (a, b)) in zip(first ?? [], second ?? []).enumerated() where a != b {
    if a == String(label) || b == String(label) { continue }
    throw Failure(
      .data, "\(secondSource): class \(label) is \"\(b)\", but that of \(firstSource) is \"\(a)\"")
  }
}
