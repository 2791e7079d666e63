/// What tells one stream from another: a hash of its first record's document, and of its last where that is another.
struct StreamDigest {
  private var hash: UInt64

  init(first: DocumentBytes) { hash = xxh64(first.bytes) }

  mutating func add(last: DocumentBytes) { hash = xxh64(last.bytes, seed: hash) }

  /// Sixteen hexadecimal digits.
  var text: String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
