#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// How `tolerance` decreases outside its bounds, as a function of the distance in units of the margin.
public enum Sigmoid: Sendable {
  case gaussian
  case quadratic
  case linear
  case longTail
}

/// The soft indicator function in the rewards of the DeepMind Control suite (Tassa 2018, section 2): 1 within the
/// bounds, decreasing to `valueAtMargin` at the distance `margin` from them. Without a margin, it is 0 outside.
public func tolerance(
  _ x: Double, _ bounds: ClosedRange<Double> = 0...0, margin: Double = 0, sigmoid: Sigmoid = .gaussian,
  valueAtMargin: Double = 0.1
) -> Double {
  if bounds.contains(x) { return 1 }
  if margin == 0 { return 0 }
  let distance = max(bounds.lowerBound - x, x - bounds.upperBound) / margin
  switch sigmoid {
  case .gaussian: return exp(log(valueAtMargin) * distance * distance)
  case .quadratic: return max(0, 1 - (1 - valueAtMargin) * distance * distance)
  case .linear: return max(0, 1 - (1 - valueAtMargin) * distance)
  case .longTail: return 1 / ((1 / valueAtMargin - 1) * distance * distance + 1)
  }
}
