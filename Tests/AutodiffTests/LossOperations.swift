import Autodiff
import Foundation

/// The losses, and operations joined so that gradients meet, are shared, and add up.
extension Operation {
  static func crossEntropy(_ x: Reference, _ labels: Reference, _ rowOf: [Int32]?, _ scale: Double) -> Reference {
    var sum = 0.0
    for r in 0..<x.rows {
      let top = x.row(r).max()! * scale
      let log = Foundation.log(x.row(r).reduce(0) { $0 + exp($1 * scale - top) }) + top
      for c in 0..<x.columns { sum += labels[rowOf.map { Int($0[r]) } ?? r, c] * (log - scale * x[r, c]) }
    }
    return Reference(1, 1, [sum / Double(x.rows)])
  }

  static func losses(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    // Two rows share a label row, one label row has none.
    let rowOf = (0..<Int32(r)).map { [3, 0, 3, 2, 1][Int($0) % 5] + $0 / 5 * 4 }
    return [
      Operation(
        name: "softCrossEntropy", shapes: [(r, 7), (r, 7)], constants: [1],
        compute: { .loss($0.softCrossEntropy($1[0], labels: $1[1])) },
        reference: { crossEntropy($0[0], $0[1], nil, 1) }),
      Operation(
        name: "softCrossEntropy with labels of other rows, scaled", shapes: [(r, 7), (4 * scale, 7)], constants: [1],
        compute: { .loss($0.softCrossEntropy($1[0], labels: $1[1], rowOf: rowOf, scale: 2.5)) },
        reference: { crossEntropy($0[0], $0[1], rowOf, 2.5) }),
      Operation(
        name: "cosineLoss", shapes: [(r, 7), (r, 7)], constants: [1],
        compute: { .loss($0.cosineLoss($1[0], target: $1[1])) },
        reference: { x in
          let (p, t) = (normalise(x[0]), normalise(x[1]))
          return Reference(1, 1, [1 - zip(p.values, t.values).reduce(0) { $0 + $1.0 * $1.1 } / Double(r)])
        }),
      Operation(
        name: "meanSquaredError", shapes: [(r, 7), (r, 7)], constants: [1],
        compute: { .loss($0.meanSquaredError($1[0], target: $1[1])) },
        reference: { x in
          Reference(
            1, 1, [zip(x[0].values, x[1].values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(7 * r)])
        }),
    ]
  }

  static func add(_ x: Reference, _ y: Reference) -> Reference {
    Reference(x.rows, x.columns, zip(x.values, y.values).map(+))
  }

  static func geluLayer(_ x: Reference, _ w: Reference, _ b: Reference) -> Reference {
    let z = linear(x, w, b)
    return Reference(z.rows, z.columns, z.values.map(gelu))
  }

  static func composites(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    let some = (0..<Int32(r)).filter { $0 % 5 != 4 }.map { $0 }
    return [
      Operation(
        name: "a tensor added to itself", shapes: [(r, 7)], compute: { .tensor($0.addBranch($1[0], $1[0])) },
        reference: { add($0[0], $0[0]) }),
      Operation(
        name: "a tensor added to itself, scaled", shapes: [(r, 7)],
        compute: { .tensor($0.addBranch($1[0], $1[0], scale: 0.5)) },
        reference: { x in Reference(r, 7, x[0].values.map { 1.5 * $0 }) }),
      Operation(
        name: "one weight in two layers", shapes: [(r, 7), (7, 7), (1, 7)],
        compute: { tape, x in
          .tensor(tape.linear(tape.geluLinear(x[0], x[1], x[2]), x[1], x[2]))
        },
        reference: { linear(geluLayer($0[0], $0[1], $0[2]), $0[1], $0[2]) }),
      Operation(
        // The sum's gradient is shared by both terms; the branch's GELU changes its own in place.
        name: "a shared gradient that one of its owners changes", shapes: [(r, 7), (7, 7), (1, 7)],
        compute: { tape, x in
          let a = tape.geluLinear(x[0], x[1], x[2])
          let b = tape.geluLinear(x[0], x[1], x[2])
          return .tensor(tape.addBranch(a, tape.addBranch(b, tape.geluLinear(a, x[1], x[2]))))
        },
        reference: { x in
          let a = geluLayer(x[0], x[1], x[2])
          return add(a, add(a, geluLayer(a, x[1], x[2])))
        }),
      Operation(
        // In the backward pass the last addition shares its gradient with x first, and everything else adds to that.
        name: "one tensor read by every operation on rows",
        shapes: [(r, 6), (1, 6), (1, 6), (6, 6), (6, 2)],
        compute: { tape, x in
          var y = tape.linear(x[0], x[3], x[1])
          y = tape.addBranch(y, tape.layerNorm(x[0], x[1], x[2]))
          y = tape.addBranch(y, tape.layerNorm(x[0], x[2], x[1], rowsOf: some), rowsOf: some)
          y = tape.addBranch(y, tape.normaliseRows(x[0]))
          y = tape.addBranch(y, tape.gatherRows(x[0], some), rowsOf: some, scale: 2)
          let attended = tape.attention(x[0], sequences: scale, tokens: 5, heads: 1)
          y = tape.addBranch(y, tape.linear(attended, x[4]))
          y = tape.addBranch(y, x[0], scale: 0.5)
          return .tensor(tape.addBranch(y, x[0]))
        },
        reference: { x in
          var y = linear(x[0], x[3], x[1])
          y = add(y, layerNorm(x[0], x[1], x[2], nil))
          y = addBranch(y, layerNorm(x[0], x[2], x[1], some), some, 1)
          y = add(y, normalise(x[0]))
          y = addBranch(y, Reference(some.count, 6) { x[0][Int(some[$0]), $1] }, some, 2)
          y = add(y, linear(attention(x[0], sequences: scale, tokens: 5, heads: 1), x[4], nil))
          return addBranch(y, x[0], nil, 1.5)
        }),
      tokensOfOneTensor(scale),
      Operation(
        name: "several losses of one prediction, weighted", shapes: [(r, 7), (6, 7), (r, 6), (r, 6)],
        constants: [2, 3],
        compute: { tape, x in
          let prediction = tape.linear(x[0], x[1])
          let logits = tape.linear(x[0], x[1])
          let losses: [(loss: Loss, weight: Float)] = [
            (tape.cosineLoss(prediction, target: x[2]), 0.5), (tape.meanSquaredError(prediction, target: x[3]), 2),
            (tape.cosineLoss(prediction, target: x[3]), 3), (tape.softCrossEntropy(logits, labels: x[3]), 1.5),
            (tape.meanSquaredError(prediction, target: x[2]), 0),
          ]
          return .losses(losses)
        },
        reference: { x in
          let y = linear(x[0], x[1], nil)
          func cosine(_ t: Reference) -> Double {
            1 - zip(normalise(y).values, normalise(t).values).reduce(0) { $0 + $1.0 * $1.1 } / Double(r)
          }
          let squares = zip(y.values, x[3].values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(6 * r)
          let entropy = crossEntropy(y, x[3], nil, 1).values[0]
          return Reference(1, 1, [0.5 * cosine(x[2]) + 2 * squares + 3 * cosine(x[3]) + 1.5 * entropy])
        }),
      Operation(
        name: "a transformer block with drop path",
        shapes: [(r * 3, 4), (1, 4), (1, 4), (12, 4), (1, 12), (4, 4), (1, 4)],
        compute: { tape, x in
          // Sequences of 3 tokens; of each five sequences the second and third are left out.
          let kept = (0..<Int32(r)).filter { $0 % 5 != 1 && $0 % 5 != 2 }
          let rows = kept.flatMap { s in (0..<3).map { s * 3 + Int32($0) } }
          let qkv = tape.linear(tape.layerNorm(x[0], x[1], x[2], rowsOf: rows), x[3], x[4])
          let branch = tape.linear(
            tape.attention(qkv, sequences: kept.count, tokens: 3, heads: 2), x[5], x[6])
          return .tensor(tape.addBranch(x[0], branch, rowsOf: rows, scale: 1.5))
        },
        reference: { x in
          let kept = (0..<Int32(r)).filter { $0 % 5 != 1 && $0 % 5 != 2 }
          let rows = kept.flatMap { s in (0..<3).map { s * 3 + Int32($0) } }
          let qkv = linear(layerNorm(x[0], x[1], x[2], rows), x[3], x[4])
          let branch = linear(attention(qkv, sequences: kept.count, tokens: 3, heads: 2), x[5], x[6])
          return addBranch(x[0], branch, rows, 1.5)
        }),
    ]
  }

  /// One tensor and one token in an encoder's and a decoder's sequences, and as a mean.
  private static func tokensOfOneTensor(_ scale: Int) -> Operation {
    let s = 2 * scale
    let ids = (0..<s).flatMap { s in (0..<3).map { Int32(($0 * 5 + s) % 6) } }
    let shuffle = (0..<s).flatMap { s in (0..<6).map { Int32(($0 * 5 + s) % 6) } }
    let rows = (0..<Int32(4 * s)).map { $0 + 1 }
    let first = (0..<Int32(s)).map { $0 }
    return Operation(
      name: "one tensor and one token in every kind of sequence", shapes: [(3 * s, 5), (1, 5), (7, 5)], constants: [2],
      compute: { tape, x in
        let encoder = tape.encoderTokens(x[0], classToken: x[1], positions: x[2], ids: ids, sequences: s)
        let decoder = tape.decoderTokens(x[0], maskToken: x[1], positions: x[2], shuffle: shuffle, sequences: s)
        let y = tape.addBranch(encoder, tape.gatherRows(decoder.distinct, rows.map { decoder.rowOf[Int($0)] }))
        let z = tape.addBranch(y, tape.meanOfPatches(x[0], sequences: s), rowsOf: first)
        return .tensor(tape.addBranch(z, x[0], rowsOf: (0..<Int32(3 * s)).map { $0 }))
      },
      reference: { x in
        let encoder = Reference(4 * s, 5) { r, c in
          r % 4 == 0
            ? x[1][0, c] + x[2][0, c] : x[0][r / 4 * 3 + r % 4 - 1, c] + x[2][1 + Int(ids[r / 4 * 3 + r % 4 - 1]), c]
        }
        let decoder = Reference(7 * s, 5) { r, c in
          if r % 7 == 0 { return x[0][r / 7 * 3, c] + x[2][0, c] }
          let j = (0..<6).first { shuffle[r / 7 * 6 + $0] == r % 7 - 1 }!
          return (j < 2 ? x[0][r / 7 * 3 + 1 + j, c] : x[1][0, c]) + x[2][r % 7, c]
        }
        var y = add(encoder, Reference(4 * s, 5) { decoder[Int(rows[$0]), $1] })
        y = addBranch(y, Reference(s, 5) { r, c in (x[0][3 * r + 1, c] + x[0][3 * r + 2, c]) / 2 }, first, 1)
        return addBranch(y, x[0], (0..<Int32(3 * s)).map { $0 }, 1)
      })
  }
}
