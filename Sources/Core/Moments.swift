/// What is said of several returns.
extension Collection<Double> {
  /// Not a number for none.
  public var mean: Double { reduce(0, +) / Double(count) }

  /// The standard deviation of just these numbers, √(Σ (x - mean)² / n).
  public var deviation: Double {
    let mean = mean
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
  }
}
