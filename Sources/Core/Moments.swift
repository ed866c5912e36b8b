/// Summary statistics, such as of several returns.
extension Collection<Double> {
  /// The mean, or NaN for an empty collection.
  public var mean: Double { reduce(0, +) / Double(count) }

  /// The population standard deviation, √(Σ (x - mean)² / n).
  public var deviation: Double {
    let mean = mean
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
  }

  /// The range mean ± standard deviation, clamped to the minimum and maximum of the values. So the band never exceeds,
  /// for example, the highest possible return. Nil if the collection is empty or a value is not finite.
  public var deviationBand: ClosedRange<Double>? {
    guard let least = self.min(), let greatest = self.max(), allSatisfy(\.isFinite) else { return nil }
    // Due to rounding, the mean of equal values can differ from them.
    let (mean, deviation) = (Swift.min(Swift.max(mean, least), greatest), deviation)
    return Swift.max(mean - deviation, least)...Swift.min(mean + deviation, greatest)
  }
}
