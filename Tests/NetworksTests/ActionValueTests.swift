import Core
import Tensors
import Testing

@testable import Networks

@Suite struct ActionValueTests {
  private let box = ActionSpace.continuous(low: [-1, -1], high: [1, 1])

  /// Exact for discrete actions; within five standard errors in a box (one false alarm in a million).
  @Test func expectationOfQIsTheMeanOverActions() {
    var random = Seed(1).stream("critic")
    let o = Tensor.normal([5, 3], using: &random)
    let choice = ActionValue(3, .discrete(count: 4), hidden: [8], layerNorm: false, using: &random)
    let choices = Categorical(logits: .normal([5, 4], using: &random))
    let found = choice.expectation(at: o, under: .discrete(choices), samples: 1, using: &random).array
    let p = choices.probabilities.doubles
    for row in 0..<5 {
      let expected = (0..<4).reduce(0.0) {
        $0 + p[4 * row + $1] * choice(o.rows(row..<row + 1), Tensor([Float($1)], [1, 1])).item
      }
      #expect(abs(Double(found[row]) - expected) < 1e-5)
    }

    let q = ActionValue(3, box, hidden: [8], layerNorm: false, using: &random)
    let one = o.rows(0..<1)
    let policy = TanhGaussian(mean: Tensor([Float(0.3), -0.2], [1, 2]), logSigma: Tensor(repeating: -0.5, [1, 2]))
    let values = (0..<2000).map { _ in q(one, policy.sample(using: &random).action).item }
    let mean = q.expectation(at: one, under: .continuous(policy), samples: 2000, using: &random).item
    let error = values.deviation * (2.0 / 2000).squareRoot()
    #expect(abs(mean - values.mean) < 5 * error)
  }

  @Test func gradientsOfTheExpectationReachThePolicy() {
    var random = Seed(2).stream("critic")
    let o = Tensor.normal([4, 3], using: &random)
    for space in [box, .discrete(count: 4)] {
      let q = ActionValue(3, space, hidden: [8], layerNorm: true, using: &random)
      let policy = MultilayerPerceptron(3, hidden: [8], ActionDistribution.outputSize(for: space), using: &random)
      let (_, gradient) = valueWithGradient(at: policy) { policy in
        q.expectation(at: o, under: ActionDistribution(policy(o), over: space), samples: 2, using: &random).mean()
      }
      #expect(gradient.tensors.allSatisfy { $0?.array.contains { $0 != 0 } ?? false })
    }
  }

  /// If tanh(u) is 1 in float32, u cannot be computed from the action, but the draw stores it.
  @Test func drawnActionsHaveExactProbabilitiesIfTheTanhSaturates() {
    var random = Seed(3).stream("draws")
    func box(_ mean: Double) -> TanhGaussian {
      TanhGaussian(mean: Tensor(repeating: mean, [6, 2]), logSigma: Tensor(repeating: -3, [6, 2]))
    }
    for mean in [0.5, 30] {
      let distribution = ActionDistribution.continuous(box(mean))
      var (one, same) = (random, random)
      let draw = distribution.draw(using: &one)
      let (action, expected) = box(mean).sample(using: &same)
      #expect(draw.action.array == action.array)
      for (a, b) in zip(distribution.logProbability(of: draw).array, expected.array) { #expect(abs(a - b) < 1e-3) }
    }
    let choices = ActionDistribution.discrete(Categorical(logits: .normal([6, 3], using: &random)))
    let draw = choices.draw(using: &random)
    #expect(choices.logProbability(of: draw).array == choices.logProbability(of: draw.action).array)
  }
}
