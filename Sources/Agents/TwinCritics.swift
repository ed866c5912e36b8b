import Core
import Networks
import Replay
import Tensors

/// Q(o, a): `[B, O]` and `[B, A]` to `[B, 1]`, by a network whose input is both.
protocol Critic: Module {
  /// The input of the network, `[B, O + A]`, with actions as numbers.
  func input(_ o: Tensor, _ a: Tensor) -> Tensor
  /// Q of the network's input, `[B, O + A]` to `[B, 1]`.
  func value(of input: Tensor) -> Tensor
}

extension ActionValue: Critic {
  func value(of input: Tensor) -> Tensor { trunk(input) }
}

/// A critic of continuous actions: linear layers, or residual blocks. One of the two is nil.
struct CriticNetwork: Critic {
  var layers: MultilayerPerceptron?
  var residual: ResidualNetwork?

  /// - Parameter blocks: the number of residual blocks; 0: two hidden layers instead.
  init(_ observations: Int, _ actions: Int, hidden: Int, layerNorm: Bool, blocks: Int, using random: inout Random) {
    if blocks > 0 {
      residual = ResidualNetwork(observations + actions, hidden: hidden, blocks: blocks, 1, using: &random)
    } else {
      layers = MultilayerPerceptron(
        observations + actions, hidden: [hidden, hidden], 1, layerNorm: layerNorm, using: &random)
    }
  }

  func input(_ o: Tensor, _ a: Tensor) -> Tensor { concatenated(o, a) }

  func value(of input: Tensor) -> Tensor {
    guard let value = layers?(input) ?? residual?(input) else { preconditionFailure("a critic without a network") }
    return value
  }

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    layers?.visit(&visitor)
    residual?.visit(&visitor)
  }
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
    return (first.value(of: both), second.value(of: both))
  }

  /// min_i Q_i(o, a), against overestimation (Fujimoto 2018, sec. 4.2): `[B, 1]`.
  func least(_ o: Tensor, _ a: Tensor) -> Tensor {
    let (q1, q2) = self(o, a)
    return minimum(q1, q2)
  }

  /// (Q_1 + Q_2) / 2 - β/2 |Q_1 - Q_2|: the minimum with β = 1, the mean with β = 0 (Nauman et al. 2024, arXiv
  /// 2405.16158). `[B, 1]`
  ///
  /// - Parameter pessimism: β.
  func cautious(_ o: Tensor, _ a: Tensor, pessimism: Double) -> Tensor {
    if pessimism == 1 { return least(o, a) }
    let (q1, q2) = self(o, a)
    return (q1 + q2) / 2 - pessimism / 2 * abs(q1 - q2)
  }

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("first", &first)
    visitor("second", &second)
  }
}

extension TwinCritics {
  /// Takes a step of J_Q = Σ_i E[(Q_i(o, a) - y)²].
  ///
  /// - Parameters:
  ///   - y: The targets, `[B, 1]`.
  ///   - batch: o and a, and whether the lesson must have the gradient with respect to o.
  ///   - normalized: Returns what the critics get of o.
  /// - Returns: The loss and the mean of Q_1 before the step.
  mutating func learn(
    _ y: Tensor, of batch: Batch, by optimizer: inout Adam, _ normalized: (Tensor) -> Tensor = { $0 }
  ) -> Lesson {
    var meanQ = 0.0
    let (loss, gradient, observationGradient) = valueWithGradient(
      at: self, and: batch.observation, isWanted: batch.needsObservationGradient
    ) { critics, o in
      let (q1, q2) = critics(normalized(o), batch.action)
      meanQ = q1.mean().item
      return meanSquared(q1 - y) + meanSquared(q2 - y)
    }
    optimizer.update(&self, along: gradient)
    return Lesson(metrics: ["critic/loss": loss, "critic/q": meanQ], observationGradient: observationGradient)
  }
}
