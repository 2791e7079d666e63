import CKernels
import Foundation
import Testing

/// Attention of one head in bfloat16 by pairs, against its definition in double precision of the same rounded values.
struct PairAttentionTests {
  /// Rows of bfloat16 of two heads' queries, keys and values, of which the second is meant: what is around it stays.
  private struct Rows {
    var words: [UInt16]
    let columns: Int

    init(_ tokens: Int, _ columns: Int, seed: UInt64) {
      self.columns = columns
      words = [UInt16](repeating: 0, count: tokens * columns)
      pmae_to_bfloat16(numbers(tokens * columns, seed: seed), &words, words.count)
    }

    subscript(_ row: Int, _ column: Int) -> Double {
      Double(Float(bitPattern: UInt32(words[row * columns + column]) << 16))
    }
  }

  private typealias Matrix = [[Double]]
  private static let untouched: UInt16 = 0x7FC1

  @Test(
    .enabled(if: pmae_pair_multiplier() != nil, "this processor has no instructions for it, or better ones"),
    arguments: [1, 5, 16, 17, 32, 33, 48, 50, 64, 65, 79, 80], [16, 48, 64])
  func aHeadIsItsDefinition(tokens: Int, depth: Int) {
    let width = 2 * depth, scale = 1 / Double(depth).squareRoot()
    let qkv = Rows(tokens, 3 * width, seed: UInt64(tokens)), dy = Rows(tokens, width, seed: 99)
    var y = [UInt16](repeating: Self.untouched, count: tokens * width)
    var dqkv = [UInt16](repeating: Self.untouched, count: tokens * 3 * width)
    let lanes = (tokens + 15) / 16 * 16
    // What is beyond the scratch that is asked for shows that it was written.
    let room = lanes * (depth / 2 + 3 * tokens + 1) + depth * (2 * tokens + 1)
    var scratch = [Float](repeating: 7, count: room + 64)
    qkv.words.withUnsafeBufferPointer { x in
      let head = x.baseAddress! + depth
      y.withUnsafeMutableBufferPointer {
        pmae_attend_pairs(
          head, head + width, head + 2 * width, 3 * width, tokens, depth, Float(scale), $0.baseAddress! + depth, width,
          &scratch)
      }
      dqkv.withUnsafeMutableBufferPointer { out in
        let out = out.baseAddress! + depth
        dy.words.withUnsafeBufferPointer {
          pmae_attend_pairs_backward(
            head, head + width, head + 2 * width, 3 * width, $0.baseAddress! + depth, width, tokens, depth,
            Float(scale), out, out + width, out + 2 * width, 3 * width, &scratch)
        }
      }
    }
    #expect(scratch.suffix(64).allSatisfy { $0 == 7 })

    func part(_ x: Rows, _ first: Int) -> Matrix {
      (0..<tokens).map { t in (0..<depth).map { x[t, first + depth + $0] } }
    }
    func product(_ a: Matrix, _ b: Matrix) -> Matrix {
      a.map { row in (0..<b[0].count).map { c in row.indices.reduce(0) { $0 + row[$1] * b[$1][c] } } }
    }
    func turned(_ a: Matrix) -> Matrix { (0..<a[0].count).map { c in a.map { $0[c] } } }
    let q = part(qkv, 0), k = part(qkv, width), v = part(qkv, 2 * width), d = part(dy, 0)
    let p = product(q, turned(k)).map { row in
      let e = row.map { exp(scale * ($0 - row.max()!)) }
      return e.map { $0 / e.reduce(0, +) }
    }
    let ds = zip(p, product(d, turned(v))).map { p, dp in
      let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
      return zip(p, dp).map { scale * $0 * ($1 - mean) }
    }
    func expectNear(_ found: [UInt16], _ columns: Int, _ first: Int, _ wanted: Matrix, _ name: String) {
      // Shares, their gradients and the result have 8 bits.
      let bound = wanted.joined().map(abs).max()! / 64 + 1e-30
      for t in 0..<tokens {
        for c in 0..<depth {
          let value = Double(Float(bitPattern: UInt32(found[t * columns + first + depth + c]) << 16))
          #expect(abs(value - wanted[t][c]) <= bound, "\(name) at \(t), \(c)")
        }
        #expect((0..<depth).allSatisfy { found[t * columns + first + $0] == Self.untouched })
      }
    }
    expectNear(y, width, 0, product(p, v), "y")
    expectNear(dqkv, 3 * width, 0, product(ds, k), "dq")
    expectNear(dqkv, 3 * width, width, product(turned(ds), q), "dk")
    expectNear(dqkv, 3 * width, 2 * width, product(turned(p), d), "dv")
  }
}
