import Networks
import Tensors

/// Q(o, a): `[B, O]` and `[B, A]` to `[B, 1]`, by a network whose input is both.
protocol Critic: Module {
  var trunk: MultilayerPerceptron { get }
  /// The input of the network, `[B, O + A]`, with actions as numbers.
  func input(_ o: Tensor, _ a: Tensor) -> Tensor
}

extension ActionValue: Critic {}

extension MultilayerPerceptron: Critic {
  var trunk: MultilayerPerceptron { self }
  func input(_ o: Tensor, _ a: Tensor) -> Tensor { concatenated(o, a) }
}

/// Q_1(o, a) and Q_2(o, a), with different initial weights and the same targets (Fujimoto 2018).
struct TwinCritics<Network: Critic>: Module {
  var first: Network
  var second: Network

  /// - Parameter critic: creates a critic, with different weights at each call.
  init(_ critic: () -> Network) {
    first = critic()
    second = critic()
  }

  func callAsFunction(_ o: Tensor, _ a: Tensor) -> (Tensor, Tensor) {  // [B, 1] each
    let both = first.input(o, a)
    return (first.trunk(both), second.trunk(both))
  }

  /// min_i Q_i(o, a), against overestimation (Fujimoto 2018, sec. 4.2): `[B, 1]`.
  func least(_ o: Tensor, _ a: Tensor) -> Tensor {
    let (q1, q2) = self(o, a)
    return minimum(q1, q2)
  }

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("first", &first)
    visitor("second", &second)
  }
}
