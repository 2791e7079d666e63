// Very many names in one piece of memory.

/// Byte strings, appended one after the other. A million of them take the memory of their bytes and eight more each.
struct NameTable: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  mutating func append(_ name: some Collection<UInt8>) {
    bytes.append(contentsOf: name)
    ends.append(bytes.count)
  }

  subscript(index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

  /// The numbers of the names in the order of their bytes.
  func sorted() -> [Int] {
    bytes.withUnsafeBufferPointer { bytes in
      (0..<count).sorted { a, b in
        let x = UnsafeBufferPointer(rebasing: bytes[(a == 0 ? 0 : ends[a - 1])..<ends[a]])
        let y = UnsafeBufferPointer(rebasing: bytes[(b == 0 ? 0 : ends[b - 1])..<ends[b]])
        return x.lexicographicallyPrecedes(y)
      }
    }
  }
}
