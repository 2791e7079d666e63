import Autodiff
import Compute
import Testing

/// Every operation's output and gradients against its definition in double precision.
struct GradientTests {
  @Test(arguments: Operation.all()) func gradientsAreTheSlopesOfTheDefinition(_ operation: Operation) {
    let problems = operation.problems()
    #expect(problems.isEmpty, "\(operation.name): \(problems.joined(separator: "; "))")
  }

  /// Sizes with several blocks and tiles to share out, so that threads have something to disagree on.
  @Test(arguments: Operation.all(scale: 700)) func bitsDoNotDependOnTheThreads(_ operation: Operation) {
    let inputs = operation.inputs(seed: 7)
    let one = operation.run(inputs, threads: 1)
    for threads in [2, 3] {
      let several = operation.run(inputs, threads: threads)
      #expect(several.output.map(\.bitPattern) == one.output.map(\.bitPattern), "output, \(threads) threads")
      for (place, pair) in zip(several.gradients, one.gradients).enumerated() {
        #expect(
          pair.0?.map(\.bitPattern) == pair.1?.map(\.bitPattern), "gradient for input \(place), \(threads) threads")
      }
    }
  }

  /// The check itself: a gradient of half the size, one that is off by a thousandth, one for the wrong row, a missing one,
  /// and an output that is off are each found.
  @Test func wrongGradientsAreFound() {
    let shape = [(rows: 5, columns: 7)]
    /// A copy that no gradient passes.
    @Sendable func constant(_ x: Tensor, _ tape: Tape) -> Tensor { tensor(tape.engine, x.rows, x.columns, x.array) }
    let identity: @Sendable ([Reference], Double) -> Reference = { x, factor in
      Reference(5, 7, x[0].values.map { factor * $0 })
    }
    let right = Operation(
      name: "right", shapes: shape, compute: { .tensor($0.addBranch($1[0], $1[0])) }, reference: { identity($0, 2) })
    let half = Operation(
      name: "half", shapes: shape, compute: { .tensor($0.addBranch($1[0], constant($1[0], $0))) },
      reference: { identity($0, 2) })
    let nearly = Operation(
      name: "nearly", shapes: shape, compute: { .tensor($0.addBranch($1[0], constant($1[0], $0), scale: 0.001)) },
      reference: { identity($0, 1.001) })
    let elsewhere = Operation(
      // The gradient of row 0 is counted for row 1.
      name: "elsewhere", shapes: shape,
      compute: { tape, x in
        let rows: [Int32] = [1, 0, 2, 3, 4]
        let swapped = tape.gatherRows(x[0], rows)
        let offset = tensor(tape.engine, 5, 7, zip(x[0].array, swapped.array).map { $0 - $1 })
        return .tensor(tape.addBranch(swapped, offset))
      }, reference: { identity($0, 1) })
    let missing = Operation(
      name: "missing", shapes: shape, compute: { .tensor(constant($1[0], $0)) }, reference: { identity($0, 1) })
    let output = Operation(
      name: "output", shapes: shape, compute: { .tensor($0.addBranch($1[0], $1[0], scale: 0.0001)) },
      reference: { identity($0, 1) })
    let problems = [right, half, nearly, elsewhere, missing, output].map { $0.problems() }
    #expect(problems[0].isEmpty)
    for place in 1...3 { #expect(problems[place].count == 1 && problems[place][0].hasPrefix("gradient for input 0")) }
    #expect(problems[4] == ["input 0 has no gradient"])
    #expect(problems[5].contains { $0.hasPrefix("output") })
  }
}
