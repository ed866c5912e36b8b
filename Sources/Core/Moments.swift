/// What is said of several returns.
extension Collection<Double> {
  /// Not a number for none.
  public var mean: Double { reduce(0, +) / Double(count) }

  /// The standard deviation of just these numbers, √(Σ (x - mean)² / n).
  public var deviation: Double {
    let mean = mean
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
  }

  /// The mean less and plus the deviation, as far as the numbers reach: no band goes to where none of them got, such as
  /// above the most that a task gives. Nil where one is not finite, or there is none.
  public var deviationBand: ClosedRange<Double>? {
    guard let least = self.min(), let greatest = self.max(), allSatisfy(\.isFinite) else { return nil }
    // Rounding may put the mean of equal numbers beside them.
    let (mean, deviation) = (Swift.min(Swift.max(mean, least), greatest), deviation)
    return Swift.max(mean - deviation, least)...Swift.min(mean + deviation, greatest)
  }
}
