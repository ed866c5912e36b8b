import Core
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Looks for the best sequence of actions by model predictive path integral control, MPPI (Williams 2015, arXiv
/// 1509.01149), in the form of TD-MPC2 (Hansen 2024, arXiv 2310.16828).
///
/// The first plans are drawn around a given one, so nothing is kept from one search to the next. The noise is the same in
/// every search: the result is a function of the first plan and of the values.
///
/// Letters: K plans of T actions of A numbers; J value of a plan; E elites; μ, σ mean and deviation of plans.
struct PlanSearch {
  /// K.
  let samples: Int
  /// How often plans are drawn.
  let rounds: Int
  /// The first σ.
  let deviation: Double
  /// The smallest σ.
  var leastDeviation = 0.05
  /// τ, in the units of J.
  var temperature = 2.0
  /// The fraction of the plans that are elites.
  var eliteShare = 0.125

  /// - Parameters:
  ///   - first: T actions of A numbers in [-1, 1].
  ///   - values: returns J of K plans; gets T times `[K, A]`.
  /// - Returns: T actions.
  func best(around first: [[Float]], values: ([Tensor]) -> [Double]) -> [[Float]] {
    var noise = Seed(0).stream("plans")
    var mean = first
    var sigma = first.map { [Float](repeating: Float(deviation), count: $0.count) }
    let elites = max(1, Int(eliteShare * Double(samples)))
    for _ in 0..<rounds {
      // a = clip(μ + σ ε, -1, 1),  ε ~ N(0, 1); the first plan stays one of them
      let plans = first.indices.map { t in
        (0..<samples).flatMap { k in
          k == 0
            ? first[t] : mean[t].indices.map { min(max(mean[t][$0] + sigma[t][$0] * Float(noise.normal()), -1), 1) }
        }
      }
      let j = values(zip(plans, first).map { Tensor($0, [samples, $1.count]) })
      let best = j.indices.sorted { (j[$0], $1) > (j[$1], $0) }.prefix(elites)

      // μ = Σ_E w a,  σ² = Σ_E w (a - μ)²,  w = softmax_E(J / τ)
      let weights = best.map { exp((j[$0] - j[best[0]]) / temperature) }
      let total = weights.reduce(0, +)
      for t in first.indices {
        for i in first[t].indices {
          let chosen = zip(best, weights).map { (Double(plans[t][$0 * first[t].count + i]), $1 / total) }
          let center = chosen.reduce(0) { $0 + $1.1 * $1.0 }
          let variance = chosen.reduce(0) { $0 + $1.1 * ($1.0 - center) * ($1.0 - center) }
          mean[t][i] = Float(center)
          sigma[t][i] = Float(max(variance.squareRoot(), leastDeviation))
        }
      }
    }
    return mean
  }
}
