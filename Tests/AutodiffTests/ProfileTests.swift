import Autodiff
import Compute
import Testing

/// What a profile counts of the tape's operations.
struct ProfileTests {
  /// A product of R × I by I × O is 2·R·I·O additions and multiplications; backward there are two of them.
  @Test func theWorkOfALinearLayer() throws {
    let engine = Engine(threads: 2, profiling: true)
    let (r, i, o) = (12, 20, 7)
    let tape = Tape(engine)
    let weight = tensor(engine, o, i, numbers(o * i, seed: 1), tracksGradient: true)
    let bias = tensor(engine, 1, o, numbers(o, seed: 2), tracksGradient: true)
    let x = tensor(engine, r, i, numbers(r * i, seed: 3), tracksGradient: true)
    let y = tape.linear(x, weight, bias)
    let profile = try #require(engine.profile)
    let forward = try #require(profile.entries[.linear])
    #expect(forward.flop == Double(2 * r * i * o))
    #expect(forward.bytes == Double(4 * (r * i + i * o + r * o)))
    #expect(forward.calls == 1 && forward.seconds > 0)
    #expect(profile.entries[.linearBackward] == nil)
    tape.backward([(tape.meanSquaredError(y, target: tensor(engine, r, o, numbers(r * o, seed: 4))), 1)])
    #expect(try #require(profile.entries[.linearBackward]).flop == Double(4 * r * i * o))
    #expect(try #require(profile.entries[.linear]).flop == forward.flop)
    profile.reset()
    #expect(profile.entries.isEmpty)
  }

  /// Of a perceptron too, whose hidden layer is not computed twice.
  @Test func theWorkOfAPerceptron() throws {
    let engine = Engine(threads: 1, profiling: true)
    let widths = [20, 48, 12]
    let layers = (0..<2).map { k in
      (
        weight: tensor(
          engine, widths[k + 1], widths[k], numbers(widths[k] * widths[k + 1], seed: 1), tracksGradient: true),
        bias: tensor(engine, 1, widths[k + 1], numbers(widths[k + 1], seed: 2), tracksGradient: true)
      )
    }
    let tape = Tape(engine)
    let y = tape.perceptron(tensor(engine, 9, 20, numbers(180, seed: 3), tracksGradient: true), layers)
    tape.backward([(tape.meanSquaredError(y, target: tensor(engine, 9, 12, numbers(108, seed: 4))), 1)])
    let entries = try #require(engine.profile).entries
    let products = Double(9 * (20 * 48 + 48 * 12))
    #expect(entries[.linear]?.flop == 2 * products)
    #expect(entries[.linearBackward]?.flop == 4 * products)
  }

  @Test func nobodyAskedNothingIsKept() {
    let engine = Engine(threads: 1, poisoning: true)
    #expect(engine.profile == nil)
    #expect(engine.measure(.linear, flop: 1) { 3 } == 3)
  }
}
