import Core
import Tensors

/// One step of a gated recurrent unit (Cho 2014): input `[B, I]` and state `[B, H]` to the next state `[B, H]`.
///
/// With gates in PyTorch's order r, z, n, and σ the sigmoid:
///
///     r  = σ(W_ir x + b_ir + W_hr h + b_hr)
///     z  = σ(W_iz x + b_iz + W_hz h + b_hz)
///     n  = tanh(W_in x + b_in + r (W_hn h + b_hn))
///     h' = (1 - z) n + z h
public struct GRUCell: Module {
  /// `[3H, I]`
  public var inputWeight: Tensor
  /// `[3H, H]`
  public var stateWeight: Tensor
  /// `[3H]` each
  public var inputBias: Tensor, stateBias: Tensor

  /// Weights and biases uniform in ±1/√H.
  public init(_ inputs: Int, _ hidden: Int, using random: inout Random) {
    precondition(inputs > 0 && hidden > 0, "a GRU has positive sizes, not \(inputs) and \(hidden)")
    let bound = 1 / Double(hidden).squareRoot()
    inputWeight = uniform([3 * hidden, inputs], bound: bound, using: &random)
    stateWeight = uniform([3 * hidden, hidden], bound: bound, using: &random)
    inputBias = uniform([3 * hidden], bound: bound, using: &random)
    stateBias = uniform([3 * hidden], bound: bound, using: &random)
  }

  public var hiddenSize: Int { stateWeight.shape[1] }

  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
    let size = hiddenSize
    let fromInput = linear(x, weight: inputWeight, bias: inputBias)  // [B, 3H]
    let fromState = linear(h, weight: stateWeight, bias: stateBias)  // [B, 3H]
    let gates = sigmoid(fromInput.columns(0..<2 * size) + fromState.columns(0..<2 * size))
    let (r, z) = (gates.columns(0..<size), gates.columns(size..<2 * size))
    let n = tanh(fromInput.columns(2 * size..<3 * size) + r * fromState.columns(2 * size..<3 * size))
    return n + z * (h - n)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("weight_ih", &inputWeight)
    visitor("weight_hh", &stateWeight)
    visitor("bias_ih", &inputBias)
    visitor("bias_hh", &stateBias)
  }
}

/// A gated recurrent unit over a sequence, its parameters named as PyTorch's one-layer `GRU` names them.
public struct GRU: Module {
  public var cell: GRUCell

  public init(_ inputs: Int, _ hidden: Int, using random: inout Random) {
    cell = GRUCell(inputs, hidden, using: &random)
  }

  /// The states after each input.
  ///
  /// - Parameters:
  ///   - inputs: one `[B, I]` for each time.
  ///   - state: the state before, `[B, H]`; zero if nil.
  /// - Returns: one `[B, H]` for each time.
  public func callAsFunction(_ inputs: [Tensor], from state: Tensor? = nil) -> [Tensor] {
    guard let first = inputs.first else { return [] }
    var h = state ?? .zeros([first.shape[0], cell.hiddenSize], first.precision)
    return inputs.map { x in
      h = cell(x, h)
      return h
    }
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("weight_ih_l0", &cell.inputWeight)
    visitor("weight_hh_l0", &cell.stateWeight)
    visitor("bias_ih_l0", &cell.inputBias)
    visitor("bias_hh_l0", &cell.stateBias)
  }
}
