import Autodiff
import Compute
import Foundation
import Networks
import TensorStream
import TestSupport
import Testing
import Training

/// Operations on maps against PyTorch's: outputs, and gradients for a gradient that comes in (Fixtures/maps).
struct MapOperationTests {
  static let file = "maps/operations.safetensors"
  private let record: Record
  private let engine = Engine(threads: 2, poisoning: true)

  init() throws { record = try readTensors(path: fixture(Self.file)) }

  static let cases: [String] = {
    guard let record = try? readTensors(path: fixture(file)) else { return [] }
    return Set(record.tensors.map { $0.name.split(separator: ".").prefix(2).joined(separator: ".") }).sorted()
  }()

  private func shape(_ name: String) throws -> [Int] { try #require(record[name]).shape }

  /// [N, C, H, W] as rows of pixels.
  private func map(_ name: String, tracksGradient: Bool = true) throws -> FeatureMap {
    let s = try shape(name)
    let values = try #require(record[name]).values(of: Float.self)
    let x = Tensor(
      rows: s[0] * s[2] * s[3], columns: s[1], values: engine.memory.take(values.count), tracksGradient: tracksGradient)
    for n in 0..<s[0] {
      for c in 0..<s[1] {
        for p in 0..<s[2] * s[3] { x[n * s[2] * s[3] + p, c] = values[(n * s[1] + c) * s[2] * s[3] + p] }
      }
    }
    return FeatureMap(x, images: s[0], height: s[2], width: s[3])
  }

  /// A weight, its outputs as rows; a vector as one row.
  private func weight(_ name: String) throws -> Tensor? {
    guard let tensor = record[name] else { return nil }
    let (values, rows) = (try tensor.values(of: Float.self), tensor.shape.count == 1 ? 1 : tensor.shape[0])
    let w = Tensor(
      rows: rows, columns: values.count / rows, values: engine.memory.take(values.count), tracksGradient: true)
    w.withValues { _ = $0.update(fromContentsOf: values) }
    return w
  }

  private func expect(_ mine: Tensor?, _ theirs: Tensor?, _ what: String) throws {
    let (mine, theirs) = (try #require(mine, "\(what)"), try #require(theirs, "\(what)"))
    let size = theirs.array.map(abs).max() ?? 0
    #expect(mine.rows == theirs.rows && mine.columns == theirs.columns, "\(what)")
    let worst = zip(mine.array, theirs.array).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst <= 2e-5 * max(size, 1), "\(what): off by \(worst) of \(size)")
  }

  /// Sends the file's upstream gradient back: of Σ upstream · y, as a squared error has it.
  private func backward(_ tape: Tape, _ y: Tensor, _ upstream: Tensor) {
    let target = Tensor(rows: y.rows, columns: y.columns, values: engine.memory.take(y.count))
    for r in 0..<y.rows {
      for c in 0..<y.columns { target[r, c] = y[r, c] - Float(y.count) / 2 * upstream[r, c] }
    }
    tape.backward([(tape.meanSquaredError(y, target: target), 1)])
  }

  @Test(arguments: cases) func agreesWithPyTorch(_ name: String) throws {
    func key(_ part: String) -> String { "\(name).\(part)" }
    let kind = name.split(separator: ".")[0]
    if kind == "positions" || kind == "pixel_loss" { return try (kind == "positions" ? positions : loss)(name) }
    let tape = Tape(engine)
    let x = try map(key("input"))
    let (w, b) = (try weight(key("weight")), try weight(key("bias")))
    let out = try map(key("output"), tracksGradient: false)
    let y: FeatureMap
    switch kind {
    case "conv2d": y = tape.convolution([x], try #require(w), bias: b, side: try shape(key("weight"))[2])
    case "conv_transpose2d": y = tape.transposedConvolution(x, try #require(w), bias: b)
    case "adaptive_avg_pool2d": y = tape.averagePooled(x, to: out.height)
    case "bilinear": y = tape.resized(x, height: out.height, width: out.width)
    case "max_pool2d": y = tape.maxPooled(x)
    case "batch_norm":
      let isTrained = name != "batch_norm.1"
      let mean = try #require(try weight(key("running_mean_before")))
      let variance = try #require(try weight(key("running_var_before")))
      let known = Tensor(rows: 2, columns: mean.columns, values: engine.memory.take(2 * mean.columns))
      for c in 0..<mean.columns { (known[0, c], known[1, c]) = (mean[0, c], variance[0, c]) }
      let (normed, found) = tape.batchNorm(x, try #require(w), try #require(b), known: isTrained ? nil : known)
      y = normed
      // What running statistics become with PyTorch's momentum.
      let (means, variances) = (
        try #require(record[key("running_mean_after")]).values(of: Float.self),
        try #require(record[key("running_var_after")]).values(of: Float.self)
      )
      let share: Float = isTrained ? 0.1 : 0
      let unbiased = Float(found.rows) / Float(max(found.rows - 1, 1))
      for c in 0..<mean.columns {
        #expect(abs(means[c] - (mean[0, c] * (1 - share) + share * found.values[0, c])) < 1e-5)
        #expect(abs(variances[c] - (variance[0, c] * (1 - share) + share * unbiased * found.values[1, c])) < 1e-4)
      }
    default:
      Issue.record("\(name): an operation that no test knows")
      return
    }
    try expect(y.tensor, out.tensor, key("output"))
    backward(tape, y.tensor, try map(key("upstream"), tracksGradient: false).tensor)
    try expect(x.tensor.gradient, try map(key("grad_input")).tensor, key("grad_input"))
    if let w { try expect(w.gradient, try weight(key("grad_weight")), key("grad_weight")) }
    if let b { try expect(b.gradient, try weight(key("grad_bias")), key("grad_bias")) }
  }

  /// In bfloat16, by the kernels of each kind, results and gradients are near those of float32.
  @Test(
    .enabled(if: BFloat16.unavailable == nil, "no bfloat16 here"), arguments: ["avx512", "avx2", "openblas"])
  func convolutionsInBFloat16(kernels: String) throws {
    let engine = Engine(threads: 2, kernels: kernels, poisoning: true)
    for name in ["conv2d.0", "conv2d.4", "conv2d.6", "conv_transpose2d.1"] {
      let tape = Tape(engine, precision: .bfloat16)
      let x = try map("\(name).input")
      let w = try #require(try weight("\(name).weight"))
      let b = try weight("\(name).bias")
      let y =
        name.hasPrefix("conv2d")
        ? tape.convolution([x], w, bias: b, side: 3) : tape.transposedConvolution(x, w, bias: b)
      func near(_ mine: Tensor?, _ theirs: Tensor?, _ what: String) throws {
        let (mine, theirs) = (try #require(mine).array, try #require(theirs).array)
        let size = zip(theirs, theirs).reduce(0) { $0 + $1.0 * $1.1 }.squareRoot()
        let off = zip(mine, theirs).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        #expect(off < 0.01 * size && off > 0, "\(name).\(what): \(off) of \(size)")
      }
      try near(y.tensor, try map("\(name).output").tensor, "output")
      backward(tape, y.tensor, try map("\(name).upstream").tensor)
      try near(x.tensor.gradient, try map("\(name).grad_input").tensor, "grad_input")
      try near(w.gradient, try weight("\(name).grad_weight"), "grad_weight")
    }
  }

  private func loss(_ name: String) throws {
    let tape = Tape(engine)
    let logits = try map("\(name).logits")
    let labels = try #require(record["\(name).labels"]).values(of: UInt8.self)
    let found = tape.pixelCrossEntropy(
      logits, labels: labels, height: logits.height, width: logits.width,
      average: name == "pixel_loss.0" ? .all : .valid)
    let value = try #require(record["\(name).output"]).values(of: Float.self)[0]
    #expect(abs(found.loss.value - Double(value)) < 1e-5)
    let upstream = try #require(record["\(name).upstream"]).values(of: Float.self)[0]
    tape.backward([(found.loss, upstream)])
    try expect(logits.tensor.gradient, try map("\(name).grad_logits").tensor, name)
  }

  /// What the tables of `Encoder.taps` are, without the class token's row.
  private func positions(_ name: String) throws {
    let expected = try #require(record["\(name).table"])
    let (rows, columns, full) = try #require(
      ["positions.0": (14, 14, 14), "positions.2": (5, 9, 4), "positions.3": (5, 9, nil as Int?)][name])
    let table = positionTable(
      width: expected.shape[1], grid: PatchGrid(rows: rows, columns: columns), full: full, engine: engine)
    let theirs = try expected.values(of: Float.self)
    for (mine, theirs) in zip(table.array.dropFirst(table.columns), theirs) { #expect(abs(mine - theirs) < 2e-7) }
    #expect(table.count == theirs.count + table.columns)
  }
}
