import Core

/// One continuous action, a ∼ N(μ, σ²), and a critic Q(a) = −k (a − c)² + h a³. The exact gradient is known, and the
/// reparametrised gradient of notes 1.4.5 is unbiased.
public struct GaussianBandit: Sendable {
  /// μ
  public var mean: Double
  /// σ, positive
  public var deviation: Double
  public var curvature = 1.0
  public var center = 0.0
  public var skew = 0.0

  public init(mean: Double, deviation: Double, curvature: Double = 1, center: Double = 0, skew: Double = 0) {
    precondition(deviation > 0, "a normal distribution needs a positive deviation, not \(deviation)")
    (self.mean, self.deviation, self.curvature, self.center, self.skew) = (mean, deviation, curvature, center, skew)
  }

  private func value(_ a: Double) -> Double { -curvature * (a - center) * (a - center) + skew * a * a * a }

  private func slope(_ a: Double) -> Double { -2 * curvature * (a - center) + 3 * skew * a * a }

  /// (∂/∂μ, ∂/∂σ) of E[Q] = −k ((μ − c)² + σ²) + h (μ³ + 3 μ σ²)
  public var gradient: (mean: Double, deviation: Double) {
    (
      -2 * curvature * (mean - center) + 3 * skew * (mean * mean + deviation * deviation),
      -2 * curvature * deviation + 6 * skew * mean * deviation
    )
  }

  /// ∇ ≈ ∇log π(a) Q(a), a ∼ π: the likelihood ratio, notes (1.100).
  public func scoreEstimate(using random: inout Random) -> (mean: Double, deviation: Double) {
    let e = random.normal()
    let q = value(mean + deviation * e)
    return (e / deviation * q, (e * e - 1) / deviation * q)
  }

  /// ∇ ≈ Q′(a) ∇a, a = μ + σ ε: the reparametrised gradient, notes 1.4.5.
  public func reparametrizedEstimate(using random: inout Random) -> (mean: Double, deviation: Double) {
    let e = random.normal()
    let slope = slope(mean + deviation * e)
    return (slope, slope * e)
  }
}
