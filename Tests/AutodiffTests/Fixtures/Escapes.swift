// What must not compile: a matrix that gets away from the tensor that lends it. pipelines/escapes.sh compiles this file once for each
// name of a condition and once for none, which alone must work.
import Autodiff
import Compute

#if RECORDED_BY_A_CLOSURE
  func escape(_ x: Tensor, _ engine: Engine) -> [() -> Void] {
    var steps: [() -> Void] = []
    engine.rows(over: x, cost: 1) { x, range in steps.append { x.row(range.lowerBound)[0] = 1 } }
    return steps
  }
#elseif RETURNED_IN_A_CLOSURE
  func escape(_ x: Tensor) -> () -> Float { x.withMatrix { x in { x.row(0)[0] } } }
#elseif RETURNED
  func escape(_ x: Tensor) -> Float {
    let matrix: Matrix = x.withMatrix { $0 }
    return matrix.row(0)[0]
  }
#elseif ASSIGNED
  func escape(_ x: Tensor) {
    var kept: Matrix?
    x.withMatrix { kept = $0 }
    _ = kept
  }
#elseif STORED
  final class Keeper { var matrix: Matrix? }
#elseif OF_A_BUFFER
  func escape(_ x: Buffer) -> () -> Float {
    let matrix = x.matrix(rows: 1, columns: 1)
    return { matrix.row(0)[0] }
  }
#elseif WITHOUT_LENDING
  func escape(_ x: Tensor) -> Float { x.matrix.row(0)[0] }
#else
  func lend(_ x: Tensor, _ y: Tensor, _ engine: Engine) {
    engine.rows(over: x, y, cost: 1) { x, y, range in for r in range { y.row(r)[0] = x.row(r)[0] } }
  }
#endif
