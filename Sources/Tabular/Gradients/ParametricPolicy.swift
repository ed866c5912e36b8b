import Core
import Networks
import Tensors

/// A policy π_θ(a|s) over finitely many states and actions that is differentiable with respect to its parameters.
public protocol ParametricPolicy: Sendable {
  /// θ, `[P]`
  var parameters: [Double] { get set }
  /// π(a|s), `[S, A]`
  var probabilities: [[Double]] { get }
  /// ∇θ log π(a|s), `[S, A, P]`
  var scores: [[[Double]]] { get }
}

/// A policy with a logit for each state and action: π(a|s) ∝ exp θ(s, a).
public struct SoftmaxPolicy: ParametricPolicy {
  public let stateCount: Int
  public let actionCount: Int
  public var parameters: [Double]

  /// - Parameter logits: θ(s, a), `[S, A]`
  public init(logits: [[Double]]) {
    (stateCount, actionCount) = (logits.count, logits.first?.count ?? 0)
    parameters = logits.flatMap { $0 }
    precondition(parameters.count == stateCount * actionCount, "the rows of logits must have the same length")
  }

  /// Draws normal logits with a standard deviation of `spread`.
  public init(for process: MarkovDecisionProcess, spread: Double = 0.5, using random: inout Random) {
    self.init(
      logits: (0..<process.stateCount).map { _ in (0..<process.actionCount).map { _ in spread * random.normal() } })
  }

  public var probabilities: [[Double]] {
    (0..<stateCount).map { softmax(Array(parameters[$0 * actionCount..<($0 + 1) * actionCount])) }
  }

  /// ∂ log π(a|s) / ∂θ(s, b) = [a = b] − π(b|s), and zero for other states.
  public var scores: [[[Double]]] {
    let pi = probabilities
    return (0..<stateCount).map { s in
      (0..<actionCount).map { a in
        var score = Array(repeating: 0.0, count: parameters.count)
        for b in 0..<actionCount { score[s * actionCount + b] = (a == b ? 1 : 0) - pi[s][b] }
        return score
      }
    }
  }
}

/// A small network that maps a state, as a one-hot row, to logits. States share its hidden units.
public struct NetworkPolicy: ParametricPolicy {
  private var network: MultilayerPerceptron
  private let stateCount: Int

  public init(for process: MarkovDecisionProcess, hidden: Int = 8, using random: inout Random) {
    stateCount = process.stateCount
    network = MultilayerPerceptron(process.stateCount, hidden: [hidden], process.actionCount, using: &random)
    // Double precision, since it is compared with exact results.
    network.replaceParameters { $1.converted(to: .float64) }
  }

  public var parameters: [Double] {
    get { network.parameters.flatMap { $0.value.doubles } }
    set {
      var next = 0
      network.replaceParameters { _, tensor in
        defer { next += tensor.shape.count }
        return Tensor(Array(newValue[next..<next + tensor.shape.count]), tensor.shape)
      }
    }
  }

  public var probabilities: [[Double]] {
    let p = distributions(network).probabilities.detached.doubles
    let actions = p.count / stateCount
    return (0..<stateCount).map { Array(p[$0 * actions..<($0 + 1) * actions]) }
  }

  public var scores: [[[Double]]] {
    let actions = distributions(network).probabilities.shape[1]
    let tensors = network.parameters.map(\.value)
    return (0..<stateCount).map { s in
      (0..<actions).map { a in
        let choice = (0..<stateCount * actions).map { $0 == s * actions + a ? 1.0 : 0 }
        let (_, gradient) = valueWithGradient(at: network) { network in
          (distributions(network).logProbabilities * Tensor(choice, [stateCount, actions])).sum()
        }
        return zip(gradient.tensors, tensors).flatMap { gradient, tensor in
          gradient?.doubles ?? Array(repeating: 0, count: tensor.shape.count)
        }
      }
    }
  }

  private func distributions(_ network: MultilayerPerceptron) -> Categorical {
    let oneHot = (0..<stateCount * stateCount).map { $0 / stateCount == $0 % stateCount ? 1.0 : 0 }
    return Categorical(logits: network(Tensor(oneHot, [stateCount, stateCount])))  // [S, A]
  }
}

/// exp xᵢ / Σ exp xⱼ
func softmax(_ x: [Double]) -> [Double] {
  let largest = x.max() ?? 0
  let exponentials = x.map { Double.exp($0 - largest) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { $0 / sum }
}
