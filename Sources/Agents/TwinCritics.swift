import Networks
import Tensors

/// Q(o, a): `[B, O]` and `[B, A]` to `[B, 1]`.
protocol Critic: Module {
  func callAsFunction(_ o: Tensor, _ a: Tensor) -> Tensor
}

extension ActionValue: Critic {}

extension MultilayerPerceptron: Critic {
  /// Applies the network to the concatenated observation and action.
  func callAsFunction(_ o: Tensor, _ a: Tensor) -> Tensor { self(concatenated(o, a)) }
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

  func callAsFunction(_ o: Tensor, _ a: Tensor) -> (Tensor, Tensor) { (first(o, a), second(o, a)) }  // [B, 1] each

  /// min_i Q_i(o, a), against overestimation (Fujimoto 2018, sec. 4.2): `[B, 1]`.
  func least(_ o: Tensor, _ a: Tensor) -> Tensor { minimum(first(o, a), second(o, a)) }

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("first", &first)
    visitor("second", &second)
  }
}
