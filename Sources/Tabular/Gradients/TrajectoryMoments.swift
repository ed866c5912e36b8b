import Core

/// The exact moments of a trajectory's score g = Σ ∇log π(a_t|s_t) and return R = Σ γ^{t−1} r_t, for each parameter.
///
/// They give the variance-optimal baseline (the corrected 1.41) and the variance of REINFORCE without sampling. For the
/// steps from t on, g = x + g′ and R = r + γR′. E[gⁱRʲ] is computed backwards in time with the binomial theorem.
struct TrajectoryMoments: Sendable {
  /// E[gₖⁱ Rʲ], `[P][i][j]` with i, j from 0 to 2.
  private let moments: [[[Double]]]

  init(of policy: PolicyTable, in process: MarkovDecisionProcess, horizon: Int) {
    moments = (0..<policy.parameterCount).map { k in
      var following = Array(repeating: Self.nothing, count: process.stateCount)
      for _ in 0..<horizon {
        following = (0..<process.stateCount).map { s in
          var sum = Self.zero
          for a in 0..<process.actionCount {
            let expected = Self.mean(following, weights: process.transitions[s][a])
            let score = policy.score(s, a)
            let step = Self.after(
              x: score[score.startIndex + k], reward: process.rewards[s][a], discount: process.discount, expected)
            for i in 0...2 { for j in 0...2 { sum[i][j] += policy.probabilities[s][a] * step[i][j] } }
          }
          return sum
        }
      }
      return Self.mean(following, weights: process.start)
    }
  }

  private static let zero = Array(repeating: Array(repeating: 0.0, count: 3), count: 3)
  private static let nothing = [[1.0, 0, 0], [0, 0, 0], [0, 0, 0]]

  private static func mean(_ moments: [[[Double]]], weights: [Double]) -> [[Double]] {
    var sum = zero
    for (state, p) in weights.enumerated() where p > 0 {
      for i in 0...2 { for j in 0...2 { sum[i][j] += p * moments[state][i][j] } }
    }
    return sum
  }

  /// E[(x + g′)ⁱ (r + γR′)ʲ]
  private static func after(x: Double, reward r: Double, discount gamma: Double, _ m: [[Double]]) -> [[Double]] {
    let binomial: [[Double]] = [[1], [1, 1], [1, 2, 1]]
    let (xs, rs, gammas) = ([1, x, x * x], [1, r, r * r], [1, gamma, gamma * gamma])
    var result = zero
    for i in 0...2 {
      for j in 0...2 {
        for k in 0...i {
          for l in 0...j {
            result[i][j] += binomial[i][k] * xs[i - k] * binomial[j][l] * rs[j - l] * gammas[l] * m[k][l]
          }
        }
      }
    }
    return result
  }

  /// bₖ = E[gₖ² R] / E[gₖ²], `[P]`. The mean return for parameters whose score is always zero.
  var optimalBaseline: [Double] { moments.map { $0[2][0] > 0 ? $0[2][1] / $0[2][0] : $0[0][1] } }

  /// E[R]
  var meanReturn: Double { moments[0][0][1] }

  /// Var[gₖ (R − bₖ)] of one trajectory, `[P]`, for a constant baseline per parameter.
  func variances(baseline: [Double]) -> [Double] {
    zip(moments, baseline).map { m, b in
      m[2][2] - 2 * b * m[2][1] + b * b * m[2][0] - (m[1][1] - b * m[1][0]) * (m[1][1] - b * m[1][0])
    }
  }
}
