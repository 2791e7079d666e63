import Autodiff
import CKernels
import Compute
import Synchronization

/// The parameters of an optimiser, cut into what a thread works on at a time: some neighbouring values of one parameter.
/// Most parameters are small, so all of them are one job.
struct ParameterBlocks {
  let parameters: [TrainedParameter]
  let blocks: [(parameter: Int, range: Range<Int>)]
  private let engine: Engine

  init(_ parameters: [TrainedParameter], engine: Engine) {
    self.parameters = parameters
    self.engine = engine
    blocks = parameters.enumerated().flatMap { place, trained in
      let count = trained.parameter.tensor.count
      return stride(from: 0, to: count, by: 16384).map { (place, $0..<min(count, $0 + 16384)) }
    }
  }

  var weightCount: Int { parameters.reduce(0) { $0 + $1.parameter.tensor.count } }

  /// Zeros for a moment of each parameter.
  func moments() -> [Buffer] {
    parameters.map { trained in
      let values = engine.memory.take(trained.parameter.tensor.count)
      values.zero()
      return values
    }
  }

  /// Each parameter's gradient; one of zeros where there is none.
  func gradients() -> [Buffer] {
    parameters.map { trained in
      let tensor = trained.parameter.tensor
      if tensor.gradient == nil { tensor.setZeroGradient(engine) }
      return tensor.gradient!.values
    }
  }

  func clearGradients() { for trained in parameters { trained.parameter.tensor.clearGradient() } }

  func firstNonFiniteGradient() -> String? {
    let gradients = parameters.map { $0.parameter.tensor.gradient?.values }
    let first = Atomic(Int.max)
    withPointers(to: gradients) { pointers in
      run(values: 1) { parameter, range in
        guard let gradient = pointers[parameter] else { return }
        if pmae_all_finite(gradient + range.lowerBound, range.count) == 0 { first.min(parameter, ordering: .relaxed) }
      }
    }
    let place = first.load(ordering: .relaxed)
    return place == .max ? nil : parameters[place].name
  }

  /// The sum of squares of each parameter's gradient, 0 where there is none: of blocks, then of the blocks' sums in order.
  func gradientSquares() -> [Double] { squares(of: parameters.map { $0.parameter.tensor.gradient?.values }) }

  /// The same of the weights.
  func weightSquares() -> [Double] { squares(of: parameters.map { $0.parameter.tensor.values }) }

  private func squares(of values: [Buffer?]) -> [Double] {
    let sums = [Double](unsafeUninitializedCapacity: blocks.count) { buffer, count in
      let out = buffer
      withPointers(to: values) { pointers in
        engine.measure(.optimizer, values: weightCount) {
          engine.threads.run(blocks.count) { block in
            let (parameter, range) = blocks[block]
            out[block] =
              pointers[parameter].map { pmae_dot($0 + range.lowerBound, $0 + range.lowerBound, range.count) } ?? 0
          }
        }
      }
      count = blocks.count
    }
    var squares = [Double](repeating: 0, count: parameters.count)
    for (block, sum) in zip(blocks, sums) { squares[block.parameter] += sum }
    return squares
  }

  private func withPointers(to buffers: [Buffer?], _ body: ([UnsafeMutablePointer<Float>?]) -> Void) {
    let places = buffers.indices.filter { buffers[$0] != nil }
    Buffer.withPointers(to: places.compactMap { buffers[$0] }) { held in
      var pointers = [UnsafeMutablePointer<Float>?](repeating: nil, count: buffers.count)
      for (place, pointer) in zip(places, held) { pointers[place] = pointer }
      body(pointers)
    }
  }

  /// Runs `body` for each block on all threads.
  func run(values: Int, _ body: (_ parameter: Int, _ range: Range<Int>) -> Void) {
    engine.measure(.optimizer, values: values * weightCount) {
      engine.threads.run(blocks.count) { body(blocks[$0].parameter, blocks[$0].range) }
    }
  }
}
