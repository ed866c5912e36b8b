import Core
import Formats
import Tensors

/// A graph as an ONNX file (onnx.ai, `onnx.proto`), which onnxruntime and other programs run.
public struct ONNXModel: Sendable {
  public let graph: Graph
  /// The name of the graph.
  public let name: String
  /// What the file is and how its inputs are made, for its users: `metadata_props`.
  public let metadata: [(key: String, value: String)]

  public init(_ graph: Graph, name: String, metadata: [(key: String, value: String)] = []) {
    self.graph = graph
    self.name = name
    self.metadata = metadata
  }

  /// Writes the file atomically. Throws `WorldError` with the path.
  public func write(to path: String) throws { try writeAtomically(bytes, to: path) }

  /// The bytes of the file: a `ModelProto` of IR version 8, with operator set 17.
  public var bytes: [UInt8] {
    let operatorSet: [ProtobufField] = [.string(1, ""), .integer(2, 17)]
    let properties = metadata.map { ProtobufField.message(14, [.string(1, $0.key), .string(2, $0.value)]) }
    return ProtobufField.encode(
      [.integer(1, 8), .string(2, "pixelrl"), .message(7, graph.fields(name: name)), .message(8, operatorSet)]
        + properties)
  }
}

extension Graph {
  /// `GraphProto`
  fileprivate func fields(name: String) -> [ProtobufField] {
    nodes.map { .message(1, $0.fields) } + [.string(2, name)]
      + tensors.map { .message(5, Self.fields(of: $0.value, name: $0.name)) }
      + integers.map { .message(5, Self.fields(of: $0.value, name: $0.name)) }
      + inputs.map { .message(11, $0.fields) } + outputs.map { .message(12, $0.fields) }
  }

  /// `TensorProto`
  private static func fields(of tensor: Tensor, name: String) -> [ProtobufField] {
    tensor.shape.array.map { .integer(1, $0) }
      + [
        .integer(2, Element.float32.code), .string(8, name),
        .bytes(9, tensor.array.flatMap { bytes(of: $0.bitPattern) }),
      ]
  }

  private static func fields(of values: [Int], name: String) -> [ProtobufField] {
    [
      .integer(1, values.count), .integer(2, Element.int64.code), .string(8, name),
      .bytes(9, values.flatMap { bytes(of: UInt64(bitPattern: Int64($0))) }),
    ]
  }

  private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}

extension Graph.Node {
  /// `NodeProto`. Attributes in the order of their names, so that equal graphs have equal bytes.
  fileprivate var fields: [ProtobufField] {
    inputs.map { .string(1, $0.name) } + [.string(2, output.name), .string(3, output.name), .string(4, operation)]
      + attributes.sorted { $0.key < $1.key }.map { .message(5, [.string(1, $0.key)] + $0.value.fields) }
  }
}

extension Graph.Attribute {
  /// The value and type of an `AttributeProto`.
  fileprivate var fields: [ProtobufField] {
    switch self {
    case .number(let number): [.float(2, Float(number)), .integer(20, 1)]
    case .integer(let number): [.integer(3, number), .integer(20, 2)]
    case .integers(let numbers): numbers.map { .integer(8, $0) } + [.integer(20, 7)]
    }
  }
}

extension Graph.Port {
  /// `ValueInfoProto`
  fileprivate var fields: [ProtobufField] {
    let batch = ProtobufField.message(1, [.string(2, "batch")])
    let shape = [batch] + extents.map { .message(1, [.integer(1, $0)]) }
    return [.string(1, name), .message(2, [.message(1, [.integer(1, element.code), .message(2, shape)])])]
  }
}

extension Graph.Element {
  /// `TensorProto.DataType`
  public var code: Int {
    switch self {
    case .float32: 1
    case .uint8: 2
    case .int64: 7
    }
  }
}
