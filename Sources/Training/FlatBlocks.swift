import Autodiff
import Compute
import Ranks

/// The values of all parameters in one piece of memory, rank after rank. Every rank has an equal slice, and in it each bucket its place: the
/// blocks that the rank has of the bucket, and what is left to the length of the longest rank's.
struct FlatBlocks {
  let blocks: ParameterBlocks
  /// Values of a rank's slice.
  let slice: Int
  /// Where each bucket is in a slice.
  let places: [Range<Int>]
  /// Where each block begins.
  let offsets: [Int]
  private let engine: Engine
  private var ranks: Ranks { engine.ranks }

  init(_ blocks: ParameterBlocks, engine: Engine) {
    (self.blocks, self.engine) = (blocks, engine)
    var slice = 0
    places = blocks.portions.map { portions in
      let first = slice
      slice += portions.map { blocks.size(of: $0) }.max()!
      return first..<slice
    }
    var offsets = [Int](repeating: 0, count: blocks.blocks.count)
    for (place, portions) in zip(places, blocks.portions) {
      for (rank, portion) in portions.enumerated() {
        var next = rank * slice + place.lowerBound
        for block in portion {
          offsets[block] = next
          next += blocks.blocks[block].range.count
        }
      }
    }
    (self.offsets, self.slice) = (offsets, slice)
  }

  /// Where this rank's blocks begin in its slice.
  var starts: [Int] { blocks.own.map { offsets[$0] - ranks.rank * slice } }

  /// Memory for all slices, with anything in it.
  func take() -> Buffer { engine.memory.take(slice * ranks.count) }

  /// Copies some blocks from buffers of whole parameters into flat memory; zeros where there is no buffer.
  func collect(_ chosen: some RandomAccessCollection<Int>, from values: [Buffer?], into flat: Buffer) {
    blocks.withPointers(to: values + [flat]) { pointers in
      blocks.run(values: 2, in: chosen) { number in
        let (parameter, range) = blocks.blocks[number]
        let place = pointers[values.count]! + offsets[number]
        if let values = pointers[parameter] {
          place.update(from: values + range.lowerBound, count: range.count)
        } else {
          place.update(repeating: 0, count: range.count)
        }
      }
    }
  }

  /// Copies all blocks from flat memory into buffers of whole parameters.
  private func spread(_ flat: Buffer, into values: [Buffer]) {
    Buffer.withPointers(to: values + [flat]) { pointers in
      blocks.run(values: 2, in: blocks.blocks.indices) { number in
        let (parameter, range) = blocks.blocks[number]
        let from = pointers[values.count] + offsets[number]
        (pointers[parameter] + range.lowerBound).update(from: from, count: range.count)
      }
    }
  }

  /// A moment of whole parameters, of what each rank has of it.
  /// - Parameter own: of each parameter.
  func whole(_ own: [Buffer]) -> [Buffer] {
    if ranks.count == 1 { return own }
    let flat = take()
    Buffer.withPointers(to: own + [flat]) { pointers in
      for number in blocks.own {
        let (parameter, range) = blocks.blocks[number]
        let from = pointers[parameter] + blocks.place(of: range.lowerBound, in: parameter)
        (pointers[own.count] + offsets[number]).update(from: from, count: range.count)
      }
    }
    gather(flat)
    let whole = blocks.parameters.map { engine.memory.take($0.parameter.tensor.count) }
    spread(flat, into: whole)
    return whole
  }

  /// Takes what this rank has of a moment of whole parameters.
  func take(_ whole: [Buffer], into own: [Buffer]) {
    if ranks.count == 1 { return }
    Buffer.withPointers(to: whole + own) { pointers in
      for number in blocks.own {
        let (parameter, range) = blocks.blocks[number]
        let to = pointers[whole.count + parameter] + blocks.place(of: range.lowerBound, in: parameter)
        to.update(from: pointers[parameter] + range.lowerBound, count: range.count)
      }
    }
  }

  private func gather(_ flat: Buffer) {
    Buffer.withPointers(to: [flat]) { ranks.gatherInPlace($0[0], block: slice) }
  }
}
