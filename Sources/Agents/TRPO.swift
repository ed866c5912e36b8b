import Core
import Networks
import Replay
import Tensors

/// Trust region policy optimisation: the longest step along the natural gradient that keeps the policy close to the old
/// one (Schulman et al. 2015, arXiv 1502.05477; notes 1.3.3).
///
///     maximise L(θ′) = E[π_θ′(a|o) / π_θ(a|o) Â]   so that   D(θ′) = E[D_KL(π_θ(·|o) ‖ π_θ′(·|o))] ≤ ε
///
/// Near θ, L is gᵀΔ and D is ½ Δᵀ F Δ (1.66), corrected by its ½: the best Δ is √(2ε / xᵀ F x) x with F x = g. It is
/// halved until the true D is at most ε and L has increased. If that never happens, the policy does not change.
///
/// Letters: o observation, a action, γ discount, Â advantage, M transitions, ζ damping.
public struct TRPO: Agent {
  public static let id = "trpo"
  public static let note = "trust region policy optimisation (Schulman 2015); on-policy"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public struct Settings: RolloutSettings {
    public var hidden = 64
    public var horizon = 500
    public var discount = 0.99
    public var gaeLambda = 0.95
    public var divergence = 0.02
    public var iterations = 10
    public var damping = 0.01
    public var halvings = 10
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
        Field("divergence", \.divergence, 0...100, "ε: maximum mean divergence of an update"),
        Field("conjugate-gradients", \.iterations, 1...1000, "iterations of conjugate gradient"),
        Field("damping", \.damping, 0...1000, "damping ζ, added to the diagonal of the Fisher matrix"),
        Field("halvings", \.halvings, 0...60, "maximum halvings of the step in the line search"),
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

    let old = policy(o)
    let entropy = old.entropy.mean().item
    let divergence = improve(o, a, standardized(advantages), from: old)
    let criticLoss = critic.fit(o, to: y, passes: settings.criticPasses, batch: 64, using: &random)
    return Lesson(metrics: ["critic/loss": criticLoss, "actor/entropy": entropy, "actor/divergence": divergence])
  }

  /// - Returns: D of the step, at most ε; 0 if no step was taken.
  private mutating func improve(
    _ o: Tensor, _ a: Tensor, _ advantages: Tensor, from old: ActionDistribution
  ) -> Double {
    // L(θ′) = E[π_θ′(a|o) / π_θ(a|o) Â]                                          eq. 14
    let logPiOld = old.logProbability(of: a)
    func surrogate(_ policy: StochasticPolicy) -> Tensor {
      (exp(policy(o).logProbability(of: a) - logPiOld) * advantages).mean()
    }

    // x = (F + ζ1)⁻¹ g,  Δ = √(2ε / xᵀ F x) x                                    appendix C
    let (before, gradient) = valueWithGradient(at: policy) { surrogate($0) }
    func fisher(_ v: [Double]) -> [Double] { policy.dampedFisherProduct(at: o, damping: settings.damping, v) }
    let x = conjugateGradient(gradient.vector(of: policy), iterations: settings.iterations, product: fisher)
    let curvature = dot(x, fisher(x))
    guard curvature > 0 else { return 0 }
    var length = (2 * settings.divergence / curvature).squareRoot()

    let theta = policy.parameterVector
    for _ in 0...settings.halvings {
      var moved = policy
      moved.setParameters(to: sum(theta, length, times: x))
      let divergence = old.divergence(to: moved(o)).mean().item
      if divergence <= settings.divergence, surrogate(moved).item > before {
        policy = moved
        return divergence
      }
      length /= 2
    }
    return 0
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("policy", &policy)
    visitor("critic", &critic)
  }
}
