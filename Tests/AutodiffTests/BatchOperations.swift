import Autodiff
import Foundation

/// Losses of classes, normalisation over a batch, and sequences that are put together.
extension Operation {
  static func classLosses(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    let classes = (0..<Int32(r)).map { ($0 * 3 + 1) % 7 }
    @Sendable func entropy(_ x: Reference, scale: Double, over count: Double) -> Reference {
      let oneHot = Reference(r, 7) { Int32($1) == classes[$0] ? 1 : 0 }
      return Reference(1, 1, [crossEntropy(x, oneHot, nil, scale).values[0] * Double(r) / count])
    }
    let weights = (0..<r).map { 0.5 + 0.25 * Float($0 % 3) }
    return [
      Operation(
        name: "crossEntropy", shapes: [(r, 7)], compute: { .loss($0.crossEntropy($1[0], classes: classes)) },
        reference: { entropy($0[0], scale: 1, over: Double(r)) }),
      Operation(
        name: "crossEntropy, scaled, over another number", shapes: [(r, 7)],
        compute: { .loss($0.crossEntropy($1[0], classes: classes, scale: 2.5, over: 3)) },
        reference: { entropy($0[0], scale: 2.5, over: 3) }),
      Operation(
        name: "softCrossEntropy with weights, over another number, times a factor", shapes: [(r, 7), (r, 7)],
        constants: [1],
        compute: {
          .loss($0.softCrossEntropy($1[0], labels: $1[1], weights: weights, over: 3).scaled(by: 0.75))
        },
        reference: { x in
          let labels = Reference(r, 7) { x[1][$0, $1] * Double(weights[$0]) }
          return Reference(1, 1, [0.75 * crossEntropy(x[0], labels, nil, 1).values[0] * Double(r) / 3])
        }),
      Operation(
        name: "binaryCrossEntropy", shapes: [(r, 7), (r, 7)], constants: [1],
        compute: { .loss($0.binaryCrossEntropy($1[0], targets: $1[1])) },
        reference: { x in
          let total = zip(x[0].values, x[1].values).reduce(0) { $0 + log(1 + exp($1.0)) - $1.1 * $1.0 }
          return Reference(1, 1, [total / Double(7 * r)])
        }),
      Operation(
        name: "absoluteError", shapes: [(r, 7), (r, 7)], constants: [1],
        compute: { .loss($0.absoluteError($1[0], target: $1[1])) },
        reference: { x in
          Reference(1, 1, [zip(x[0].values, x[1].values).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(7 * r)])
        }),
      Operation(
        name: "absoluteError over another number", shapes: [(r, 7), (r, 7)], constants: [1],
        compute: { .loss($0.absoluteError($1[0], target: $1[1], over: 11)) },
        reference: { x in
          Reference(1, 1, [zip(x[0].values, x[1].values).reduce(0) { $0 + abs($1.0 - $1.1) } / 11])
        }),
    ]
  }

  static func batchNorm(_ x: Reference, _ gamma: Reference?, _ beta: Reference?, rectified: Bool) -> Reference {
    var y = x
    for c in 0..<x.columns {
      let column = (0..<x.rows).map { x[$0, c] }
      let mean = column.reduce(0, +) / Double(x.rows)
      let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.rows)
      for r in 0..<x.rows {
        let value = (x[r, c] - mean) / (variance + 1e-5).squareRoot() * (gamma?[0, c] ?? 1) + (beta?[0, c] ?? 0)
        y[r, c] = rectified ? max(0, value) : value
      }
    }
    return y
  }

  static func batches(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    return [
      Operation(
        name: "batchNorm", shapes: [(r, 7)], compute: { .tensor($0.batchNorm($1[0]).y) },
        reference: { batchNorm($0[0], nil, nil, rectified: false) }),
      Operation(
        name: "batchNorm with weights, rectified", shapes: [(r, 7), (1, 7), (1, 7)],
        compute: { .tensor($0.batchNorm($1[0], ($1[1], $1[2]), rectified: true).y) },
        reference: { batchNorm($0[0], $0[1], $0[2], rectified: true) }),
      Operation(
        name: "batchNorm over more than a strip of columns", shapes: [(3 * scale, 131), (1, 131), (1, 131)],
        compute: { .tensor($0.batchNorm($1[0], ($1[1], $1[2])).y) },
        reference: { batchNorm($0[0], $0[1], $0[2], rectified: false) }),
      Operation(
        name: "batchNorm of a constant input", shapes: [(r, 7), (1, 7), (1, 7)], constants: [0],
        compute: { .tensor($0.batchNorm($1[0], ($1[1], $1[2]), rectified: true).y) },
        reference: { batchNorm($0[0], $0[1], $0[2], rectified: true) }),
      Operation(
        name: "batchNorm of a tensor that is read twice", shapes: [(r, 7)],
        compute: { tape, x in .tensor(tape.addBranch(tape.batchNorm(x[0]).y, x[0])) },
        reference: { add(batchNorm($0[0], nil, nil, rectified: false), $0[0]) }),
    ]
  }

  static func crossAttention(
    _ q: Reference, _ k: Reference, _ v: Reference, sequences: Int, heads: Int
  ) -> Reference {
    let (m, t, depth) = (q.rows / sequences, k.rows / sequences, q.columns / heads)
    var y = Reference(q.rows, q.columns) { _, _ in 0 }
    for s in 0..<sequences {
      for h in 0..<heads {
        for i in 0..<m {
          let scores = (0..<t).map { j in
            (0..<depth).reduce(0) { $0 + q[s * m + i, h * depth + $1] * k[s * t + j, h * depth + $1] }
              / Double(depth).squareRoot()
          }
          let total = scores.reduce(0) { $0 + exp($1) }
          for c in 0..<depth {
            y[s * m + i, h * depth + c] = (0..<t).reduce(0) {
              $0 + exp(scores[$1]) / total * v[s * t + $1, h * depth + c]
            }
          }
        }
      }
    }
    return y
  }

  private static func maskedTokens(
    _ name: String, _ isMasked: [Bool], sequences s: Int, constants: Set<Int>
  ) -> Operation {
    Operation(
      name: name, shapes: [(isMasked.count { !$0 }, 5), (1, 5), (1, 5), (7, 5)], constants: constants,
      compute: { tape, x in
        .tensor(
          tape.encoderTokens(
            x[0], classToken: x[1], maskToken: x[2], positions: x[3], isMasked: isMasked, sequences: s))
      },
      reference: { x in
        Reference(7 * s, 5) { r, c in
          if r % 7 == 0 { return x[1][0, c] + x[3][0, c] }
          let place = r / 7 * 6 + r % 7 - 1
          let before = isMasked[..<place].count { !$0 }
          return (isMasked[place] ? x[2][0, c] : x[0][before, c]) + x[3][r % 7, c]
        }
      })
  }

  static func sequences(_ scale: Int) -> [Operation] {
    let s = 2 * scale
    let isMasked = (0..<6 * s).map { $0 * 5 % 7 < 3 }
    let positions = (0..<5 * s).map { Int32(($0 * 3 + 1) % 7) }
    @Sendable func joined(_ a: Reference, _ b: Reference) -> Reference {
      Reference(5 * s, 4) { r, c in r % 5 < 2 ? a[r / 5 * 2 + r % 5, c] : b[r / 5 * 3 + r % 5 - 2, c] }
    }
    return [
      Operation(
        name: "crossAttention", shapes: [(3 * s, 6), (5 * s, 6), (5 * s, 6)],
        compute: { .tensor($0.crossAttention($1[0], keys: $1[1], values: $1[2], sequences: s, heads: 2)) },
        reference: { crossAttention($0[0], $0[1], $0[2], sequences: s, heads: 2) }),
      Operation(
        name: "crossAttention of tensors that are read twice", shapes: [(3 * s, 6), (5 * s, 6), (5 * s, 6)],
        compute: { tape, x in
          let y = tape.crossAttention(x[0], keys: x[1], values: x[2], sequences: s, heads: 3)
          return .tensor(tape.joinRows([y, x[0], x[1], x[2]]))
        },
        reference: { x in
          let y = crossAttention(x[0], x[1], x[2], sequences: s, heads: 3)
          return Reference(16 * s, 6, y.values + x[0].values + x[1].values + x[2].values)
        }),
      maskedTokens("encoderTokens with a mask token", isMasked, sequences: s, constants: [3]),
      maskedTokens("encoderTokens with a mask token and learned positions", isMasked, sequences: s, constants: []),
      Operation(
        name: "joinSequences", shapes: [(2 * s, 4), (3 * s, 4)],
        compute: { .tensor($0.joinSequences($1[0], $1[1], sequences: s)) }, reference: { joined($0[0], $0[1]) }),
      Operation(
        name: "joinSequences with positions", shapes: [(2 * s, 4), (3 * s, 4), (7, 4)], constants: [2],
        compute: { .tensor($0.joinSequences($1[0], $1[1], positions: ($1[2], positions), sequences: s)) },
        reference: { x in
          let both = joined(x[0], x[1])
          return Reference(5 * s, 4) { both[$0, $1] + x[2][Int(positions[$0]), $1] }
        }),
      Operation(
        name: "joinSequences of one, read twice", shapes: [(5 * s, 4), (7, 4)], constants: [1],
        compute: { tape, x in
          .tensor(
            tape.addBranch(tape.joinSequences(x[0], positions: (x[1], positions), sequences: s), x[0]))
        },
        reference: { x in Reference(5 * s, 4) { 2 * x[0][$0, $1] + x[1][Int(positions[$0]), $1] } }),
      Operation(
        name: "repeated", shapes: [(1, 7)], compute: { .tensor($0.repeated($1[0], count: 5 * scale)) },
        reference: { x in Reference(5 * scale, 7) { x[0][0, $1] } }),
      Operation(
        name: "joinRows, one of them twice", shapes: [(3 * scale, 7), (2 * scale, 7)],
        compute: { .tensor($0.joinRows([$1[0], $1[1], $1[0]])) },
        reference: { x in Reference(8 * scale, 7, x[0].values + x[1].values + x[0].values) }),
    ]
  }
}
