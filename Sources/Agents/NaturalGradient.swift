import Core
import Networks
import Replay
import Tensors

/// The natural policy gradient: a step of fixed length in the metric of the policy's divergence (Kakade 2001; notes
/// 1.3.3).
///
///     θ ← θ + α F⁻¹ ∇J,   F = E[∇log π(a|o) ∇log π(a|o)ᵀ]
///
/// F (1.67) is exact in the actions and sampled in the observations. F⁻¹ ∇J is computed by conjugate gradient on
/// products F v. Advantages are standardised, so that ∇Jᵀ F⁻¹ ∇J is at most about 1 and a step's divergence (1.66),
/// corrected by its ½, at most about α²/2.
///
/// Letters: o observation, a action, γ discount, Â advantage, M transitions, P parameters, ζ damping.
public struct NaturalGradient: Agent {
  public static let id = "natural-gradient"
  public static let note = "natural policy gradient by conjugate gradient (Kakade 2001); on-policy"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public struct Settings: RolloutSettings {
    public var hidden = 64
    public var horizon = 500
    public var discount = 0.99
    public var gaeLambda = 0.95
    public var stepSize = 0.5
    public var iterations = 10
    public var damping = 0.01
    public var criticLearningRate = 3e-3
    public var criticPasses = 10

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of policy and critic"),
        Field("horizon", \.horizon, 1...1_048_576, "agent steps per environment between updates"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field(
          "gae-lambda", \.gaeLambda, 0...1,
          "λ of generalised advantage estimation: 0 relies on the critic, 1 on the rewards"),
        Field("step-size", \.stepSize, 0...100, "step size α along the natural gradient"),
        Field("conjugate-gradients", \.iterations, 1...1000, "iterations of conjugate gradient"),
        Field("damping", \.damping, 0...1000, "damping ζ, added to the diagonal of the Fisher matrix"),
        Field("critic-learning-rate", \.criticLearningRate, 0...1, "Adam's step size for the critic"),
        Field("critic-passes", \.criticPasses, 1...1000, "passes over the rollout to fit the critic"),
      ]
    }
  }

  public let settings: Settings
  var policy: StochasticPolicy
  var critic: ValueFunction
  var random: Random

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    let hidden = [settings.hidden, settings.hidden]
    self.settings = settings
    policy = StochasticPolicy(observationSize, actionSpace, hidden: hidden, using: &initial)
    critic = ValueFunction(observationSize, hidden: hidden, learningRate: settings.criticLearningRate, using: &initial)
    random = seed.stream("actions")
  }

  // a ~ π(·|o)
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    policy(o).action(for: behavior, using: &random)
  }

  public func value(_ o: Tensor) -> Tensor { critic(o) }  // [B, 1]

  public mutating func update(_ rollout: Rollout) -> Lesson {
    let (o, a) = (rollout.observation, rollout.action)

    // Â by GAE, y = Â + V̂(o)                                                     (1.111)
    let (advantages, y) = rollout.generalizedAdvantages(
      by: critic, discount: settings.discount, lambda: settings.gaeLambda)
    let weights = standardized(advantages)

    // g = E[∇log π(a|o) Â]                                                       (1.76)
    let old = policy(o)
    let g = valueWithGradient(at: policy) { policy in
      (policy(o).logProbability(of: a) * weights).mean()
    }.gradient.vector(of: policy)

    // x = (F + ζ1)⁻¹ g,  θ ← θ + α x                                             (1.66), (1.67)
    let x = conjugateGradient(g, iterations: settings.iterations) { v in
      policy.dampedFisherProduct(at: o, damping: settings.damping, v)
    }
    policy.setParameters(to: sum(policy.parameterVector, settings.stepSize, times: x))

    let criticLoss = critic.fit(o, to: y, passes: settings.criticPasses, batch: 64, using: &random)
    return Lesson(metrics: [
      "critic/loss": criticLoss, "actor/entropy": old.entropy.mean().item,
      "actor/divergence": old.divergence(to: policy(o)).mean().item,
    ])
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("policy", &policy)
    visitor("critic", &critic)
  }
}
