import Synchronization

/// One differentiable operation. Its file contains the forward pass, a function on tensors, and this backward pass.
/// Stored properties hold what the backward pass needs besides inputs and output.
protocol Operation: Sendable {
  /// Adds the contribution of the output's gradient to the gradient of each input.
  func backward(_ gradient: Tensor, _ step: inout BackwardStep)
  /// The columns of the output's gradient that `backward` reads; nil for all. The others may stay zero.
  var neededColumns: Range<Int>? { get }
}

extension Operation {
  var neededColumns: Range<Int>? { nil }
}

/// The position of a tensor on a tape.
struct Trace: Sendable {
  let tape: Tape
  let index: Int32
  /// The use of the tape that it belongs to. Tapes are reused; a tensor of an earlier use is a constant.
  let use: Int

  var isCurrent: Bool { tape.use.load(ordering: .relaxed) == use }
}

/// The operations of one loss, in order. The tape's memory is reused for the next loss.
final class Tape: Sendable {
  fileprivate struct Node {
    var operation: any Operation
    /// The range of the inputs in `Record.inputs`.
    var inputs: Range<Int>
    var output: Tensor
  }

  fileprivate struct Record {
    var nodes: [Node] = []
    /// The inputs of all nodes, end to end.
    var inputs: [Tensor] = []
    /// The gradient of each node's output; nil until it is known.
    var gradients: [Tensor?] = []
    /// How each node appears in a graph, on a tape that is described; nil: it cannot.
    var descriptions: [Description?] = []
  }

  let use = Atomic<Int>(0)
  /// Whether the operations can be read as a graph afterwards.
  private let isDescribed: Bool
  private let record = Mutex(Record())
  /// Tapes that are not in use.
  private static let idle = Mutex<[Tape]>([])

  init(isDescribed: Bool = false) { self.isDescribed = isDescribed }

  static func borrow() -> Tape { idle.withLock { $0.popLast() } ?? Tape() }

  func release() {
    use.wrappingAdd(1, ordering: .relaxed)
    record.withLock { record in
      record.nodes.removeAll(keepingCapacity: true)
      record.inputs.removeAll(keepingCapacity: true)
      record.gradients.removeAll(keepingCapacity: true)
    }
    Tape.idle.withLock { $0.append(self) }
  }

  /// Puts a tensor on the tape as a variable, whose gradient is computed.
  func variable(_ tensor: Tensor) -> Tensor { note(tensor.detached, Variable(), nil) { _ in } }

  private struct Variable: Operation {
    func backward(_ gradient: Tensor, _ step: inout BackwardStep) {}
  }

  fileprivate func note(
    _ output: Tensor, _ operation: some Operation, _ description: @autoclosure () -> Description?,
    _ inputs: (inout [Tensor]) -> Void
  ) -> Tensor {
    record.withLock { record in
      if isDescribed { record.descriptions.append(description()) }
      let start = record.inputs.count
      inputs(&record.inputs)
      record.nodes.append(Node(operation: operation, inputs: start..<record.inputs.count, output: output))
      var traced = output
      traced.trace = Trace(
        tape: self, index: Int32(record.nodes.count - 1), use: use.load(ordering: .relaxed))
      return traced
    }
  }

  /// Reverse mode: visits the nodes from a value back to the variables.
  ///
  /// - Parameter seed: the gradient with respect to the value, of its shape.
  func backpropagate(from value: Tensor, seed: Tensor) {
    guard let trace = value.trace, trace.tape === self, trace.isCurrent else { return }
    record.withLock { record in
      var step = BackwardStep(record: record, tape: self)
      record = Record()
      step.follow(from: Int(trace.index), seed: seed)
      record = step.takeRecord()
    }
  }

  /// Adds the operations that lead from the tape's first variable to a tensor to a graph.
  func describe(_ output: Tensor, from input: Graph.Value, in graph: inout Graph) -> Graph.Value {
    record.withLock { record in
      func node(_ tensor: Tensor) -> Int? {
        guard let trace = tensor.trace, trace.tape === self else { return nil }
        return Int(trace.index)
      }
      guard let last = node(output) else {
        preconditionFailure("a function that does not depend on its input by recorded operations has no graph")
      }
      var isNeeded = [Bool](repeating: false, count: last + 1)
      isNeeded[last] = true
      for index in stride(from: last, through: 0, by: -1) where isNeeded[index] {
        for input in record.inputs[record.nodes[index].inputs] {
          if let node = node(input) { isNeeded[node] = true }
        }
      }
      var values: [Graph.Value?] = [input]
      for index in 1..<last + 1 {
        guard isNeeded[index] else {
          values.append(nil)
          continue
        }
        guard let description = record.descriptions[index] else {
          preconditionFailure("\(type(of: record.nodes[index].operation)) has no description as a graph")
        }
        let inputs = record.inputs[record.nodes[index].inputs].map { tensor in
          node(tensor).flatMap { values[$0] } ?? graph.constant(tensor)
        }
        values.append(description(&graph, inputs))
      }
      guard let value = values[last] else { preconditionFailure("the last operation was left out") }
      return value
    }
  }

  /// The gradient of a variable after `follow`; nil if the loss does not depend on it.
  func gradient(of variable: Tensor) -> Tensor? {
    guard let trace = variable.trace else { return nil }
    return record.withLock { $0.gradients.isEmpty ? nil : $0.gradients[Int(trace.index)] }
  }
}

/// The context of an operation's backward pass: its inputs and output as constants, and the gradients.
struct BackwardStep {
  private var record: Tape.Record
  private let tape: Tape
  private var index = 0

  fileprivate init(record: Tape.Record, tape: Tape) {
    self.record = record
    self.tape = tape
  }

  fileprivate mutating func takeRecord() -> Tape.Record {
    let taken = record
    record = Tape.Record()
    return taken
  }

  fileprivate mutating func follow(from last: Int, seed: Tensor) {
    for _ in record.nodes { record.gradients.append(nil) }
    record.gradients[last] = seed
    for node in stride(from: last, through: 0, by: -1) where !record.nodes[node].inputs.isEmpty {
      guard let gradient = record.gradients[node] else { continue }
      record.gradients[node] = nil  // no longer needed: the next operation may reuse its memory
      index = node
      record.nodes[node].operation.backward(gradient, &self)
    }
  }

  var output: Tensor { record.nodes[index].output }
  var inputCount: Int { record.nodes[index].inputs.count }

  func input(_ i: Int) -> Tensor { traced(i).detached }

  /// Whether the gradient of an input is needed.
  func needs(_ i: Int) -> Bool { node(i) != nil }

  /// The columns of an input's gradient that are read.
  func neededColumns(of i: Int) -> Range<Int> {
    guard let node = node(i) else { return 0..<0 }
    return record.nodes[node].operation.neededColumns ?? 0..<traced(i).shape[-1]
  }

  /// Adds a share to the gradient of an input, if that is needed.
  mutating func add(_ share: @autoclosure () -> Tensor, to i: Int) {
    guard let node = node(i) else { return }
    let share = share()
    precondition(share.shape == traced(i).shape, "a gradient of shape \(share.shape) for an input \(traced(i).shape)")
    record.gradients[node] = record.gradients[node].map { $0 + share } ?? share
  }

  private func traced(_ i: Int) -> Tensor { record.inputs[record.nodes[index].inputs.lowerBound + i] }

  /// The node of an input; nil for a constant.
  private func node(_ i: Int) -> Int? {
    guard let trace = traced(i).trace, trace.tape === tape, trace.isCurrent else { return nil }
    return Int(trace.index)
  }
}

extension Tensor {
  /// Records the operation on the tape of its inputs, if any of them is on one.
  ///
  /// - Parameter description: the operation in a graph; nil: it cannot be in one.
  func recorded(
    _ operation: some Operation, from a: Tensor,
    as description: @autoclosure () -> Description? = nil
  ) -> Tensor {
    guard let tape = Tape.shared(by: nil, a) else { return self }
    return tape.note(self, operation, description()) { $0.append(a) }
  }

  func recorded(
    _ operation: some Operation, from a: Tensor, _ b: Tensor,
    as description: @autoclosure () -> Description? = nil
  ) -> Tensor {
    guard let tape = Tape.shared(by: Tape.shared(by: nil, a), b) else { return self }
    return tape.note(self, operation, description()) {
      $0.append(a)
      $0.append(b)
    }
  }

  func recorded(
    _ operation: some Operation, from a: Tensor, _ b: Tensor, _ c: Tensor,
    as description: @autoclosure () -> Description? = nil
  ) -> Tensor {
    guard let tape = Tape.shared(by: Tape.shared(by: Tape.shared(by: nil, a), b), c) else { return self }
    return tape.note(self, operation, description()) {
      $0.append(a)
      $0.append(b)
      $0.append(c)
    }
  }

  func recorded(
    _ operation: some Operation, from a: Tensor, _ others: [Tensor],
    as description: @autoclosure () -> Description? = nil
  ) -> Tensor {
    guard let tape = others.reduce(Tape.shared(by: nil, a), Tape.shared(by:_:)) else { return self }
    return tape.note(self, operation, description()) {
      $0.append(a)
      $0.append(contentsOf: others)
    }
  }

  func recorded(
    _ operation: some Operation, from inputs: [Tensor],
    as description: @autoclosure () -> Description? = nil
  ) -> Tensor {
    guard let tape = inputs.reduce(nil, Tape.shared(by:_:)) else { return self }
    return tape.note(self, operation, description()) { $0.append(contentsOf: inputs) }
  }
}

extension Tensor {
  /// Whether the gradient of the tensor is needed.
  var isVariable: Bool { trace?.isCurrent ?? false }
}

extension Tape {
  /// The tape of both, or of the one that is on a tape.
  fileprivate static func shared(by tape: Tape?, _ tensor: Tensor) -> Tape? {
    guard let trace = tensor.trace, trace.isCurrent else { return tape }
    precondition(
      tape == nil || tape === trace.tape, "an operation mixes variables of two losses: detach one of them")
    return trace.tape
  }
}
