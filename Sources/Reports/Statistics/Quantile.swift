/// Order statistics of a few numbers.
enum Quantile {
  /// The `fraction` quantile with linear interpolation between neighbours, as NumPy's default.
  ///
  /// - Parameter sorted: at least one number, ascending.
  static func of(_ sorted: [Double], at fraction: Double) -> Double {
    precondition(!sorted.isEmpty, "a quantile needs at least one number")
    let place = min(max(fraction, 0), 1) * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}
