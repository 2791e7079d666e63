/// The checksum of Castagnoli's polynomial (RFC 3720), which TFRecord files have.
public func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
  ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
}

private let table: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
}
