import Core
import Networks
import Replay
import Tensors

/// Proximal policy optimisation with a clipped ratio (Schulman et al. 2017, arXiv 1707.06347).
///
///     maximise E[min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â)] + β E[H],   ρ = π(a|o) / π_old(a|o)
///
/// in several passes over each rollout in minibatches. The clip removes the incentive to move further away from the
/// policy that acted.
///
/// Letters: o observation, a action, γ discount, Â advantage by GAE, H entropy, M transitions, B a minibatch.
public struct PPO: Agent {
  public static let id = "ppo"
  public static let note = "proximal policy optimisation, clipped (Schulman 2017); on-policy"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public struct Settings: RolloutSettings {
    public var hidden = 64
    public var horizon = 250
    public var discount = 0.99
    public var gaeLambda = 0.95
    public var learningRate = 1e-3
    public var passes = 10
    public var minibatch = 64
    public var clip = 0.2
    public var entropyBonus = 0.003
    public var gradientLimit = 0.5

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of policy and critic"),
        Field("horizon", \.horizon, 1...1_048_576, "agent steps per environment between updates"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field(
          "gae-lambda", \.gaeLambda, 0...1,
          "λ of generalised advantage estimation: 0 relies on the critic, 1 on the rewards"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for policy and critic"),
        Field("passes", \.passes, 1...1000, "passes over the rollout per update"),
        Field("minibatch", \.minibatch, 1...1_048_576, "maximum number of transitions per minibatch"),
        Field("clip", \.clip, 0...1, "ε: the probability ratio is clipped to 1 ± ε"),
        Field("entropy-bonus", \.entropyBonus, 0...100, "weight β of the entropy bonus"),
        Field("gradient-limit", \.gradientLimit, 1e-8...1e8, "maximum norm of the policy's gradient"),
      ]
    }
  }

  public let settings: Settings
  var policy: StochasticPolicy
  var critic: ValueFunction
  var optimizer: Adam
  var random: Random

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    let hidden = [settings.hidden, settings.hidden]
    self.settings = settings
    policy = StochasticPolicy(observationSize, actionSpace, hidden: hidden, using: &initial)
    critic = ValueFunction(observationSize, hidden: hidden, learningRate: settings.learningRate, using: &initial)
    optimizer = Adam(of: policy, learningRate: settings.learningRate)
    random = seed.stream("actions")
  }

  // a ~ π(·|o)
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    policy(o).action(for: behavior, using: &random)
  }

  public func value(_ o: Tensor) -> Tensor { critic(o) }  // [B, 1]

  public mutating func update(_ rollout: Rollout) -> Lesson {
    // Â by GAE, y = Â + V̂(o)                                                     eq. 11
    let (advantages, y) = rollout.generalizedAdvantages(
      by: critic, discount: settings.discount, lambda: settings.gaeLambda)
    let weights = standardized(advantages)

    let old = policy(rollout.observation)
    let logPiOld = old.logProbability(of: rollout.action)
    for _ in 0..<settings.passes {
      for rows in minibatches(of: rollout.count, size: settings.minibatch, using: &random) {
        let (o, a) = (rollout.observation.gatheringRows(rows), rollout.action.gatheringRows(rows))
        let (A, logPi) = (weights.gatheringRows(rows), logPiOld.gatheringRows(rows))
        // L = E[min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â)] + β E[H]                      eq. 7, eq. 9
        let (_, gradient) = valueWithGradient(at: policy) { policy in
          let pi = policy(o)
          // Far below the limit of float32, beyond which the backward pass of the clip would compute 0 · ∞. A ratio outside
          // has no gradient.
          let ratio = exp(clamp(pi.logProbability(of: a) - logPi, -20, 20))
          let clipped = clamp(ratio, 1 - settings.clip, 1 + settings.clip)
          return -minimum(ratio * A, clipped * A).mean() - settings.entropyBonus * pi.entropy.mean()
        }
        optimizer.update(&policy, along: gradient.clipped(toNorm: settings.gradientLimit))
      }
    }
    let criticLoss = critic.fit(
      rollout.observation, to: y, passes: settings.passes, batch: settings.minibatch, using: &random)
    return Lesson(metrics: [
      "critic/loss": criticLoss, "actor/entropy": old.entropy.mean().item,
      "actor/divergence": old.divergence(to: policy(rollout.observation)).mean().item,
    ])
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("policy", &policy)
    visitor("critic", &critic)
  }
}
