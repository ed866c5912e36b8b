import Core

/// A number that was estimated from few runs, and the range that it lies in as far as they tell.
public struct Estimate: Sendable, Hashable {
  public var value: Double
  public var interval: ClosedRange<Double>

  public init(_ value: Double, _ interval: ClosedRange<Double>) {
    self.value = value
    self.interval = interval
  }
}

/// The stratified percentile bootstrap (Efron 1979; for few runs on several tasks Agarwal et al. 2021): runs are drawn
/// again with replacement within each task, and the interval holds the middle of what the statistic then is.
///
/// The same seed gives the same interval. Of one run a task nothing can be said: the interval is the value alone. Of
/// three to five runs it is a rough guide, narrower than it should be.
public struct Bootstrap: Sendable {
  /// From 0 to 1.
  public var confidence: Double
  public var resamples: Int
  public var seed: Seed

  public init(confidence: Double = 0.95, resamples: Int = 2000, seed: Seed = Seed(0)) {
    precondition((0..<1).contains(confidence) && resamples > 0, "a bootstrap needs a confidence below 1 and resamples")
    self.confidence = confidence
    self.resamples = resamples
    self.seed = seed
  }

  /// A statistic of scores `[task][run]` with its interval.
  public func estimate(_ scores: [[Double]], _ statistic: ([[Double]]) -> Double) -> Estimate {
    var random = seed.stream("bootstrap")
    var values = (0..<resamples).map { _ in statistic(scores.map { resampled($0, &random) }) }
    values.sort()
    let tail = (1 - confidence) / 2
    return Estimate(statistic(scores), Quantile.of(values, at: tail)...Quantile.of(values, at: 1 - tail))
  }

  /// How likely a run of X does better than one of Y; the runs of both are drawn again.
  public func probabilityOfImprovement(of x: [[Double]], over y: [[Double]]) -> Estimate {
    let tasks = x.count
    return estimate(x + y) { Reports.probabilityOfImprovement(of: Array($0[..<tasks]), over: Array($0[tasks...])) }
  }

  private func resampled(_ runs: [Double], _ random: inout Random) -> [Double] {
    runs.map { _ in runs[random.integer(below: runs.count)] }
  }
}
