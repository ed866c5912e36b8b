import Core
import Testing

@testable import Tabular

@Suite struct DynamicProgrammingTests {
  static let problems = ["two-state", "chain", "gridworld", "tiger"]

  /// All four methods reach the same V*. No policy is better, and it solves Bellman's optimality equation.
  @Test(arguments: problems) func allMethodsReachTheOptimum(_ problem: String) throws {
    let process = try Problems.named(problem).process
    let exact = try process.policyIteration()
    #expect(largestDifference(process.backup(exact.values).map { $0.max() ?? 0 }, exact.values) < 1e-8)
    for solution in [
      try process.valueIteration(), try process.policyIteration(sweeps: 1), try process.policyIteration(sweeps: 7),
    ] {
      #expect(solution.bound <= 1e-9)
      #expect(largestDifference(solution.values, exact.values) <= solution.bound + 1e-9)
      let greedy = try process.values(of: process.table(of: solution.policy)).v
      #expect(largestDifference(greedy, exact.values) < 1e-7)
    }
    let q = try process.qIteration().q
    #expect(largestDifference(q.flatMap { $0 }, process.backup(exact.values).flatMap { $0 }) < 1e-8)
    var random = Seed(1).stream("policies")
    for _ in 0..<20 {
      let policy = SoftmaxPolicy(for: process, spread: 3, using: &random).probabilities
      for (v, best) in zip(try process.values(of: policy).v, exact.values) { #expect(v <= best + 1e-9) }
    }
  }

  /// ‖V_k − V*‖ ≤ γᵏ ‖V₀ − V*‖ for value iteration. For Q iteration, changes decrease by γ.
  @Test(arguments: problems) func sweepsContract(_ problem: String) throws {
    let process = try Problems.named(problem).process
    let optimum = try process.policyIteration().values
    let gamma = process.discount
    let slack = 1e-9 * (1 + (optimum.map(abs).max() ?? 0))
    let history = try process.valueIteration().history
    let first = largestDifference(history[0], optimum)
    var bound = first
    for v in history {
      #expect(largestDifference(v, optimum) <= bound + slack)
      bound *= gamma
    }
    let changes = try process.qIteration().changes
    for (last, next) in zip(changes, changes.dropFirst()) { #expect(next <= gamma * last + slack) }
  }

  /// The stated bound is below the tolerance, and the distance to the optimum is below the bound.
  @Test(arguments: [1.0, 0.1, 1e-3]) func theStoppingRuleKeepsItsBound(_ tolerance: Double) throws {
    for problem in Self.problems {
      let process = try Problems.named(problem).process
      let optimum = try process.policyIteration().values
      for solution in [
        try process.valueIteration(tolerance: tolerance), try process.policyIteration(sweeps: 4, tolerance: tolerance),
      ] {
        #expect(solution.bound <= tolerance)
        #expect(largestDifference(solution.values, optimum) <= solution.bound + 1e-9)
      }
    }
  }

  /// Each policy of policy iteration is at least as good in every state as the one before, and few iterations are
  /// needed.
  @Test(arguments: problems) func policiesImprove(_ problem: String) throws {
    let process = try Problems.named(problem).process
    for first in 0..<process.actionCount {
      let solution = try process.policyIteration(from: Array(repeating: first, count: process.stateCount))
      for (last, next) in zip(solution.history, solution.history.dropFirst()) {
        for (a, b) in zip(last, next) { #expect(b >= a - 1e-8) }
        #expect(zip(last, next).contains { $1 > $0 })
      }
      #expect(solution.sweeps <= process.stateCount * process.actionCount)
    }
  }

  /// With more sweeps per evaluation, fewer improvements are needed.
  @Test func moreSweepsNeedFewerImprovements() throws {
    let process = try Problems.gridworld().process
    let improvements = try [1, 5, 50].map { sweeps in
      (try process.policyIteration(sweeps: sweeps).sweeps + sweeps - 1) / sweeps
    }
    #expect(improvements[0] > improvements[1] && improvements[1] > improvements[2])
  }

  @Test func theOptimalChainPolicyWalksForward() throws {
    #expect(try Problems.chain().process.policyIteration().policy == [0, 0, 0, 0, 0])
  }
}

@Suite struct ExactGradientTests {
  /// Returns the central differences of the exact return.
  private func differences<Policy: ParametricPolicy>(
    _ policy: Policy, step h: Double, _ value: (Policy) throws -> Double
  ) rethrows -> [Double] {
    try policy.parameters.indices.map { k in
      var (up, down) = (policy, policy)
      up.parameters[k] += h
      down.parameters[k] -= h
      return try (value(up) - value(down)) / (2 * h)
    }
  }

  private func check<Policy: ParametricPolicy>(_ policy: Policy, _ process: MarkovDecisionProcess) throws {
    let table = PolicyTable(policy)
    let finite = try process.policyGradient(of: table, horizon: 7)
    let scale = 1 + (finite.map(abs).max() ?? 0)
    #expect(
      largestDifference(
        finite, differences(policy, step: 1e-5) { process.expectedReturn(of: $0.probabilities, horizon: 7) })
        < 1e-6 * scale)
    let infinite = try process.discountedPolicyGradient(of: table)
    #expect(
      largestDifference(
        infinite, try differences(policy, step: 1e-5) { try process.discountedReturn(of: $0.probabilities) })
        < 1e-5 * (1 + (infinite.map(abs).max() ?? 0)))
    #expect((finite.map(abs).max() ?? 0) > 1e-4)
  }

  @Test func softmaxGradientsMatchFiniteDifferences() throws {
    for problem in try Problems.all.map({ try $0() }) {
      var random = Seed(4).stream(problem.id)
      try check(SoftmaxPolicy(for: problem.process, using: &random), problem.process)
    }
  }

  @Test func networkGradientsMatchFiniteDifferences() throws {
    let process = try Problems.chain().process
    var random = Seed(4).stream("network")
    try check(NetworkPolicy(for: process, hidden: 4, using: &random), process)
  }

  @Test func undiscountedGradientsMatchFiniteDifferences() throws {
    let process = try Problems.chain().process.discounted(by: 1)
    var random = Seed(4).stream("undiscounted")
    let policy = SoftmaxPolicy(for: process, using: &random)
    let gradient = try process.policyGradient(of: PolicyTable(policy), horizon: 5)
    let slopes = differences(policy, step: 1e-5) { process.expectedReturn(of: $0.probabilities, horizon: 5) }
    #expect(largestDifference(gradient, slopes) < 1e-6)
  }

  /// With a long horizon, the gradient approaches the discounted one.
  @Test func horizonsApproachTheDiscountedGradient() throws {
    let process = try Problems.gridworld().process
    var random = Seed(6).stream("horizon")
    let policy = PolicyTable(SoftmaxPolicy(for: process, using: &random))
    let infinite = try process.discountedPolicyGradient(of: policy)
    let long = try process.policyGradient(of: policy, horizon: 600)
    #expect(largestDifference(long, infinite) < 1e-9)
  }

  /// E[∇log π] = 0 in every state, the identity behind all baselines (1.36).
  @Test func scoresHaveMeanZero() throws {
    let process = try Problems.gridworld().process
    var random = Seed(6).stream("scores")
    for table in [
      PolicyTable(SoftmaxPolicy(for: process, using: &random)),
      PolicyTable(NetworkPolicy(for: process, using: &random)),
    ] {
      for s in 0..<process.stateCount {
        var mean = Weights(for: table)
        for a in 0..<process.actionCount { mean[s, a] = table.probabilities[s][a] }
        #expect((table.gradient(mean).map(abs).max() ?? 1) < 1e-12)
      }
    }
  }

  /// With two steps and two states, one can sum over all trajectories.
  @Test func momentsMatchSumsOverAllTrajectories() throws {
    let process = try Problems.twoState().process
    var random = Seed(8).stream("moments")
    let policy = PolicyTable(SoftmaxPolicy(for: process, spread: 1, using: &random))
    let pi = policy.probabilities
    var (weight, second, cross, fourth) = (0.0, 0.0, 0.0, 0.0)
    var gradient = 0.0
    let k = 2
    for code in 0..<16 {
      let (s1, a1, s2, a2) = (code & 1, code >> 1 & 1, code >> 2 & 1, code >> 3 & 1)
      let p = process.start[s1] * pi[s1][a1] * process.transitions[s1][a1][s2] * pi[s2][a2]
      let g = Array(policy.score(s1, a1))[k] + Array(policy.score(s2, a2))[k]
      let r = process.rewards[s1][a1] + process.discount * process.rewards[s2][a2]
      weight += p
      second += p * g * g
      cross += p * g * g * r
      gradient += p * g * r
      fourth += p * g * g * r * r
    }
    let moments = TrajectoryMoments(of: policy, in: process, horizon: 2)
    #expect(abs(weight - 1) < 1e-12)
    #expect(abs(moments.optimalBaseline[k] - cross / second) < 1e-12)
    let zero = Array(repeating: 0.0, count: 4)
    #expect(abs(moments.variances(baseline: zero)[k] - (fourth - gradient * gradient)) < 1e-12)
    #expect(abs(moments.meanReturn - process.expectedReturn(of: pi, horizon: 2)) < 1e-12)
    // (1.41) is the optimum: other baselines have more variance.
    for shift in [-0.1, 0.1] {
      let other = moments.optimalBaseline.map { $0 + shift }
      #expect(moments.variances(baseline: other)[k] > moments.variances(baseline: moments.optimalBaseline)[k])
    }
  }

  /// F = −E[∇² log π], compared with the KL divergence ≈ ½ Δᵀ F Δ (the corrected 1.66).
  @Test func fisherIsTheCurvatureOfTheDivergence() throws {
    let process = try Problems.twoState().process
    var random = Seed(8).stream("fisher")
    let policy = SoftmaxPolicy(for: process, spread: 1, using: &random)
    let fisher = try process.fisherMatrix(of: PolicyTable(policy), horizon: 5)
    let marginals = try process.stateMarginals(under: policy.probabilities, horizon: 5)
    let discounts = process.discounts(5)
    let delta = (0..<4).map { _ in 1e-3 * random.normal() }
    var moved = policy
    moved.parameters = zip(policy.parameters, delta).map { $0 + $1 }
    var divergence = 0.0
    for (power, mu) in zip(discounts, marginals) {
      for s in 0..<2 {
        for a in 0..<2 {
          let (p, q) = (policy.probabilities[s][a], moved.probabilities[s][a])
          divergence += power / discounts.reduce(0, +) * mu[s] * p * (Double.log(p) - Double.log(q))
        }
      }
    }
    let quadratic = dot(delta, fisher * delta) / 2
    #expect(abs(divergence - quadratic) < 0.01 * quadratic)
  }
}
