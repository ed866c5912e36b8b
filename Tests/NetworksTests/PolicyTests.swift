import Core
import Tensors
import Testing

@testable import Networks

private let spaces = [ActionSpace.discrete(count: 3), .continuous(low: [-1, 0], high: [1, 2])]
private let observationSize = 4

/// A policy in double precision whose distributions differ from row to row.
private func policy(_ space: ActionSpace, seed: UInt64 = 1) -> StochasticPolicy {
  var random = Seed(seed).stream("policy")
  var policy = StochasticPolicy(observationSize, space, hidden: [7, 5], using: &random)
  policy.replaceParameters { $1.converted(to: .float64) + 0.3 * .normal($1.shape, .float64, using: &random) }
  return policy
}

private func observations(_ count: Int) -> Tensor {
  var random = Seed(3).stream("observations")
  return .normal([count, observationSize], .float64, using: &random)
}

private func direction(of module: some Module, seed: UInt64 = 8) -> [Double] {
  var random = Seed(seed).stream("direction")
  return (0..<module.parameterCount).map { _ in random.normal() }
}

@Suite struct PolicyTests {
  @Test func forwardDerivativeEqualsDifferences() {
    let (trunk, x) = (policy(spaces[0]).trunk, observations(6))
    let v = direction(of: trunk)
    let theta = trunk.parameterVector
    var (along, ahead, behind) = (trunk, trunk, trunk)
    along.setParameters(to: v)
    let h = 1e-6
    ahead.setParameters(to: sum(theta, h, times: v))
    behind.setParameters(to: sum(theta, -h, times: v))
    let differences = ((ahead(x) - behind(x)) / (2 * h)).doubles
    for (exact, slope) in zip(trunk.derivative(at: x, along: along).doubles, differences) {
      #expect(abs(exact - slope) < 1e-7 * max(1, abs(slope)))
    }
  }

  /// F by its definition: the outer products of the scores of all choices, weighted by their probabilities.
  @Test func fisherProductsOfChoicesEqualTheExplicitMatrix() {
    let (policy, o) = (policy(spaces[0]), observations(5))
    let probabilities = o.probabilitiesOfRows { policy($0) }
    let v = direction(of: policy)
    var expected = [Double](repeating: 0, count: v.count)
    for row in 0..<5 {
      for choice in 0..<3 {
        let score = valueWithGradient(at: policy) {
          $0(o.rows(row..<row + 1)).logProbability(of: Tensor([Double(choice)], [1, 1])).sum()
        }.gradient.vector(of: policy)
        expected = sum(expected, probabilities[row][choice] * dot(score, v) / 5, times: score)
      }
    }
    expectClose(policy.fisherProduct(at: o, v), expected, 1e-10)
  }

  /// F is the curvature of the divergence at its minimum, here computed by differences of its gradient.
  @Test(arguments: spaces) func fisherProductsAreTheCurvatureOfTheDivergence(_ space: ActionSpace) {
    let (policy, o) = (policy(space), observations(5))
    let v = direction(of: policy)
    let theta = policy.parameterVector
    let old = policy(o)
    func slope(_ h: Double) -> [Double] {
      var moved = policy
      moved.setParameters(to: sum(theta, h, times: v))
      return valueWithGradient(at: moved) { old.divergence(to: $0(o)).mean() }.gradient.vector(of: moved)
    }
    let h = 1e-5
    let curvature = sum(slope(h), -1, times: slope(-h)).map { $0 / (2 * h) }
    expectClose(policy.fisherProduct(at: o, v), curvature, 1e-6)
    // and D is ½ vᵀ F v for a small step v: (1.66) with its ½
    var moved = policy
    moved.setParameters(to: sum(theta, 1e-3, times: v))
    let divergence = old.divergence(to: moved(o)).mean().item
    let quadratic = 0.5e-6 * dot(v, curvature)
    #expect(abs(divergence - quadratic) < 0.02 * quadratic)
  }

  @Test(arguments: spaces) func divergencesAreMeansOfLogRatios(_ space: ActionSpace) {
    let (p, q) = (policy(space), policy(space, seed: 2))
    let o = observations(1).gatheringRows([Int](repeating: 0, count: 20_000))
    var random = Seed(5).stream("actions")
    let (before, after) = (p(o), q(o))
    let a = before.sample(using: &random)
    let ratios = (before.logProbability(of: a) - after.logProbability(of: a)).doubles
    let exact = before.divergence(to: after).doubles[0]
    // Five standard errors.
    #expect(abs(ratios.mean - exact) < 5 * ratios.deviation / Double(ratios.count).squareRoot() && exact > 0.05)
    #expect(before.divergence(to: before).doubles[0].magnitude < 1e-12)
  }

  @Test func conjugateGradientSolves() {
    var random = Seed(1).stream("matrix")
    let n = 12
    let root = (0..<n).map { _ in (0..<n).map { _ in random.normal() } }
    func product(_ v: [Double]) -> [Double] {  // Rᵀ R v + 0.1 v
      let image = root.map { dot($0, v) }
      return (0..<n).map { i in root.indices.reduce(0.1 * v[i]) { $0 + root[$1][i] * image[$1] } }
    }
    let b = (0..<n).map { _ in random.normal() }
    let x = conjugateGradient(b, iterations: 5 * n, product: product)
    expectClose(product(x), b, 1e-6)
    // With few iterations the result is not a solution.
    let rough = product(conjugateGradient(b, iterations: 2, product: product))
    #expect(sum(b, -1, times: rough).map { $0 * $0 }.mean > 1e-3)
    #expect(conjugateGradient(b, iterations: 0, product: product).allSatisfy { $0 == 0 })
    // No step along a direction in which the matrix is not positive.
    #expect(conjugateGradient(b, iterations: 9) { $0.map { -$0 } }.allSatisfy { $0 == 0 })
  }

  @Test func targetsAreNormalizedAndOutputsDoNotChange() {
    var random = Seed(1).stream("critic")
    var critic = ValueFunction(observationSize, hidden: [16], learningRate: 1e-2, using: &random)
    let o = Tensor.normal([300, observationSize], using: &random)
    let y = 500 + 80 * o.columns(0..<1)
    _ = critic.fit(o, to: y, passes: 60, batch: 50, using: &random)
    #expect(abs(critic.scale.mean.item - y.doubles.mean) < 0.1)
    #expect(abs(critic.scale.deviation.item - y.doubles.deviation) < 0.1)
    let before = critic(o)
    #expect((before - y).doubles.map(abs).mean < 20)
    critic.scale.adapt(to: y * 3 - 7, keeping: &critic.trunk.layers[1])
    #expect(critic.scale.deviation.item > 200)
    for (after, value) in zip(critic(o).doubles, before.doubles) { #expect(abs(after - value) < 0.01) }
  }

  @Test func minibatchesContainEachRowOnce() {
    var random = Seed(1).stream("rows")
    for (count, size) in [(10, 3), (64, 64), (65, 64), (1, 8)] {
      let parts = minibatches(of: count, size: size, using: &random)
      #expect(parts.flatMap { $0 }.sorted() == Array(0..<count))
      #expect(parts.allSatisfy { !$0.isEmpty && $0.count <= size })
    }
  }
}

extension Tensor {
  /// Returns the probabilities of each row's choices.
  fileprivate func probabilitiesOfRows(_ policy: (Tensor) -> ActionDistribution) -> [[Double]] {
    guard case .discrete(let choices) = policy(self) else { return [] }
    return (0..<shape[0]).map { choices.probabilities.rows($0..<$0 + 1).doubles }
  }
}

private func expectClose(_ a: [Double], _ b: [Double], _ tolerance: Double) {
  let size = b.map(abs).max() ?? 0
  #expect(size > 0.01 && a.count == b.count)
  for (x, y) in zip(a, b) { #expect(abs(x - y) < tolerance * size) }
}
