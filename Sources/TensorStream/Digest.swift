/// XXH64, the hash that zstd's checksums are taken from. It tells files apart; it does not withstand anybody who wants
/// two files to look the same.
package func xxh64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
  func word(_ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
  func round(_ lane: UInt64, _ input: UInt64) -> UInt64 { (lane &+ input &* p2).rotated(31) &* p1 }

  var hash: UInt64
  var at = 0
  if bytes.count >= 32 {
    var (a, b, c, d) = (seed &+ p1 &+ p2, seed &+ p2, seed, seed &- p1)
    while bytes.count - at >= 32 {
      a = round(a, word(at))
      b = round(b, word(at + 8))
      c = round(c, word(at + 16))
      d = round(d, word(at + 24))
      at += 32
    }
    hash = a.rotated(1) &+ b.rotated(7) &+ c.rotated(12) &+ d.rotated(18)
    for lane in [a, b, c, d] { hash = (hash ^ round(0, lane)) &* p1 &+ p4 }
  } else {
    hash = seed &+ p5
  }
  hash = hash &+ UInt64(bytes.count)
  while bytes.count - at >= 8 {
    hash = (hash ^ round(0, word(at))).rotated(27) &* p1 &+ p4
    at += 8
  }
  if bytes.count - at >= 4 {
    let half = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
    hash = (hash ^ UInt64(half) &* p1).rotated(23) &* p2 &+ p3
    at += 4
  }
  while at < bytes.count {
    hash = (hash ^ UInt64(bytes[at]) &* p5).rotated(11) &* p1
    at += 1
  }
  hash = (hash ^ hash >> 33) &* p2
  hash = (hash ^ hash >> 29) &* p3
  return hash ^ hash >> 32
}

private let p1: UInt64 = 0x9E37_79B1_85EB_CA87
private let p2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
private let p3: UInt64 = 0x1656_67B1_9E37_79F9
private let p4: UInt64 = 0x85EB_CA77_C2B2_AE63
private let p5: UInt64 = 0x27D4_EB2F_1656_67C5

extension UInt64 {
  fileprivate func rotated(_ bits: UInt64) -> UInt64 { self << bits | self >> (64 - bits) }
}

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
