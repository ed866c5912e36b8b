/// Quantiles of sorted numbers.
enum Quantile {
  /// The `fraction` quantile with linear interpolation between neighbours, which is NumPy's default.
  ///
  /// - Parameter sorted: At least one number, in ascending order.
  static func of(_ sorted: [Double], at fraction: Double) -> Double {
    precondition(!sorted.isEmpty, "a quantile needs at least one number")
    let position = min(max(fraction, 0), 1) * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}
