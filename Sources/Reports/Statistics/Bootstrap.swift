import Core

/// An estimate with its confidence interval.
public struct Estimate: Sendable, Hashable {
  public var value: Double
  public var interval: ClosedRange<Double>

  public init(_ value: Double, _ interval: ClosedRange<Double>) {
    self.value = value
    self.interval = interval
  }
}

/// The stratified percentile bootstrap (Efron 1979; for few runs on several tasks Agarwal et al. 2021): runs are
/// resampled with replacement within each task, and the interval has the central quantiles of the statistic over the
/// resamples.
///
/// The same seed gives the same interval. With one run per task, the interval is only the value itself. With three to
/// five runs it is a rough guide, and narrower than it should be.
public struct Bootstrap: Sendable {
  /// The confidence level, at least 0 and below 1.
  public var confidence: Double
  public var resamples: Int
  public var seed: Seed

  public init(confidence: Double = 0.95, resamples: Int = 2000, seed: Seed = Seed(0)) {
    precondition((0..<1).contains(confidence) && resamples > 0, "a bootstrap needs a confidence below 1 and resamples")
    self.confidence = confidence
    self.resamples = resamples
    self.seed = seed
  }

  /// Returns a statistic of scores `[task][run]` with its interval.
  public func estimate(_ scores: [[Double]], _ statistic: ([[Double]]) -> Double) -> Estimate {
    var random = seed.stream("bootstrap")
    var values = (0..<resamples).map { _ in statistic(scores.map { resampled($0, &random) }) }
    values.sort()
    let tail = (1 - confidence) / 2
    return Estimate(statistic(scores), Quantile.of(values, at: tail)...Quantile.of(values, at: 1 - tail))
  }

  /// Returns the probability that a run of X does better than a run of Y; the runs of both are resampled.
  public func probabilityOfImprovement(of x: [[Double]], over y: [[Double]]) -> Estimate {
    let tasks = x.count
    return estimate(x + y) { Reports.probabilityOfImprovement(of: Array($0[..<tasks]), over: Array($0[tasks...])) }
  }

  private func resampled(_ runs: [Double], _ random: inout Random) -> [Double] {
    runs.map { _ in runs[random.integer(below: runs.count)] }
  }
}
