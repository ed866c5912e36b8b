#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// How `tolerance` falls outside its bounds, as a function of the distance in margins.
enum Sigmoid {
  case gaussian
  case quadratic
  case linear
  case longTail
}

/// The soft indicator that the DeepMind Control suite builds its rewards from (Tassa 2018, section 2): 1 within the
/// bounds, falling to `valueAtMargin` at the distance `margin` from them; without a margin, 0 outside.
func tolerance(
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
