import Autodiff
import Foundation

/// Every operation of the tape with its definition in double precision. No two dimensions of a shape are equal, so that an
/// index in the wrong place cannot go unseen. `scale` multiplies the number of rows (or sequences), for runs on several
/// threads that have more than one block to share out.
extension Operation {
  static func all(scale: Int = 1) -> [Operation] {
    linear(scale) + layerNorm(scale) + attention(scale) + addBranch(scale) + tokens(scale) + rows(scale) + losses(scale)
      + classLosses(scale) + batches(scale) + sequences(scale)
      + composites(scale) + maps(scale)
  }

  // MARK: linear

  static func gelu(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }

  static func linear(_ x: Reference, _ w: Reference, _ b: Reference?) -> Reference {
    Reference(x.rows, w.rows) { r, o in
      (0..<x.columns).reduce(b?[0, o] ?? 0) { $0 + x[r, $1] * w[o, $1] }
    }
  }

  static func linear(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    return [
      Operation(
        name: "linear", shapes: [(r, 7), (11, 7)], compute: { .tensor($0.linear($1[0], $1[1])) },
        reference: { linear($0[0], $0[1], nil) }),
      Operation(
        name: "linear with bias", shapes: [(r, 7), (11, 7), (1, 11)],
        compute: { .tensor($0.linear($1[0], $1[1], $1[2])) }, reference: { linear($0[0], $0[1], $0[2]) }),
      Operation(
        name: "linear with bias and GELU", shapes: [(r, 7), (11, 7), (1, 11)],
        compute: { .tensor($0.geluLinear($1[0], $1[1], $1[2])) },
        reference: {
          let z = linear($0[0], $0[1], $0[2])
          return Reference(z.rows, z.columns, z.values.map(gelu))
        }),
      Operation(
        name: "linear over frozen weights", shapes: [(r, 7), (11, 7), (1, 11)], constants: [1, 2],
        compute: { .tensor($0.linear($1[0], $1[1], $1[2])) }, reference: { linear($0[0], $0[1], $0[2]) }),
      Operation(
        name: "linear over a constant input", shapes: [(r, 7), (11, 7), (1, 11)], constants: [0],
        compute: { .tensor($0.linear($1[0], $1[1], $1[2])) }, reference: { linear($0[0], $0[1], $0[2]) }),
    ]
  }

  // MARK: layer normalisation

  static func layerNorm(_ x: Reference, _ gamma: Reference, _ beta: Reference, _ rowsOf: [Int32]?) -> Reference {
    let rows = rowsOf?.map { Int($0) } ?? Array(0..<x.rows)
    var y = Reference(rows.count, x.columns) { _, _ in 0 }
    for (r, source) in rows.enumerated() {
      let row = x.row(source)
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      for c in 0..<x.columns {
        y[r, c] = (row[c] - mean) / (variance + 1e-6).squareRoot() * gamma[0, c] + beta[0, c]
      }
    }
    return y
  }

  static func layerNorm(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    let some = (0..<Int32(r)).filter { $0 % 5 != 1 && $0 % 5 != 2 }.reversed().map { $0 }
    return [
      Operation(
        name: "layerNorm", shapes: [(r, 7), (1, 7), (1, 7)], compute: { .tensor($0.layerNorm($1[0], $1[1], $1[2])) },
        reference: { layerNorm($0[0], $0[1], $0[2], nil) }),
      Operation(
        name: "layerNorm of some rows", shapes: [(r, 7), (1, 7), (1, 7)],
        compute: { .tensor($0.layerNorm($1[0], $1[1], $1[2], rowsOf: some)) },
        reference: { layerNorm($0[0], $0[1], $0[2], some) }),
      Operation(
        name: "layerNorm over more than a strip of columns", shapes: [(3 * scale, 131), (1, 131), (1, 131)],
        compute: { .tensor($0.layerNorm($1[0], $1[1], $1[2])) }, reference: { layerNorm($0[0], $0[1], $0[2], nil) }),
      Operation(
        name: "layerNorm of a constant input", shapes: [(r, 7), (1, 7), (1, 7)], constants: [0],
        compute: { .tensor($0.layerNorm($1[0], $1[1], $1[2])) }, reference: { layerNorm($0[0], $0[1], $0[2], nil) }),
      Operation(
        name: "layerNorm with frozen weights", shapes: [(r, 7), (1, 7), (1, 7)], constants: [1, 2],
        compute: { .tensor($0.layerNorm($1[0], $1[1], $1[2])) }, reference: { layerNorm($0[0], $0[1], $0[2], nil) }),
    ]
  }

  // MARK: attention

  static func attention(_ qkv: Reference, sequences: Int, tokens: Int, heads: Int) -> Reference {
    let width = qkv.columns / 3
    let depth = width / heads
    var y = Reference(qkv.rows, width) { _, _ in 0 }
    for s in 0..<sequences {
      for h in 0..<heads {
        for t in 0..<tokens {
          let scores = (0..<tokens).map { u in
            (0..<depth).reduce(0) {
              $0 + qkv[s * tokens + t, h * depth + $1] * qkv[s * tokens + u, width + h * depth + $1]
            } / Double(depth).squareRoot()
          }
          let top = scores.max()!
          let e = scores.map { exp($0 - top) }
          let sum = e.reduce(0, +)
          for d in 0..<depth {
            y[s * tokens + t, h * depth + d] = (0..<tokens).reduce(0) {
              $0 + e[$1] / sum * qkv[s * tokens + $1, 2 * width + h * depth + d]
            }
          }
        }
      }
    }
    return y
  }

  static func attention(_ scale: Int) -> [Operation] {
    // 4 tokens of 3 heads, 5 deep; one token, whose attention is to itself; then depths of a multiple of 16, which have a kernel of their
    // own for each number of 16 tokens up to 80, and none beyond.
    [
      (2 * scale, 4, 3, 5), (3 * scale, 1, 2, 7), (1, 9, 1, 2), (scale, 5, 2, 16), (1, 1, 1, 16), (1, 16, 1, 32),
      (scale, 17, 2, 16), (1, 32, 1, 16), (1, 33, 1, 16), (1, 64, 1, 16), (1, 65, 1, 16), (1, 81, 1, 16),
    ].map { sequences, tokens, heads, depth in
      Operation(
        name: "attention of \(tokens) tokens, \(heads) heads", shapes: [(sequences * tokens, 3 * heads * depth)],
        compute: { .tensor($0.attention($1[0], sequences: sequences, tokens: tokens, heads: heads)) },
        reference: { attention($0[0], sequences: sequences, tokens: tokens, heads: heads) })
    }
  }

  // MARK: residual branches

  static func addBranch(_ x: Reference, _ branch: Reference, _ rowsOf: [Int32]?, _ factor: Double) -> Reference {
    var y = x
    for r in 0..<branch.rows {
      for c in 0..<x.columns { y[rowsOf.map { Int($0[r]) } ?? r, c] += factor * branch[r, c] }
    }
    return y
  }

  static func addBranch(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    let some = (0..<Int32(r)).filter { $0 % 5 == 0 || $0 % 5 == 3 }.reversed().map { $0 }
    let cases: [(String, [Int32]?, Float)] = [
      ("addBranch", nil, 1), ("addBranch scaled", nil, 1.5), ("addBranch to some rows", some, 1),
      ("addBranch to some rows, scaled", some, 1.25),
    ]
    return cases.flatMap { name, rowsOf, factor in
      [
        Operation(
          name: name, shapes: [(r, 7), (rowsOf?.count ?? r, 7)],
          compute: { .tensor($0.addBranch($1[0], $1[1], rowsOf: rowsOf, scale: factor)) },
          reference: { addBranch($0[0], $0[1], rowsOf, Double(factor)) }),
        Operation(
          name: "layerScaled: " + name, shapes: [(r, 7), (rowsOf?.count ?? r, 7), (1, 7)],
          compute: {
            .tensor($0.layerScaled($1[1], by: $1[2], onto: Residual($1[0], rowsOf: rowsOf, scale: factor)))
          },
          reference: { x in
            let scaled = Reference(x[1].rows, 7) { x[1][$0, $1] * x[2][0, $1] }
            return addBranch(x[0], scaled, rowsOf, Double(factor))
          }),
      ]
    }
  }

  // MARK: sequences of tokens

  static func tokens(_ scale: Int) -> [Operation] {
    let sequences = 3 * scale
    let (n, patches, width) = (4, 6, 5)
    // For each sequence its own 4 of the 6 patches.
    let ids = (0..<sequences).flatMap { s in (0..<n).map { Int32(($0 * 5 + s) % patches) } }
    let visible = 2
    let shuffle = (0..<sequences).flatMap { s in (0..<patches).map { Int32(($0 * 5 + s * 2 + 1) % patches) } }
    func encoderTokens(_ name: String, constants: Set<Int>) -> Operation {
      Operation(
        name: name, shapes: [(sequences * n, width), (1, width), (1 + patches, width)], constants: constants,
        compute: {
          .tensor($0.encoderTokens($1[0], classToken: $1[1], positions: $1[2], ids: ids, sequences: sequences))
        },
        reference: { x in
          Reference(sequences * (1 + n), width) { r, c in
            let (s, t) = (r / (1 + n), r % (1 + n))
            if t == 0 { return x[1][0, c] + x[2][0, c] }
            return x[0][s * n + t - 1, c] + x[2][1 + Int(ids[s * n + t - 1]), c]
          }
        })
    }
    return [
      encoderTokens("encoderTokens", constants: [2]),
      encoderTokens("encoderTokens, learned positions", constants: []),
      encoderTokens("encoderTokens, learned positions alone", constants: [0, 1]),
      Operation(
        name: "decoderTokens", shapes: [(sequences * (1 + visible), width), (1, width), (1 + patches, width)],
        constants: [2],
        compute: {
          let (distinct, rowOf) = $0.decoderTokens(
            $1[0], maskToken: $1[1], positions: $1[2], shuffle: shuffle, sequences: sequences)
          return .tensor($0.gatherRows(distinct, rowOf))
        },
        reference: { x in
          Reference(sequences * (1 + patches), width) { r, c in
            let (s, place) = (r / (1 + patches), r % (1 + patches))
            if place == 0 { return x[0][s * (1 + visible), c] + x[2][0, c] }
            let j = (0..<patches).first { shuffle[s * patches + $0] == place - 1 }!
            return (j < visible ? x[0][s * (1 + visible) + 1 + j, c] : x[1][0, c]) + x[2][place, c]
          }
        }),
      Operation(
        name: "meanOfPatches", shapes: [(sequences * (1 + n), 7)],
        compute: { .tensor($0.meanOfPatches($1[0], sequences: sequences)) },
        reference: { x in
          Reference(sequences, 7) { s, c in
            (1...n).reduce(0) { $0 + x[0][s * (1 + n) + $1, c] } / Double(n)
          }
        }),
      // PyTorch's AdaptiveAvgPool2d(3) has these rows and columns of 7 in each part.
      Operation(
        name: "meansOfParts", shapes: [(sequences * 50, 2)],
        compute: { .tensor($0.meansOfParts($1[0], sequences: sequences, side: 3)) },
        reference: { x in
          let edge = [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
          return Reference(sequences, 18) { s, c in
            let places = edge[c / 6].flatMap { y in edge[c / 2 % 3].map { 1 + 7 * y + $0 } }
            return places.reduce(0) { $0 + x[0][s * 50 + $1, c % 2] } / 9
          }
        }),
    ]
  }

  // MARK: rows

  static func normalise(_ x: Reference) -> Reference {
    Reference(x.rows, x.columns) { r, c in
      x[r, c] / max(x.row(r).reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
    }
  }

  static func rows(_ scale: Int) -> [Operation] {
    let r = 5 * scale
    let some = (0..<Int32(r)).filter { $0 % 5 != 2 }.reversed().map { $0 }
    return [
      Operation(
        name: "gatherRows", shapes: [(r, 7)], compute: { .tensor($0.gatherRows($1[0], some)) },
        reference: { x in Reference(some.count, 7) { x[0][Int(some[$0]), $1] } }),
      Operation(
        name: "gatherRows, some more than once", shapes: [(r, 7)],
        compute: { .tensor($0.gatherRows($1[0], some + some.dropLast() + some.prefix(2))) },
        reference: { x in
          let rows = some + some.dropLast() + some.prefix(2)
          return Reference(rows.count, 7) { x[0][Int(rows[$0]), $1] }
        }),
      Operation(
        name: "normaliseRows", shapes: [(r, 7)], compute: { .tensor($0.normaliseRows($1[0])) },
        reference: { normalise($0[0]) }),
    ]
  }
}
