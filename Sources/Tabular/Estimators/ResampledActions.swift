import Core

/// Notes 1.4.5: states of another policy, actions drawn from the policy in these states, and an exact critic Q.
///
/// The notes average over transitions, 1/N Σᵢ. Here each trajectory has T transitions, and they are summed.
extension Estimator {
  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(ã|sᵢₜ) A_t(sᵢₜ, ã), ã ∼ π(·|sᵢₜ)
  ///
  /// Notes (1.99). The states are those of the behavior, without a correction.
  static let resampledAdvantage = Estimator(
    "resampled-advantage", source: "notes (1.99)", samples: .behavior, .biased("its states are those of the behavior")
  ) { batch, problem, random in
    resampled(batch, problem, &random) { t, s, a in problem.exact[t].q[s][a] - problem.exact[t].v[s] }
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(ã|sᵢₜ) Q_t(sᵢₜ, ã), ã ∼ π(·|sᵢₜ)
  ///
  /// Notes (1.100): the same mean with more variance.
  static let resampledQ = Estimator(
    "resampled-q", source: "notes (1.100)", samples: .behavior, .biased("its states are those of the behavior")
  ) { batch, problem, random in
    resampled(batch, problem, &random) { t, s, a in problem.exact[t].q[s][a] }
  }

  private static func resampled(
    _ batch: [Trajectory], _ problem: GradientProblem, _ random: inout Random, _ value: (Int, Int, Int) -> Double
  ) -> [Double] {
    var weights = Weights(for: problem.policy)
    for trajectory in batch {
      for t in 0..<problem.horizon {
        let s = trajectory.states[t]
        let a = random.choice(problem.policy.probabilities[s])
        weights[s, a] += problem.discounts[t] * value(t, s, a) / Double(batch.count)
      }
    }
    return problem.policy.gradient(weights)
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(aᵢₜ|sᵢₜ) (rᵢₜ + γ V_{t+1}(sᵢₜ₊₁) − V_t(sᵢₜ)), aᵢₜ from the replay
  ///
  /// Notes 1.4.5, step 5 of the algorithm that they call broken: the replayed actions are not drawn from π.
  static let replayedActions = Estimator(
    "replayed-actions", source: "notes 1.4.5, broken", samples: .behavior, .biased("its actions are not the policy's")
  ) { batch, problem, random in
    Estimator.actorCritic.estimate(batch, problem, &random)
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} Σₐ ∇π(a|sᵢₜ) Q_t(sᵢₜ, a)
  ///
  /// The limit of (1.100) for many resampled actions, with states of the policy itself: the second sum of (1.106).
  static let allActions = Estimator("all-actions", source: "limit of notes (1.100)") { batch, problem, _ in
    var weights = Weights(for: problem.policy)
    for trajectory in batch {
      for t in 0..<problem.horizon {
        let s = trajectory.states[t]
        for (a, p) in problem.policy.probabilities[s].enumerated() {
          weights[s, a] += problem.discounts[t] * p * problem.exact[t].q[s][a] / Double(batch.count)
        }
      }
    }
    return problem.policy.gradient(weights)
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇ Σₐ yₐ Q_t(sᵢₜ, a), y = softmax((log π(·|sᵢₜ) + G) / τ), G Gumbel
  ///
  /// Notes 1.4.5, "the reparametrization trick", for discrete actions (Jang 2017, Maddison 2017): the action is a
  /// function of the parameters and of noise, relaxed so that it is differentiable. A smaller τ has less bias and more
  /// variance. `GaussianBandit` uses the trick for continuous actions, where it is unbiased.
  static func gumbelSoftmax(temperature tau: Double) -> Estimator {
    Estimator(
      "gumbel-softmax-\(tau)", source: "notes 1.4.5, reparametrised", .biased("its actions are softened")
    ) { batch, problem, random in
      var weights = Weights(for: problem.policy)
      for trajectory in batch {
        for t in 0..<problem.horizon {
          let s = trajectory.states[t]
          let y = softmax(
            problem.policy.probabilities[s].map { p in
              // Avoids the logarithm of 0.
              (Double.log(p) - Double.log(-Double.log(max(random.uniform(), 1e-300)))) / tau
            })
          let q = problem.exact[t].q[s]
          let mean = dot(y, q)
          for a in y.indices {
            // ∂/∂ log π(a) of Σ y Q = y(a) (Q(a) − Σ y Q) / τ
            weights[s, a] += problem.discounts[t] * y[a] * (q[a] - mean) / tau / Double(batch.count)
          }
        }
      }
      return problem.policy.gradient(weights)
    }
  }
}
