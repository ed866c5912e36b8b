import Core

/// Measures estimators on a problem with many independent batches, which are the same for all estimators.
public struct EstimatorTrial: Sendable {
  public let problem: GradientProblem
  /// N, the number of trajectories per batch.
  public let batch: Int
  /// The number of batches.
  public let trials: Int
  public let seed: Seed

  /// The maximum number of values in the estimates of one measurement.
  private static let mostNumbers = 200_000_000

  /// - Throws: `InputError` if the numbers are too small for a measurement, or too large for memory.
  public init(_ problem: GradientProblem, batch: Int, trials: Int, seed: Seed) throws {
    guard batch >= 2 else { throw InputError("--batch takes a whole number of at least 2, not '\(batch)'") }
    // With two, both are equally far from their mean, and the error of the variance would seem to be 0.
    guard trials >= 3 else { throw InputError("--trials takes a whole number of at least 3, not '\(trials)'") }
    let numbers = trials.multipliedReportingOverflow(by: problem.policy.parameterCount * Estimators.all.count)
    let steps = batch.multipliedReportingOverflow(by: problem.horizon)
    guard !numbers.overflow, !steps.overflow, max(numbers.partialValue, steps.partialValue) <= Self.mostNumbers else {
      throw InputError("the estimates do not fit into memory: use a smaller --trials, --batch or --horizon")
    }
    (self.problem, self.batch, self.trials, self.seed) = (problem, batch, trials, seed)
  }

  /// Returns the bias, variance and cost of each estimator. The same seed gives the same results, except for the time.
  public func measure(_ estimators: [Estimator] = Estimators.all) -> [EstimatorMeasurement] {
    zip(estimators, samples(estimators)).map { estimator, samples in
      EstimatorMeasurement(
        of: estimator, samples: samples.estimates,
        target: estimator.target == .gradient ? problem.gradient : problem.naturalGradient,
        microseconds: samples.times.sorted()[trials / 2] / .microseconds(1))
    }
  }

  /// Returns, for each estimator, the estimates for all batches, `[K, P]`, and their times.
  func samples(_ estimators: [Estimator]) -> [(estimates: [[Double]], times: [Duration])] {
    var samples = estimators.map { _ in (estimates: [[Double]](), times: [Duration]()) }
    let clock = ContinuousClock()
    for trial in 0..<trials {
      let seed = seed.child("trial \(trial)")
      let own = trajectories(of: problem.policy.probabilities, seed.stream("policy"))
      let others = trajectories(of: problem.behavior, seed.stream("behavior"))
      for (index, estimator) in estimators.enumerated() {
        var random = seed.stream("estimator")
        let start = clock.now
        let estimate = estimator.estimate(estimator.samples == .policy ? own : others, problem, &random)
        samples[index].times.append(clock.now - start)
        samples[index].estimates.append(estimate)
      }
    }
    return samples
  }

  private func trajectories(of policy: [[Double]], _ stream: Random) -> [Trajectory] {
    var random = stream
    return (0..<batch).map { _ in
      problem.process.trajectory(of: policy, horizon: problem.horizon, using: &random)
    }
  }
}
