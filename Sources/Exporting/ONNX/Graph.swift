import Foundation
import TensorStream

/// An ONNX graph in the making: values are names, and each operation gives the name of its result.
struct Graph {
  /// A value of the graph.
  typealias Value = String

  /// ONNX's numbers of element types.
  enum Element: Int32 {
    case float = 1
    case byte = 2
    case int64 = 7
  }

  /// A dimension that is known, or that has a name.
  enum Dimension {
    case size(Int)
    case named(String)
  }

  enum Attribute {
    case int(Int)
    case ints([Int])
    case float(Float)
  }

  private(set) var message = Onnx_GraphProto()
  private var count = 0
  private var names: Set<String> = []

  init(name: String, description: String) {
    message.name = name
    message.docString = description
  }

  mutating func input(_ name: String, _ element: Element, _ shape: [Dimension], _ description: String) -> Value {
    message.input.append(Self.info(name, element, shape, description))
    return name
  }

  /// Gives a value the name that users see.
  mutating func output(_ value: Value, as name: String, _ shape: [Dimension], _ description: String) {
    message.output.append(Self.info(name, .float, shape, description))
    append("Identity", [value], output: name, [:])
  }

  /// A constant that is stored with the graph, once under a name.
  mutating func constant(_ name: String, _ values: [Float], shape: [Int]) -> Value {
    values.withUnsafeBytes { stored(name, .float, shape, Data($0)) }
  }

  mutating func constant(_ name: String, ints: [Int]) -> Value {
    ints.map(Int64.init).withUnsafeBytes { stored(name, .int64, [ints.count], Data($0)) }
  }

  mutating func constant(_ name: String, scalar: Int) -> Value {
    withUnsafeBytes(of: Int64(scalar)) { stored(name, .int64, [], Data($0)) }
  }

  /// The result of an operation.
  mutating func callAsFunction(_ operation: String, _ inputs: Value..., attributes: [String: Attribute] = [:]) -> Value
  {
    count += 1
    let output = "\(operation)_\(count)"
    append(operation, inputs, output: output, attributes)
    return output
  }

  private mutating func stored(_ name: String, _ element: Element, _ shape: [Int], _ data: Data) -> Value {
    guard names.insert(name).inserted else { return name }
    var tensor = Onnx_TensorProto()
    (tensor.name, tensor.dataType, tensor.dims) = (name, element.rawValue, shape.map(Int64.init))
    tensor.rawData = data
    message.initializer.append(tensor)
    return name
  }

  private mutating func append(
    _ operation: String, _ inputs: [Value], output: Value, _ attributes: [String: Attribute]
  ) {
    var node = Onnx_NodeProto()
    (node.opType, node.input, node.output, node.name) = (operation, inputs, [output], output + ":node")
    node.attribute = attributes.sorted { $0.key < $1.key }.map { name, value in
      var attribute = Onnx_AttributeProto()
      attribute.name = name
      switch value {
      case .int(let i): (attribute.i, attribute.type) = (Int64(i), .int)
      case .ints(let list): (attribute.ints, attribute.type) = (list.map(Int64.init), .ints)
      case .float(let f): (attribute.f, attribute.type) = (f, .float)
      }
      return attribute
    }
    message.node.append(node)
  }

  private static func info(
    _ name: String, _ element: Element, _ shape: [Dimension], _ description: String
  ) -> Onnx_ValueInfoProto {
    var info = Onnx_ValueInfoProto()
    (info.name, info.docString) = (name, description)
    info.type.tensorType.elemType = element.rawValue
    info.type.tensorType.shape.dim = shape.map { dimension in
      var result = Onnx_TensorShapeProto.Dimension()
      switch dimension {
      case .size(let size): result.dimValue = Int64(size)
      case .named(let name): result.dimParam = name
      }
      return result
    }
    return info
  }
}
