import Core
import Testing

@testable import Tabular

@Suite struct GaussianBanditTests {
  private func measure(
    _ bandit: GaussianBandit, _ estimate: (inout Random) -> (mean: Double, deviation: Double)
  ) -> EstimatorMeasurement {
    var random = Seed(19).stream("bandit")
    let samples = (0..<5000).map { _ in
      let e = estimate(&random)
      return [e.mean, e.deviation]
    }
    return EstimatorMeasurement(
      of: .reinforce, samples: samples, target: [bandit.gradient.mean, bandit.gradient.deviation], microseconds: 0)
  }

  @Test func theReparametrisedGradientIsUnbiasedWithLessVariance() {
    for bandit in [
      GaussianBandit(mean: 1, deviation: 0.5), GaussianBandit(mean: -0.5, deviation: 0.3, center: 0.4, skew: 0.2),
    ] {
      let score = measure(bandit) { bandit.scoreEstimate(using: &$0) }
      let reparametrized = measure(bandit) { bandit.reparametrizedEstimate(using: &$0) }
      #expect(!score.isBiased(falseAlarm: 1e-4) && !reparametrized.isBiased(falseAlarm: 1e-4))
      #expect(reparametrized.varianceInterval.upperBound < score.varianceInterval.lowerBound)
    }
  }
}

@Suite struct MeasurementTests {
  @Test func quantilesOfTheNormalDistribution() {
    #expect(abs(normalQuantile(upper: 0.025) - 1.959964) < 1e-5)
    #expect(abs(normalQuantile(upper: 1e-4) - 3.719016) < 1e-5)
    #expect(normalQuantile(upper: 0.5) < 1e-9)
  }

  /// Means of correlated normal numbers with different scales exceed the radius at the stated rate: 5% of 1000, with a
  /// standard deviation of 0.7%. The bounds also allow for the error of the approximation.
  @Test func falseAlarmsHaveTheStatedRate() {
    var random = Seed(20).stream("alarms")
    var alarms = 0
    for _ in 0..<1000 {
      let samples = (0..<60).map { _ in
        let (common, own) = (random.normal(), random.normal())
        return [1 + 2 * common, 1 + common + own, 0.3 * random.normal()]
      }
      let measurement = EstimatorMeasurement(of: .reinforce, samples: samples, target: [1, 1, 0], microseconds: 0)
      if measurement.isBiased(falseAlarm: 0.05) { alarms += 1 }
    }
    #expect((25...75).contains(alarms), "\(alarms)")
  }

  @Test func aKnownBiasAndVarianceAreMeasured() {
    var random = Seed(21).stream("known")
    // The mean is (3.6, 4), which differs by 0.12 of the target's length. The variance is 4 + 1 = 0.2 of its square.
    let samples = (0..<20_000).map { _ in [3.6 + 2 * random.normal(), 4 + random.normal()] }
    let measurement = EstimatorMeasurement(of: .reinforce, samples: samples, target: [3, 4], microseconds: 0)
    #expect(measurement.biasInterval.contains(0.12) && measurement.biasInterval.contains(measurement.bias))
    #expect(abs(measurement.bias - 0.12) < 0.01)
    #expect(measurement.varianceInterval.contains(0.2))
    #expect(measurement.isBiased(falseAlarm: 1e-6))
  }

  @Test func theSameSeedGivesTheSameNumbers() throws {
    let trial = try EstimatorTrial(Measured.problem("two-state"), batch: 2, trials: 20, seed: Seed(1))
    let (first, second) = (trial.measure(), trial.measure())
    #expect(first.map(\.bias) == second.map(\.bias) && first.map(\.variance) == second.map(\.variance))
  }

  @Test func invalidSizesAreRejected() throws {
    let problem = try Measured.problem("two-state")
    for (batch, trials) in [(1, 10), (10, 1), (10, .max), (.max, 10), (1 << 40, 10)] {
      #expect(throws: InputError.self) { try EstimatorTrial(problem, batch: batch, trials: trials, seed: Seed(0)) }
    }
    let process = problem.process
    for horizon in [0, -1, 201] {
      #expect(throws: InputError.self) {
        try GradientProblem(process, policy: problem.policy, horizon: horizon, seed: Seed(0))
      }
    }
    let indifferent = try MarkovDecisionProcess(
      transitions: [[[1], [1]]], rewards: [[1, 1]], discount: 0.9, start: [1])
    #expect(throws: InputError.self) {
      try GradientProblem(
        indifferent, policy: PolicyTable(SoftmaxPolicy(logits: [[0, 1]])), horizon: 3, seed: Seed(0))
    }
  }

  @Test func estimatorNamesAreUnique() throws {
    #expect(Set(Estimators.all.map(\.id)).count == Estimators.all.count)
    let error = #expect(throws: InputError.self) { try Estimators.named("renforce") }
    #expect(error?.description.contains("reinforce") == true)
  }
}
