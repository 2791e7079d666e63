/// XXH64, the hash of zstd's checksums, of bytes that come piece by piece. It tells files apart. It does not protect
/// against a person who makes two files with one hash.
struct XXH64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// Four lanes of eight bytes.
  private var lanes: SIMD4<UInt64>
  private let seed: UInt64
  private var count = 0
  /// What is less than a stripe of 32 bytes.
  private var rest: [UInt8] = []

  init(seed: UInt64 = 0) {
    self.seed = seed
    lanes = SIMD4(seed &+ Self.prime1 &+ Self.prime2, seed &+ Self.prime2, seed, seed &- Self.prime1)
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    count += bytes.count
    var place = 0
    if !rest.isEmpty {
      place = min(32 - rest.count, bytes.count)
      rest.append(contentsOf: bytes[..<place])
      if rest.count < 32 { return }
      rest.withUnsafeBytes { stripes($0) }
      rest.removeAll(keepingCapacity: true)
    }
    let whole = (bytes.count - place) / 32 * 32
    stripes(UnsafeRawBufferPointer(rebasing: bytes[place..<(place + whole)]))
    rest.append(contentsOf: bytes[(place + whole)...])
  }

  private mutating func stripes(_ bytes: UnsafeRawBufferPointer) {
    var (a, b, c, d) = (lanes[0], lanes[1], lanes[2], lanes[3])
    for i in stride(from: 0, to: bytes.count, by: 32) {
      a = Self.round(a, Self.word(bytes, i))
      b = Self.round(b, Self.word(bytes, i + 8))
      c = Self.round(c, Self.word(bytes, i + 16))
      d = Self.round(d, Self.word(bytes, i + 24))
    }
    lanes = SIMD4(a, b, c, d)
  }

  var value: UInt64 {
    var hash: UInt64
    if count >= 32 {
      hash = Self.rotated(lanes[0], 1) &+ Self.rotated(lanes[1], 7) &+ Self.rotated(lanes[2], 12)
      hash &+= Self.rotated(lanes[3], 18)
      for i in 0..<4 { hash = (hash ^ Self.round(0, lanes[i])) &* Self.prime1 &+ Self.prime4 }
    } else {
      hash = seed &+ Self.prime5
    }
    hash &+= UInt64(count)
    rest.withUnsafeBytes { bytes in
      var i = 0
      while i + 8 <= bytes.count {
        hash = Self.rotated(hash ^ Self.round(0, Self.word(bytes, i)), 27) &* Self.prime1 &+ Self.prime4
        i += 8
      }
      if i + 4 <= bytes.count {
        let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self)))
        hash = Self.rotated(hash ^ half &* Self.prime1, 23) &* Self.prime2 &+ Self.prime3
        i += 4
      }
      for byte in bytes[i...] {
        hash = Self.rotated(hash ^ UInt64(byte) &* Self.prime5, 11) &* Self.prime1
      }
    }
    hash = (hash ^ hash >> 33) &* Self.prime2
    hash = (hash ^ hash >> 29) &* Self.prime3
    return hash ^ hash >> 32
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotated(lane &+ word &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 { value &<< bits | value &>> (64 &- bits) }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
  }
}

/// XXH64 of bytes that are all there.
package func xxh64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
  var hash = XXH64(seed: seed)
  hash.add(bytes)
  return hash.value
}
