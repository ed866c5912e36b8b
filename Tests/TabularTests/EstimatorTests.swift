import Core
import Testing

@testable import Tabular

/// Measurements that several tests share. The seeds are fixed, so that the results are reproducible.
enum Measured {
  static let batch = 4

  static func problem(
    _ name: String, discount: Double? = nil, horizon: Int = 6, network: Bool = false, criticError: Double = 1
  ) throws -> GradientProblem {
    var process = try Problems.named(name).process
    if let discount { process = try process.discounted(by: discount) }
    var random = Seed(11).stream("policy")
    let policy =
      network
      ? PolicyTable(NetworkPolicy(for: process, hidden: 3, using: &random))
      : PolicyTable(SoftmaxPolicy(for: process, spread: 1, using: &random))
    return try GradientProblem(process, policy: policy, horizon: horizon, criticError: criticError, seed: Seed(11))
  }

  static func all(_ problem: GradientProblem, trials: Int) throws -> [String: EstimatorMeasurement] {
    let measured = try EstimatorTrial(problem, batch: batch, trials: trials, seed: Seed(12)).measure()
    return Dictionary(uniqueKeysWithValues: measured.map { ($0.estimator.id, $0) })
  }

  /// Two states, γ = 0.9, six steps, softmax. The critic's errors have the standard deviation of its values.
  static let discounted = Result { try all(problem("two-state"), trials: 3000) }
  static let undiscounted = Result { try all(problem("two-state", discount: 1), trials: 600) }
  static let network = Result { try all(problem("chain", horizon: 4, network: true), trials: 400) }
  /// Two states that are hard to leave, so that actions have long-term effects, and an exact critic.
  static let exactCritic = Result {
    let process = try MarkovDecisionProcess(
      transitions: [[[0.95, 0.05], [0.65, 0.35]], [[0.05, 0.95], [0.35, 0.65]]], rewards: [[0, -0.2], [1, 0.8]],
      discount: 0.9, start: [0.5, 0.5])
    let policy = PolicyTable(SoftmaxPolicy(logits: [[0.3, -0.3], [0.5, 0]]))
    return try withCritic(GradientProblem(process, policy: policy, horizon: 6, criticError: 0, seed: Seed(3)))
  }
  static let flawedCritic = Result { try withCritic(problem("chain")) }

  private static func withCritic(_ problem: GradientProblem) throws -> [String: EstimatorMeasurement] {
    let measured = try EstimatorTrial(problem, batch: batch, trials: 3000, seed: Seed(12)).measure([
      .actorCriticOfCritic, .nStep(2), .nStep(4), .nStepAsPrinted(2), .generalizedAdvantage(lambda: 0),
      .generalizedAdvantage(lambda: 0.5), .generalizedAdvantage(lambda: 0.9), .generalizedAdvantage(lambda: 1),
      .controlVariate, .rewardToGo,
    ])
    return Dictionary(uniqueKeysWithValues: measured.map { ($0.estimator.id, $0) })
  }
}

@Suite struct EstimatorBiasTests {
  /// 25 estimators on three problems, each with a false alarm rate of 1 in 10,000. The total rate is below 1%, and
  /// there is no false alarm with these seeds.
  @Test func unbiasedEstimatorsAreUnbiased() throws {
    for measured in [try Measured.discounted.get(), try Measured.undiscounted.get(), try Measured.network.get()] {
      for (id, measurement) in measured where measurement.estimator.bias == .unbiased {
        #expect(!measurement.isBiased(falseAlarm: 1e-4), "\(id): \(measurement.biasInterval)")
      }
    }
  }

  /// The test has enough power to detect biases: each one is significant with a false alarm rate of 1 in 1000. (In this
  /// problem, the biases of n-step returns and of Gumbel-softmax with a low temperature are too small for so few
  /// trials.)
  @Test func biasedEstimatorsAreBiased() throws {
    for (id, measurement) in try Measured.discounted.get()
    where !["n-step-2", "n-step-4", "gumbel-softmax-0.2"].contains(id) {
      guard measurement.estimator.bias != .unbiased else { continue }
      #expect(measurement.isBiased(falseAlarm: 1e-3), "\(id): \(measurement.biasInterval)")
    }
  }

  /// With an exact critic, all advantage estimators are unbiased, except for the one as printed.
  @Test func anExactCriticHasNoBias() throws {
    let measured = try Measured.exactCritic.get()
    for id in ["actor-critic-critic", "n-step-2", "n-step-4", "gae-0.0", "gae-0.5", "gae-0.9", "gae-1.0"] {
      let measurement = try #require(measured[id])
      #expect(!measurement.isBiased(falseAlarm: 1e-4), "\(id): \(measurement.biasInterval)")
    }
    #expect(try #require(measured["n-step-2-printed"]).isBiased(falseAlarm: 1e-4))
  }

  /// With a discount of 1, option 1 leaves out nothing.
  @Test func option1IsUnbiasedOnlyUndiscounted() throws {
    let undiscounted = try #require(try Measured.undiscounted.get()["discount-option-1"])
    #expect(!undiscounted.isBiased(falseAlarm: 1e-4))
  }

  /// The means of biased estimators equal those of theory, which are computed without sampling.
  @Test func biasesMatchTheory() throws {
    let problem = try Measured.problem("two-state")
    let (process, policy) = (problem.process, problem.policy)
    let ofBehavior = process.values(of: problem.behavior, horizon: problem.horizon)
    let shrunk = problem.gradient.map { $0 * (1 - 1 / Double(Measured.batch)) }
    var replayed = Weights(for: policy)
    var lateAsEarly = Weights(for: policy)
    for t in 0..<problem.horizon {
      for s in 0..<2 {
        for a in 0..<2 {
          let advantage = problem.exact[t].q[s][a] - problem.exact[t].v[s]
          replayed[s, a] += problem.discounts[t] * problem.behaviorMarginals[t][s] * problem.behavior[s][a] * advantage
          lateAsEarly[s, a] += problem.marginals[t][s] * policy.probabilities[s][a] * problem.exact[t].q[s][a]
        }
      }
    }
    let means: [(Estimator, [Double])] = [
      (.averageBaseline, shrunk), (.averageQBaseline, shrunk),
      (.discountOption1, policy.gradient(lateAsEarly)),
      (
        .importanceWithoutMarginals,
        process.policyGradient(of: policy, values: ofBehavior, marginals: problem.behaviorMarginals)
      ),
      (.importanceOfThePast, process.policyGradient(of: policy, values: ofBehavior, marginals: problem.marginals)),
      (
        .resampledAdvantage,
        process.policyGradient(of: policy, values: problem.exact, marginals: problem.behaviorMarginals)
      ),
      (.resampledQ, process.policyGradient(of: policy, values: problem.exact, marginals: problem.behaviorMarginals)),
      (.replayedActions, policy.gradient(replayed)),
    ]
    let trial = try EstimatorTrial(problem, batch: Measured.batch, trials: 3000, seed: Seed(13))
    for (estimator, mean) in means {
      let samples = trial.samples([estimator])[0].estimates
      let measurement = EstimatorMeasurement(of: estimator, samples: samples, target: mean, microseconds: 0)
      #expect(!measurement.isBiased(falseAlarm: 1e-4), "\(estimator.id): \(measurement.biasInterval)")
    }
  }

  /// With a longer lookahead, the errors of the critic have less effect.
  @Test(arguments: [["actor-critic-critic", "n-step-2", "n-step-4"], ["gae-0.0", "gae-0.5", "gae-0.9", "gae-1.0"]])
  func aLongerLookaheadHasLessBias(_ ids: [String]) throws {
    let measured = try Measured.flawedCritic.get()
    let intervals = try ids.map { try #require(measured[$0]).biasInterval }
    for (near, far) in zip(intervals, intervals.dropFirst()) {
      #expect(far.upperBound < near.lowerBound, "\(intervals)")
    }
  }

  /// The estimators as printed in the notes have more bias than the corrected ones.
  @Test func theCorrectionsMatter() throws {
    let critic = try Measured.exactCritic.get()
    let (printed, corrected) = (try #require(critic["n-step-2-printed"]), try #require(critic["n-step-2"]))
    #expect(printed.biasInterval.lowerBound > corrected.biasInterval.upperBound)
    let ratios = try Measured.discounted.get()
    let (wrong, right) = (
      try #require(ratios["importance-causal-printed"]), try #require(ratios["importance-causal"])
    )
    #expect(wrong.biasInterval.lowerBound > right.biasInterval.upperBound)
  }

  /// The bias of the natural gradient vanishes with the batch size.
  @Test func theNaturalGradientIsConsistent() throws {
    let problem = try Measured.problem("two-state")
    let biases = try [2, 8, 32].map { batch in
      try EstimatorTrial(problem, batch: batch, trials: 1500, seed: Seed(14)).measure([.naturalGradient])[0].bias
    }
    #expect(biases[0] > 2 * biases[1] && biases[1] > 2 * biases[2], "\(biases)")
  }
}

@Suite struct EstimatorVarianceTests {
  /// Each has less variance than the next, with disjoint 95% intervals. This happens by chance about once in a
  /// thousand.
  @Test(arguments: [
    ["reward-to-go", "reinforce"],
    ["optimal-baseline", "average-baseline-others"],
    ["average-baseline", "reinforce"],
    ["state-baseline", "reward-to-go"],
    ["all-actions", "advantage", "actor-critic", "state-baseline"],
    ["resampled-advantage", "resampled-q"],
    ["importance-causal", "importance-trajectory"],
    ["gumbel-softmax-1.0", "gumbel-softmax-0.2"],
  ])
  func variancesHaveTheExpectedOrder(_ ids: [String]) throws {
    try check(ids, Measured.discounted.get())
  }

  /// With an exact critic, a shorter lookahead has less variance.
  @Test(arguments: [
    ["gae-0.0", "gae-0.5", "gae-0.9", "gae-1.0"], ["n-step-2", "n-step-4"], ["control-variate", "reward-to-go"],
  ])
  func criticsReduceVariance(_ ids: [String]) throws { try check(ids, Measured.exactCritic.get()) }

  private func check(_ ids: [String], _ measured: [String: EstimatorMeasurement]) throws {
    let intervals = try ids.map { try #require(measured[$0]).varianceInterval }
    for (less, more) in zip(intervals, intervals.dropFirst()) {
      #expect(less.upperBound < more.lowerBound, "\(ids): \(intervals)")
    }
  }

  /// The measured variance equals the one computed without sampling.
  @Test func theVarianceOfReinforceMatchesTheExactOne() throws {
    for name in ["two-state", "chain"] {
      let problem = try Measured.problem(name)
      let measured = try EstimatorTrial(problem, batch: 4, trials: 3000, seed: Seed(15)).measure([.reinforce])[0]
      let exact = problem.reinforceVariance / 4 / dot(problem.gradient, problem.gradient)
      // Four standard errors.
      let tolerance = 2 * (measured.varianceInterval.upperBound - measured.variance)
      #expect(abs(measured.variance - exact) < tolerance, "\(name): \(measured.variance) and \(exact)")
    }
  }
}
