import Core
import Networks
import Tensors

/// Acting by planning in the learned model, around the plan that the policy has there. The critics value what follows a
/// plan. The policy and the critics learn as without planning.
///
/// Letters as in `MRQ`; J value of a plan in units of s, c probability that a plan has not ended, d probability of an end.
extension MRQ {
  /// Before s is known, critics have no scale, and the policy acts.
  var plans: Bool { settings.plans.samples > 0 && rewardScale.item > 0 }

  public var actingByPolicyAlone: MRQ {
    var agent = self
    agent.settings.plans.samples = 0
    return agent
  }

  /// The first actions of the best plans: `[B, O]` to `[B, A]`.
  func planned(_ o: Tensor) -> Tensor {
    let search = PlanSearch(
      samples: settings.plans.samples, rounds: settings.plans.rounds, deviation: settings.plans.deviation)
    let actions = (0..<o.shape[0]).flatMap { row in
      let z = encoder.state(o.rows(row..<row + 1))
      let copies = z.gatheringRows(Array(repeating: 0, count: search.samples))
      return search.best(around: policyPlan(from: z)) { value(ofPlans: $0, from: copies) }[0]
    }
    return Tensor(actions, [o.shape[0], space.networkSize])
  }

  // J = Σ_t γᵗ c_t r_t / s + γᵀ c_T min_i Q_i(x(z_T, π(z_T))),  c_t = Π (1 - d) over the steps before t
  /// - Parameters:
  ///   - actions: T times `[K, A]`.
  ///   - z: `[K, Z]`
  func value(ofPlans actions: [Tensor], from z: Tensor) -> [Double] {
    let knowsEnds = knowsEnds
    var z = z
    var (sum, weight) = (Tensor.zeros([z.shape[0], 1]), Tensor(repeating: 1, [z.shape[0], 1]))
    for a in actions {
      let (zNext, reward, end) = encoder.prediction(encoder.pair(z, a))
      sum = sum + weight * Encoder.rewardBins.center(of: reward) / rewardScale
      weight = settings.discount * weight
      if knowsEnds { weight = weight * (1 - clamp(end, 0, 1)) }
      z = zNext
    }
    return (sum + weight * least(critics(encoder.pair(z, mode(policy(z)))))).doubles
  }

  /// Whether the model has learned ends. Before, the bias of its end is 0. (A saved agent has its parameters only.)
  private var knowsEnds: Bool { encoder.model.bias.array.last != 0 }

  /// What the policy does in the model: T actions of A numbers.
  private func policyPlan(from z: Tensor) -> [[Float]] {
    var z = z
    return (0..<settings.plans.horizon).map { _ in
      let a = mode(policy(z))
      z = encoder.prediction(encoder.pair(z, a)).0
      return a.array
    }
  }
}

extension MRQ.Settings {
  public func check(for space: ActionSpace) throws(InputError) {
    guard plans.samples == 0 || space.isContinuous else {
      throw InputError("--plan-samples \(plans.samples) is for continuous actions, not for choices: leave it out")
    }
  }
}
