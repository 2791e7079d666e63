import Autodiff
import Foundation
import Networks
import TensorStream
import Training

/// An encoder as an ONNX graph, from pixels to features or classes. Weights keep their names; matrices are stored as
/// [in, out], as ONNX multiplies.
struct EncoderGraph {
  private let file: WeightsFile
  private let c: EncoderConfiguration
  private var graph: Graph

  init(_ file: WeightsFile) {
    self.file = file
    c = file.encoder
    graph = Graph(
      name: "encoder",
      description: "A vision transformer of width \(c.width) and depth \(c.depth) on pictures of \(c.image) pixels")
  }

  /// - Parameters:
  ///   - pooling: of the features.
  ///   - blocks: whose tokens are outputs too, by their numbers from 0.
  ///   - hasHead: whether the classes of the file's head are outputs.
  mutating func make(
    pixels: ONNXFile.Pixels, pooling: Pooling, blocks: [Int], hasHead: Bool
  ) throws -> Onnx_GraphProto {
    var x = try tokens(of: input(pixels))
    let shape: [Graph.Dimension] = [.named("batch"), .size(1 + c.patches), .size(c.width)]
    for block in 0..<c.depth {
      x = try self.block(block, x)
      if blocks.contains(block) {
        graph.output(x, as: "block_\(block)", shape, "tokens behind block \(block), class token first, not normalised")
      }
    }
    let normalised = try norm("norm", x)
    graph.output(normalised, as: "tokens", shape, "all tokens behind the last norm, class token first")
    let features: Graph.Value
    switch pooling {
    case .classToken:
      features = graph("Gather", normalised, graph.constant("first", scalar: 0), attributes: ["axis": .int(1)])
    case .mean:
      features = graph("ReduceMean", patches(of: normalised), attributes: ["axes": .ints([1]), "keepdims": .int(0)])
    case .grid:
      let parts = partsOfGrid(patches: c.patches, side: Pooling.side)
      var shares = [Float](repeating: 0, count: parts.count * c.patches)
      for (p, part) in parts.enumerated() {
        for patch in part { shares[p * c.patches + patch] = 1 / Float(part.count) }
      }
      let means = graph(
        "MatMul", graph.constant("shares", shares, shape: [parts.count, c.patches]), patches(of: normalised))
      features = graph("Reshape", means, graph.constant("feature_shape", ints: [0, parts.count * c.width]))
    }
    graph.output(
      features, as: "features", [.named("batch"), .size(pooling.width(of: c.width))],
      "the picture's feature: pool \(pooling.rawValue)")
    if hasHead, let head = file.head {
      let logits = try linear("head", features)
      let shape: [Graph.Dimension] = [.named("batch"), .size(head.classes)]
      graph.output(logits, as: "logits", shape, "a number for each class")
      graph.output(
        graph("Softmax", logits, attributes: ["axis": .int(-1)]), as: "probabilities", shape,
        "the softmax of the logits")
    }
    return graph.message
  }

  /// Tokens without the class token [batch, patches, width].
  private mutating func patches(of tokens: Graph.Value) -> Graph.Value {
    graph(
      "Slice", tokens, graph.constant("one", ints: [1]), graph.constant("end", ints: [1 + c.patches]),
      graph.constant("tokens_axis", ints: [1]))
  }

  /// Normalised pixels [batch, channels, side, side].
  private mutating func input(_ pixels: ONNXFile.Pixels) throws -> Graph.Value {
    let side = Graph.Dimension.size(c.image)
    switch pixels {
    case .normalised:
      return graph.input(
        "pixels", .float, [.named("batch"), .size(c.channels), side, side],
        "pixels from 0 to 1, less the mean, over the deviation")
    case .bytes:
      guard let normalisation = file.normalisation else {
        throw Failure(
          .usage, "\(file.source): has no mean and std, which bytes are normalised by: use --pixels normalised")
      }
      let bytes = graph.input(
        "pixels", .byte, [.named("batch"), side, side, .size(c.channels)], "pictures as they are, row by row")
      let values = graph("Cast", bytes, attributes: ["to": .int(Int(Graph.Element.float.rawValue))])
      let scaled = graph("Div", values, graph.constant("white", [255], shape: []))
      let centred = graph(
        "Sub", scaled, graph.constant("mean", normalisation.mean.map { Float($0) }, shape: [c.channels]))
      let normal = graph(
        "Div", centred, graph.constant("std", normalisation.std.map { Float($0) }, shape: [c.channels]))
      return graph("Transpose", normal, attributes: ["perm": .ints([0, 3, 1, 2])])
    }
  }

  /// What the first block reads: the class token, then the patches, each with its position.
  private mutating func tokens(of pixels: Graph.Value) throws -> Graph.Value {
    let convolved = graph(
      "Conv", pixels, try weight("patch_embed.proj.weight"), try weight("patch_embed.proj.bias"),
      attributes: ["kernel_shape": .ints([c.patch, c.patch]), "strides": .ints([c.patch, c.patch])])
    let rows = graph("Reshape", convolved, graph.constant("rows_shape", ints: [0, c.width, c.patches]))
    let patches = graph("Transpose", rows, attributes: ["perm": .ints([0, 2, 1])])
    let batch = graph(
      "Slice", graph("Shape", pixels), graph.constant("zero", ints: [0]), graph.constant("batch_end", ints: [1]))
    let shape = graph(
      "Concat", batch, graph.constant("token_shape", ints: [1, c.width]), attributes: ["axis": .int(0)])
    let token = graph("Expand", try weight("cls_token"), shape)
    return graph("Add", graph("Concat", token, patches, attributes: ["axis": .int(1)]), try weight("pos_embed"))
  }

  private mutating func block(_ number: Int, _ x: Graph.Value) throws -> Graph.Value {
    let name = "blocks.\(number)"
    let attended = try attention(name, try norm(name + ".norm1", x))
    let y = graph("Add", x, try scaled(name + ".ls1", attended))
    let hidden = gelu(try linear(name + ".mlp.fc1", try norm(name + ".norm2", y)))
    return graph("Add", y, try scaled(name + ".ls2", try linear(name + ".mlp.fc2", hidden)))
  }

  private mutating func attention(_ name: String, _ x: Graph.Value) throws -> Graph.Value {
    let depth = c.width / c.heads
    let qkv = graph(
      "Reshape", try linear(name + ".attn.qkv", x), shared("heads_shape", [0, 1 + c.patches, 3, c.heads, depth]))
    func part(_ place: Int, _ graph: inout Graph) -> Graph.Value {
      graph("Gather", qkv, graph.constant("part_\(place)", scalar: place), attributes: ["axis": .int(2)])
    }
    let (q, k, v) = (part(0, &graph), part(1, &graph), part(2, &graph))
    let queries = graph("Transpose", q, attributes: ["perm": .ints([0, 2, 1, 3])])
    let keys = graph("Transpose", k, attributes: ["perm": .ints([0, 2, 3, 1])])
    let values = graph("Transpose", v, attributes: ["perm": .ints([0, 2, 1, 3])])
    let scale = shared("attention_scale", [Float(1 / Double(depth).squareRoot())])
    let shares = graph("Softmax", graph("Mul", graph("MatMul", queries, keys), scale), attributes: ["axis": .int(-1)])
    let mixed = graph("Transpose", graph("MatMul", shares, values), attributes: ["perm": .ints([0, 2, 1, 3])])
    return try linear(
      name + ".attn.proj", graph("Reshape", mixed, shared("width_shape", [0, 1 + c.patches, c.width])))
  }

  /// x/2 · (1 + erf(x/√2)): the exact GELU, in operations that every runtime has.
  private mutating func gelu(_ x: Graph.Value) -> Graph.Value {
    let error = graph("Erf", graph("Mul", x, shared("root_half", [Float(0.5.squareRoot())])))
    let share = graph("Mul", graph("Add", error, shared("unit", [Float(1)])), shared("half", [Float(0.5)]))
    return graph("Mul", x, share)
  }

  private mutating func norm(_ name: String, _ x: Graph.Value) throws -> Graph.Value {
    graph(
      "LayerNormalization", x, try weight(name + ".weight"), try weight(name + ".bias"),
      attributes: ["axis": .int(-1), "epsilon": .float(Float(c.normEpsilon))])
  }

  private mutating func linear(_ name: String, _ x: Graph.Value) throws -> Graph.Value {
    let (values, shape) = try tensor(name + ".weight")
    let (outputs, inputs) = (shape[0], shape[1])
    let transposed = [Float](unsafeUninitializedCapacity: values.count) { to, count in
      // A few columns at a time, so that what is written stays in the cache.
      for first in stride(from: 0, to: outputs, by: 16) {
        for i in 0..<inputs {
          for o in first..<min(first + 16, outputs) { to[i * outputs + o] = values[o * inputs + i] }
        }
      }
      count = values.count
    }
    let matrix = graph.constant(name + ".weight", transposed, shape: [inputs, outputs])
    return graph("Add", graph("MatMul", x, matrix), try weight(name + ".bias"))
  }

  /// LayerScale, where the encoder has it.
  private mutating func scaled(_ name: String, _ x: Graph.Value) throws -> Graph.Value {
    c.layerScale ? graph("Mul", x, try weight(name + ".gamma")) : x
  }

  private mutating func weight(_ name: String) throws -> Graph.Value {
    let (values, shape) = try tensor(name)
    return graph.constant(name, values, shape: shape)
  }

  private func tensor(_ name: String) throws -> (values: [Float], shape: [Int]) {
    guard let stored = file.record[name] else { throw Failure(.data, "\(file.source): missing: \(name)") }
    return (try stored.values(of: Float.self), stored.shape)
  }

  private mutating func shared(_ name: String, _ ints: [Int]) -> Graph.Value { graph.constant(name, ints: ints) }
  private mutating func shared(_ name: String, _ values: [Float]) -> Graph.Value {
    graph.constant(name, values, shape: [])
  }
}
