import Core
import Testing

@testable import Tabular

@Suite struct EstimatorIdentityTests {
  private func batches(_ problem: GradientProblem) -> [[Trajectory]] {
    var random = Seed(16).stream("batch")
    return (0..<5).map { _ in
      (0..<3).map { _ in
        problem.process.trajectory(of: problem.policy.probabilities, horizon: problem.horizon, using: &random)
      }
    }
  }

  private func expectEqual(_ a: Estimator, _ b: Estimator, _ problem: GradientProblem) {
    for batch in batches(problem) {
      var random = Seed(17).stream("estimator")
      let (x, y) = (a.estimate(batch, problem, &random), b.estimate(batch, problem, &random))
      #expect(largestDifference(x, y) < 1e-10, "\(a.id) and \(b.id)")
      #expect(x.contains { $0 != 0 })
    }
  }

  @Test func specialCasesEqualTheirGeneralForm() throws {
    let problem = try Measured.problem("chain")
    expectEqual(.rewardToGo, .discountOption2, problem)  // (1.94) is (1.95)
    expectEqual(.generalizedAdvantage(lambda: 0), .actorCriticOfCritic, problem)
    expectEqual(.generalizedAdvantage(lambda: 0), .nStep(1), problem)
    expectEqual(.generalizedAdvantage(lambda: 1), .stateBaselineOfCritic, problem)
    expectEqual(.nStep(6), .stateBaselineOfCritic, problem)
    let undiscounted = try Measured.problem("chain", discount: 1)
    expectEqual(.discountOption1, .rewardToGo, undiscounted)
  }

  /// Â_GAE = (1 − λ) Σ λⁿ⁻¹ Âₙ, (1.110) with its weights. All n beyond the horizon equal the last one.
  @Test func gaeIsTheWeightedMeanOfNSteps() throws {
    let problem = try Measured.problem("chain")
    let lambda = 0.7
    for batch in batches(problem) {
      var random = Seed(17).stream("estimator")
      var mean = Array(repeating: 0.0, count: problem.policy.parameterCount)
      for n in 1...problem.horizon {
        let power = (1..<n).reduce(1.0) { product, _ in product * lambda }
        let weight = n == problem.horizon ? power : (1 - lambda) * power
        for (k, x) in Estimator.nStep(n).estimate(batch, problem, &random).enumerated() { mean[k] += weight * x }
      }
      let gae = Estimator.generalizedAdvantage(lambda: lambda).estimate(batch, problem, &random)
      #expect(largestDifference(gae, mean) < 1e-10)
    }
  }

  /// If the behavior is the policy itself, all ratios are 1, and the importance sampling estimators equal the others.
  @Test func ratiosOfOneChangeNothing() throws {
    let own = try Measured.problem("chain")
    let problem = try GradientProblem(
      own.process, policy: own.policy, behavior: own.policy.probabilities, horizon: 6, seed: Seed(1))
    expectEqual(.importancePerTrajectory, .reinforce, problem)
    for estimator: Estimator in [
      .importanceCausal, .importanceOfThePast, .importanceOfMarginals, .importanceWithoutMarginals,
    ] { expectEqual(estimator, .rewardToGo, problem) }
  }

  /// The mean of the sampled Fisher matrix is the exact one, entry by entry.
  @Test func theFisherMatrixIsUnbiased() throws {
    let problem = try Measured.problem("two-state")
    var random = Seed(18).stream("fisher")
    let samples = (0..<2000).map { _ in
      let trajectory = problem.process.trajectory(
        of: problem.policy.probabilities, horizon: problem.horizon, using: &random)
      let fisher = problem.sampledFisher([trajectory]).damped(by: GradientProblem.damping)
      return (0..<16).map { fisher[$0 / 4, $0 % 4] }
    }
    let measurement = EstimatorMeasurement(
      of: .naturalGradient, samples: samples, target: (0..<16).map { problem.fisher[$0 / 4, $0 % 4] }, microseconds: 0)
    #expect(!measurement.isBiased(falseAlarm: 1e-4))
    #expect(measurement.biasInterval.upperBound < 0.05)
  }

  @Test func theNaturalGradientSolvesItsEquation() throws {
    let problem = try Measured.problem("two-state")
    #expect(largestDifference(problem.fisher * problem.naturalGradient, problem.gradient) < 1e-12)
  }
}
