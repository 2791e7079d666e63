import CKernels
import Foundation

/// Blocks of memory that are cut from large regions. A request takes the smallest free block that is large enough, and
/// of several the one at the lowest address; the rest of the block stays free. A block that comes back is merged with
/// its free neighbours. A region grows only when no free block is large enough. So the memory from the system stays
/// near what is lent at once: 1.01 times as much in the steps of a ViT-S. Knuth, The Art of Computer Programming, vol.
/// 1, section 2.5.
///
/// The bookkeeping is beside the memory, not in it. Blocks start at multiples of 64 bytes, and no page is touched
/// before its borrower touches it. In a build with AddressSanitizer every use of a free block is an error.
struct Arena: @unchecked Sendable {
  /// Bytes of all regions that have been part of a block.
  private(set) var used = 0

  private struct Block {
    var start: UnsafeMutableRawPointer
    var length: Int
    let region: Int
    /// The neighbours in the region.
    var before: Int?
    var after: Int?
    var isFree: Bool
  }

  /// Address space whose first `used` bytes are divided into blocks, the `last` of which ends there.
  private struct Region {
    let reserved: ReservedMemory
    var used = 0
    var last: Int?
  }

  private struct FreeBlock {
    let length: Int
    let start: UnsafeMutableRawPointer
    let block: Int
  }

  private var regions: [Region] = []
  private var blocks: [Block] = []
  /// Places in `blocks` that hold nothing at present.
  private var vacant: [Int] = []
  /// By length, then by address. There are tens of them in a step, so that a sorted array is the quickest tree.
  private var free: [FreeBlock] = []

  /// Lends memory.
  /// - Parameter bytes: at least 1.
  /// - Returns: where it starts, and what to give back.
  mutating func take(bytes: Int) -> (start: UnsafeMutableRawPointer, block: Int) {
    let length = (bytes + 63) / 64 * 64
    let place = firstFree { $0.length >= length }
    let block: Int
    if place < free.count {
      block = free.remove(at: place).block
      cut(block, to: length)
    } else {
      block = extend(length)
    }
    blocks[block].isFree = false
    pmae_unpoison(blocks[block].start, bytes)
    return (blocks[block].start, block)
  }

  /// Every byte of a block that is lent.
  func fill(_ block: Int, with byte: UInt8) {
    pmae_unpoison(blocks[block].start, blocks[block].length)
    memset(blocks[block].start, Int32(byte), blocks[block].length)
  }

  /// Takes back what was lent.
  mutating func give(_ lent: Int) {
    precondition(!blocks[lent].isFree, "memory given back twice")
    var block = lent
    blocks[block].isFree = true
    pmae_poison(blocks[block].start, blocks[block].length)
    if let after = blocks[block].after, blocks[after].isFree {
      removeFromFree(after)
      append(after, to: block)
    }
    if let before = blocks[block].before, blocks[before].isFree {
      removeFromFree(before)
      append(block, to: before)
      block = before
    }
    addToFree(block)
  }

  /// Hands all regions back to the system.
  mutating func release() {
    for region in regions { region.reserved.release() }
    self = Arena()
  }

  /// Makes a free block of `length` bytes of a longer or equal one, and another of the rest.
  private mutating func cut(_ block: Int, to length: Int) {
    let whole = blocks[block]
    if whole.length == length { return }
    let rest = add(
      Block(
        start: whole.start + length, length: whole.length - length, region: whole.region, before: block,
        after: whole.after, isFree: true))
    blocks[block].length = length
    link(block, rest)
    link(rest, whole.after)
    addToFree(rest)
  }

  /// Merges a block with the one after it.
  private mutating func append(_ after: Int, to block: Int) {
    blocks[block].length += blocks[after].length
    link(block, blocks[after].after)
    vacant.append(after)
  }

  private mutating func link(_ block: Int, _ after: Int?) {
    blocks[block].after = after
    if let after { blocks[after].before = block } else { regions[blocks[block].region].last = block }
  }

  /// A block of memory that no block has covered so far; it begins with the free block at the region's end, if there is one.
  private mutating func extend(_ length: Int) -> Int {
    let region = regions.firstIndex { $0.reserved.bytes - $0.used + freeAtEnd($0) >= length } ?? reserve(length)
    let (last, tail) = (regions[region].last, freeAtEnd(regions[region]))
    let end = regions[region].reserved.start + regions[region].used
    regions[region].used += length - tail
    used += length - tail
    if let last, tail > 0 {
      removeFromFree(last)
      blocks[last].length = length
      return last
    }
    let block = add(Block(start: end, length: length, region: region, before: last, after: nil, isFree: true))
    if let last { blocks[last].after = block }
    regions[region].last = block
    return block
  }

  private func freeAtEnd(_ region: Region) -> Int {
    guard let last = region.last, blocks[last].isFree else { return 0 }
    return blocks[last].length
  }

  /// A new region for at least `length` bytes. Each is as large as all before it, so that there are few and little is lost at
  /// their ends.
  private mutating func reserve(_ length: Int) -> Int {
    let before = regions.reduce(0) { $0 + $1.reserved.bytes }
    regions.append(Region(reserved: ReservedMemory(atLeast: length, preferably: max(before, 64 << 20))))
    return regions.count - 1
  }

  private mutating func add(_ block: Block) -> Int {
    if let place = vacant.popLast() {
      blocks[place] = block
      return place
    }
    blocks.append(block)
    return blocks.count - 1
  }

  private mutating func addToFree(_ block: Int) {
    let (length, start) = (blocks[block].length, blocks[block].start)
    free.insert(FreeBlock(length: length, start: start, block: block), at: placeInFree(length, start))
  }

  private mutating func removeFromFree(_ block: Int) {
    free.remove(at: placeInFree(blocks[block].length, blocks[block].start))
  }

  private func placeInFree(_ length: Int, _ start: UnsafeMutableRawPointer) -> Int {
    firstFree { $0.length > length || ($0.length == length && $0.start >= start) }
  }

  /// The first free block that satisfies what all after it satisfy too; `free.count` if none does.
  @inline(__always)
  private func firstFree(where isEnough: (FreeBlock) -> Bool) -> Int {
    var range = 0..<free.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      range = isEnough(free[middle]) ? range.lowerBound..<middle : middle + 1..<range.upperBound
    }
    return range.lowerBound
  }
}
