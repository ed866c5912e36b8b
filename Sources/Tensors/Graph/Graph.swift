/// A computation as a graph of ONNX operators (onnx.ai/onnx/operators, operator set 17).
///
/// `trace` adds the operations of a function of tensors, and `apply` single operators. Every value has a unique name.
public struct Graph: Sendable {
  public enum Element: Sendable { case uint8, int64, float32 }

  /// A value of the graph: an input, a constant, or the output of a node.
  public struct Value: Sendable, Hashable {
    public let name: String
  }

  public enum Attribute: Sendable, Hashable {
    case integer(Int)
    case integers([Int])
    case number(Double)
  }

  public struct Node: Sendable, Hashable {
    /// `Conv`
    public let operation: String
    public let inputs: [Value]
    public let output: Value
    public let attributes: [String: Attribute]
  }

  /// An input or output of the whole graph.
  public struct Port: Sendable, Hashable {
    public let name: String
    public let element: Element
    /// The extent of each axis after the first one, which is the batch.
    public let extents: [Int]
  }

  public private(set) var inputs: [Port] = []
  public private(set) var outputs: [Port] = []
  public private(set) var nodes: [Node] = []
  /// `float32` constants, such as weights.
  public private(set) var tensors: [(name: String, value: Tensor)] = []
  /// Constants such as shapes and axes.
  public private(set) var integers: [(name: String, value: [Int])] = []
  private var names: [ObjectIdentifier: String] = [:]

  /// - Parameter parameters: the names of tensors that the graph may use.
  public init(naming parameters: [(name: String, value: Tensor)] = []) {
    for (name, value) in parameters { names[ObjectIdentifier(value.storage)] = name }
    kept = parameters.map(\.value)
  }

  /// Keeps the memory of named tensors, so that no other tensor gets their identity.
  private let kept: [Tensor]

  // MARK: - Building

  /// - Parameter extents: those of each axis after the batch.
  public mutating func input(_ name: String, _ element: Element, _ extents: [Int]) -> Value {
    inputs.append(Port(name: name, element: element, extents: extents))
    return Value(name: name)
  }

  /// A `float32` input.
  public mutating func input(_ name: String, _ extents: [Int]) -> Value { input(name, .float32, extents) }

  /// Makes a value an output of the graph.
  public mutating func output(_ value: Value, as name: String, _ element: Element, _ extents: [Int]) {
    outputs.append(Port(name: name, element: element, extents: extents))
    nodes.append(Node(operation: "Identity", inputs: [value], output: Value(name: name), attributes: [:]))
  }

  /// Makes a value a `float32` output of the graph.
  public mutating func output(_ value: Value, as name: String, _ extents: [Int]) {
    output(value, as: name, .float32, extents)
  }

  public mutating func apply(_ operation: String, _ inputs: [Value], _ attributes: [String: Attribute] = [:]) -> Value {
    let output = Value(name: "\(operation.lowercased())_\(nodes.count)")
    nodes.append(Node(operation: operation, inputs: inputs, output: output, attributes: attributes))
    return output
  }

  /// A tensor of the graph's parameters, or any other `float32` constant. The same memory in the same shape is stored
  /// once.
  public mutating func constant(_ tensor: Tensor) -> Value {
    let tensor = tensor.detached
    if let known = tensors.first(where: { $0.value.storage === tensor.storage && $0.value.shape == tensor.shape }) {
      return Value(name: known.name)
    }
    var name = names[ObjectIdentifier(tensor.storage)] ?? "constant_\(tensors.count)"
    if tensors.contains(where: { $0.name == name }) { name = "constant_\(tensors.count)" }
    tensors.append((name, tensor))
    return Value(name: name)
  }

  public mutating func constant(_ number: Double) -> Value {
    if let known = tensors.first(where: { $0.value.shape.rank == 0 && $0.value.item == Double(Float(number)) }) {
      return Value(name: known.name)
    }
    return constant(Tensor(scalar: number))
  }

  public mutating func constant(_ values: [Int]) -> Value {
    if let known = integers.first(where: { $0.value == values }) { return Value(name: known.name) }
    integers.append(("integers_\(integers.count)", values))
    return Value(name: integers[integers.count - 1].name)
  }

  /// Reshapes a value whose first axis contains the batch; `extents` are those of the other axes.
  public mutating func reshape(_ x: Value, _ extents: [Int]) -> Value {
    apply("Reshape", [x, constant([-1] + extents)])
  }

  /// The columns of the last axis.
  public mutating func columns(_ x: Value, _ range: Range<Int>) -> Value {
    apply("Slice", [x, constant([range.lowerBound]), constant([range.upperBound]), constant([-1])])
  }

  public mutating func activated(_ x: Value, by activation: Activation) -> Value {
    switch activation {
    case .identity: x
    case .relu: apply("Relu", [x])
    case .elu: apply("Elu", [x])
    }
  }

  // MARK: - Tracing

  /// Adds the operations of a function of a `float32` tensor.
  ///
  /// The function must consist of operations on tensors, each row of the batch must be computed in the same way, and
  /// shapes other than the first extent must not depend on the size of the batch. Constants are copied.
  ///
  /// - Parameters:
  ///   - x: the function's input, whose first axis is the batch.
  ///   - extents: those of the other axes.
  public mutating func trace(_ x: Value, _ extents: [Int], _ function: (Tensor) -> Tensor) -> Value {
    // What depends on the size of the batch differs between two sizes.
    var other = self
    let again = other.trace(x, Shape([3] + extents), function)
    let y = trace(x, Shape([2] + extents), function)
    precondition(
      y == again && nodes == other.nodes && integers.map(\.value) == other.integers.map(\.value)
        && tensors.map(\.value.shape) == other.tensors.map(\.value.shape),
      "a function whose constants or shapes depend on the size of the batch has no graph")
    return y
  }

  private mutating func trace(_ x: Value, _ shape: Shape, _ function: (Tensor) -> Tensor) -> Value {
    let tape = Tape(isDescribed: true)
    let y = function(tape.variable(.zeros(shape)))
    return tape.describe(y, from: x, in: &self)
  }
}

/// Adds an operation to a graph: returns its output for its inputs, in the order in which they are on the tape.
typealias Description = @Sendable (_ graph: inout Graph, _ inputs: [Graph.Value]) -> Graph.Value
