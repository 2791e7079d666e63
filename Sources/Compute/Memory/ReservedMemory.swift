import CKernels
import Foundation

/// Address space from the system, aligned to 2 MiB. A page costs memory from the first time that it is touched, and is zero then.
struct ReservedMemory {
  let start: UnsafeMutableRawPointer
  /// A multiple of 2 MiB.
  let bytes: Int

  private static let page = 2 << 20

  /// - Parameters:
  ///   - least: bytes that are needed; a system that does not have them ends the process.
  ///   - wanted: bytes to reserve if the system lets it: it may limit the address space of a process, or count what is
  ///     reserved as used.
  init(atLeast least: Int, preferably wanted: Int) {
    var bytes = Self.pages(max(least, wanted))
    while true {
      if let start = Self.map(bytes) {
        (self.start, self.bytes) = (start, bytes)
        return
      }
      if bytes == Self.pages(least) { fatalError("out of memory: the system refuses \(bytes) bytes") }
      bytes = Self.pages(max(least, bytes / 2))
    }
  }

  func release() {
    pmae_unpoison(start, bytes)
    munmap(start, bytes)
  }

  private static func pages(_ bytes: Int) -> Int { (bytes + page - 1) / page * page }

  private static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    // A page more, to cut an aligned range from.
    let flags = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE
    guard let raw = mmap(nil, bytes + page, PROT_READ | PROT_WRITE, flags, -1, 0), raw != MAP_FAILED else { return nil }
    let start = raw.alignedUp(toMultipleOf: page)
    let (head, tail) = (start - raw, page - (start - raw))
    if head > 0 { munmap(raw, head) }
    if tail > 0 { munmap(start + bytes, tail) }
    #if os(Linux)
      // Huge pages: fewer page faults at the start and fewer TLB misses in every GEMM.
      madvise(start, bytes, MADV_HUGEPAGE)
    #endif
    return start
  }
}
