import Core

/// Measures estimators on a problem: many independent batches, the same ones for all.
public struct EstimatorTrial: Sendable {
  public let problem: GradientProblem
  /// N, the trajectories of a batch.
  public let batch: Int
  /// The batches.
  public let trials: Int
  public let seed: Seed

  /// Numbers that the estimates of one measurement may take.
  private static let mostNumbers = 200_000_000

  /// - Throws: `InputError` where there is too little to measure, or too much to keep.
  public init(_ problem: GradientProblem, batch: Int, trials: Int, seed: Seed) throws {
    guard batch >= 2 else { throw InputError("--batch takes a whole number of at least 2, not '\(batch)'") }
    guard trials >= 2 else { throw InputError("--trials takes a whole number of at least 2, not '\(trials)'") }
    let numbers = trials.multipliedReportingOverflow(by: problem.policy.parameterCount * Estimators.all.count)
    let steps = batch.multipliedReportingOverflow(by: problem.horizon)
    guard !numbers.overflow, !steps.overflow, max(numbers.partialValue, steps.partialValue) <= Self.mostNumbers else {
      throw InputError("too much to keep in memory: give a smaller --trials, --batch or --horizon")
    }
    (self.problem, self.batch, self.trials, self.seed) = (problem, batch, trials, seed)
  }

  /// Every estimator's bias, variance and cost. The same seed gives the same numbers, apart from the time.
  public func measure(_ estimators: [Estimator] = Estimators.all) -> [EstimatorMeasurement] {
    zip(estimators, samples(estimators)).map { estimator, samples in
      EstimatorMeasurement(
        of: estimator, samples: samples.estimates,
        target: estimator.target == .gradient ? problem.gradient : problem.naturalGradient,
        microseconds: samples.times.sorted()[trials / 2] / .microseconds(1))
    }
  }

  /// The estimates of all batches, `[K, P]`, and the time that each took, of each estimator.
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
