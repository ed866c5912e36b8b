#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A linear warm-up, then a half-cosine decay from the full rate to a fraction of it (Loshchilov and Hutter 2017).
public struct LearningRateSchedule: Sendable, Codable {
  /// The full rate.
  public var rate: Double
  /// Steps until the full rate is reached; 0 starts at the full rate.
  public var warmUpSteps: Int
  /// Steps until the final rate is reached, including the warm-up.
  public var steps: Int
  /// The final rate as a fraction of the full one; 1 keeps it constant.
  public var finalFraction: Double

  public init(rate: Double, warmUpSteps: Int = 0, steps: Int, finalFraction: Double = 0) {
    precondition(
      warmUpSteps >= 0 && steps >= warmUpSteps, "a warm-up of \(warmUpSteps) steps does not fit into \(steps)")
    self.rate = rate
    self.warmUpSteps = warmUpSteps
    self.steps = steps
    self.finalFraction = finalFraction
  }

  /// Returns the rate of step 0, 1, ...; after the last step, the final rate.
  public func rate(at step: Int) -> Double {
    if step < warmUpSteps { return rate * Double(step + 1) / Double(warmUpSteps) }
    guard step < steps else { return rate * finalFraction }
    let progress = Double(step - warmUpSteps) / Double(steps - warmUpSteps)
    return rate * (finalFraction + (1 - finalFraction) * (1 + cos(.pi * progress)) / 2)
  }
}
