import Synchronization

/// One differentiable operation. A file holds its forward pass, a function on tensors, and this backward pass side by
/// side; what backward needs beyond inputs and output are the stored properties.
protocol Operation: Sendable {
  /// Adds to the gradient of each input what the gradient of the output brings.
  func backward(_ gradient: Tensor, _ step: inout BackwardStep)
  /// The columns of the output whose gradient `backward` reads; nil for all. The others may then stay zero.
  var neededColumns: Range<Int>? { get }
}

extension Operation {
  var neededColumns: Range<Int>? { nil }
}

/// A place on a tape, as the tensor that stands there keeps it.
struct Trace: Sendable {
  let tape: Tape
  let index: Int32
  /// A tape is used again and again; a tensor of an earlier use is a constant.
  let use: Int

  var isCurrent: Bool { tape.use.load(ordering: .relaxed) == use }
}

/// The operations of one loss, in their order. Its memory is kept from loss to loss.
final class Tape: Sendable {
  fileprivate struct Node {
    var operation: any Operation
    /// Where the inputs stand in `inputs`.
    var inputs: Range<Int>
    var output: Tensor
  }

  fileprivate struct Record {
    var nodes: [Node] = []
    /// The inputs of all nodes, end to end.
    var inputs: [Tensor] = []
    /// The gradient of each node's output, as far as it is known.
    var gradients: [Tensor?] = []
  }

  let use = Atomic<Int>(0)
  private let record = Mutex(Record())
  /// Tapes wait here between losses.
  private static let idle = Mutex<[Tape]>([])

  static func borrow() -> Tape { idle.withLock { $0.popLast() } ?? Tape() }

  func giveBack() {
    use.wrappingAdd(1, ordering: .relaxed)
    record.withLock { record in
      record.nodes.removeAll(keepingCapacity: true)
      record.inputs.removeAll(keepingCapacity: true)
      record.gradients.removeAll(keepingCapacity: true)
    }
    Tape.idle.withLock { $0.append(self) }
  }

  /// Puts a tensor on the tape whose gradient will be asked for.
  func variable(_ tensor: Tensor) -> Tensor { note(tensor.detached, Variable()) { _ in } }

  private struct Variable: Operation {
    func backward(_ gradient: Tensor, _ step: inout BackwardStep) {}
  }

  fileprivate func note(_ output: Tensor, _ operation: some Operation, _ inputs: (inout [Tensor]) -> Void) -> Tensor {
    record.withLock { record in
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
  /// - Parameter seed: the gradient by the value, of its shape.
  func follow(back value: Tensor, seed: Tensor) {
    guard let trace = value.trace, trace.tape === self, trace.isCurrent else { return }
    record.withLock { record in
      var step = BackwardStep(record: record, tape: self)
      record = Record()
      step.follow(from: Int(trace.index), seed: seed)
      record = step.takeRecord()
    }
  }

  /// The gradient of a variable after `follow`; nil where the loss does not depend on it.
  func gradient(of variable: Tensor) -> Tensor? {
    guard let trace = variable.trace else { return nil }
    return record.withLock { $0.gradients.isEmpty ? nil : $0.gradients[Int(trace.index)] }
  }
}

/// What an operation sees on the way back: its inputs and output as constants, and where the gradients go.
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
      record.gradients[node] = nil  // passed on: its memory may serve the next operation
      index = node
      record.nodes[node].operation.backward(gradient, &self)
    }
  }

  var output: Tensor { record.nodes[index].output }
  var inputCount: Int { record.nodes[index].inputs.count }

  func input(_ i: Int) -> Tensor { traced(i).detached }

  /// Whether the gradient of an input is asked for; where it is not, its work is spared.
  func needs(_ i: Int) -> Bool { place(i) != nil }

  /// The columns of an input's gradient that anyone reads.
  func neededColumns(of i: Int) -> Range<Int> {
    guard let place = place(i) else { return 0..<0 }
    return record.nodes[place].operation.neededColumns ?? 0..<traced(i).shape[-1]
  }

  /// Adds a share to the gradient of an input, if it is asked for.
  mutating func add(_ share: @autoclosure () -> Tensor, to i: Int) {
    guard let place = place(i) else { return }
    let share = share()
    precondition(share.shape == traced(i).shape, "a gradient of shape \(share.shape) for an input \(traced(i).shape)")
    record.gradients[place] = record.gradients[place].map { $0 + share } ?? share
  }

  private func traced(_ i: Int) -> Tensor { record.inputs[record.nodes[index].inputs.lowerBound + i] }

  private func place(_ i: Int) -> Int? {
    guard let trace = traced(i).trace, trace.tape === tape, trace.isCurrent else { return nil }
    return Int(trace.index)
  }
}

extension Tensor {
  /// The output, noted on the tape of its inputs if any of them stands on one.
  func noted(_ operation: some Operation, from a: Tensor) -> Tensor {
    guard let tape = Tape.shared(by: nil, a) else { return self }
    return tape.note(self, operation) { $0.append(a) }
  }

  func noted(_ operation: some Operation, from a: Tensor, _ b: Tensor) -> Tensor {
    guard let tape = Tape.shared(by: Tape.shared(by: nil, a), b) else { return self }
    return tape.note(self, operation) {
      $0.append(a)
      $0.append(b)
    }
  }

  func noted(_ operation: some Operation, from a: Tensor, _ b: Tensor, _ c: Tensor) -> Tensor {
    guard let tape = Tape.shared(by: Tape.shared(by: Tape.shared(by: nil, a), b), c) else { return self }
    return tape.note(self, operation) {
      $0.append(a)
      $0.append(b)
      $0.append(c)
    }
  }

  func noted(_ operation: some Operation, from inputs: [Tensor]) -> Tensor {
    guard let tape = inputs.reduce(nil, Tape.shared(by:_:)) else { return self }
    return tape.note(self, operation) { $0.append(contentsOf: inputs) }
  }
}

extension Tensor {
  /// Whether a gradient of the tensor is asked for.
  var isVariable: Bool { trace?.isCurrent ?? false }
}

extension Tape {
  /// The tape that both stand on, or the one of them that has one.
  fileprivate static func shared(by tape: Tape?, _ tensor: Tensor) -> Tape? {
    guard let trace = tensor.trace, trace.isCurrent else { return tape }
    precondition(
      tape == nil || tape === trace.tape, "an operation mixes variables of two losses: use one of them detached")
    return trace.tape
  }
}
