import Core
import Networks
import Replay
import Tensors

/// A policy gradient with an off-policy critic as control variate (notes 1.106; Q-Prop, Gu et al. 2017, arXiv
/// 1611.02247).
///
///     ∇J ≈ E[∇log π(a|o) (Â(o, a) - η Ā(o, a))] + η ∇E_{a∼π}[Q(o, a)],    Ā(o, a) = Q(o, a) - E_{a∼π}[Q(o, a)]
///
/// The first mean is over the policy's latest rollout; it is small if the critic is accurate. The second contains no
/// return and adds the critic's part back: for any Q and a constant η, the sum is no more biased than Â. Gu's paper
/// expands Q about the mean action; here E_{a∼π}[Q] is a sum over all choices, or a mean over reparametrised actions. η
/// is 1 as in (1.106), or the value of least variance, Cov(Â, Ā) / Var(Ā) (Gu 2017, 3.2), with one η for the rollout.
///
/// Â is GAE with a separate V̂, fitted to the policy's latest rollout (Gu 2017, algorithm 1). With E_{a∼π}[Q] instead
/// of V̂, Â would contain the bias of Q, which no control variate removes.
///
/// Letters: o observation, a action, r reward, d discount of the environment, γ the agent's discount, M transitions of
/// the rollout, B of a batch.
public struct QProp: Agent {
  public static let id = "q-prop"
  public static let note = "policy gradient with an off-policy critic as control variate (Gu 2017); any actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }
  public static let changingState: Set = ["control"]

  public struct Settings: AgentSettings {
    public typealias Experience = RolloutWithReplay

    public var hidden = 128
    public var criticLayerNorm = true
    public var horizon = 100
    public var batch = 64
    public var discount = 0.99
    public var gaeLambda = 0.95
    public var divergence = 0.02
    public var iterations = 10
    public var damping = 0.01
    public var criticLearningRate = 1e-3
    public var baselineLearningRate = 3e-3
    public var baselinePasses = 10
    public var tau = 0.01
    public var controlVariate = true
    public var adaptive = true
    public var actionSamples = 4
    public var entropyBonus = 0.003

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of policy, critic and V̂"),
        Field("critic-layer-norm", \.criticLayerNorm, "LayerNorm in the critic's hidden layers"),
        Field("horizon", \.horizon, 1...1_000_000, "agent steps per environment between updates of the policy"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update of the critic"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field(
          "gae-lambda", \.gaeLambda, 0...1, "λ of generalised advantage estimation: 0 relies on V̂, 1 on the rewards"),
        Field(
          "divergence", \.divergence, 1e-8...100,
          "δ: divergence of an update of the policy, by its quadratic approximation"),
        Field("conjugate-gradients", \.iterations, 1...1000, "iterations of conjugate gradient"),
        Field("damping", \.damping, 0...1000, "damping ζ, added to the diagonal of the Fisher matrix"),
        Field("critic-learning-rate", \.criticLearningRate, 0...1, "Adam's step size for the critic"),
        Field(
          "baseline-learning-rate", \.baselineLearningRate, 0...1, "Adam's step size for V̂"),
        Field("baseline-passes", \.baselinePasses, 1...1000, "passes over the rollout to fit V̂"),
        Field(
          "tau", \.tau, 0...1,
          "fraction by which the target critic moves toward the critic at each update of the critic"),
        Field(
          "control-variate", \.controlVariate,
          "use the critic as control variate; without it, a natural gradient on advantages only"),
        Field("adaptive", \.adaptive, "scale the control variate for least variance; without it, η = 1"),
        Field(
          "action-samples", \.actionSamples, 1...1000,
          "actions that are drawn for the mean of Q, if actions are continuous"),
        Field("entropy-bonus", \.entropyBonus, 0...100, "weight of the entropy bonus"),
      ]
    }

    public var demand: RolloutWithReplay.Demand {
      RolloutWithReplay.Demand(
        rollout: Rollout.Demand(horizon: horizon), batch: Batch.Demand(count: batch, discount: discount))
    }
  }

  public let settings: Settings
  var policy: StochasticPolicy
  var critic: ActionValue
  var targetCritic: ActionValue
  var criticOptimizer: Adam
  var baseline: ValueFunction
  var random: Random
  /// η of the last update.
  private(set) var control = 0.0

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    let hidden = [settings.hidden, settings.hidden]
    self.settings = settings
    policy = StochasticPolicy(observationSize, actionSpace, hidden: hidden, using: &initial)
    critic = ActionValue(
      observationSize, actionSpace, hidden: hidden, layerNorm: settings.criticLayerNorm, using: &initial)
    targetCritic = critic
    criticOptimizer = Adam(of: critic, learningRate: settings.criticLearningRate)
    baseline = ValueFunction(
      observationSize, hidden: hidden, learningRate: settings.baselineLearningRate, using: &initial)
    random = seed.stream("actions")
  }

  // a ~ π(·|o)
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    policy(o).action(for: behavior, using: &random)
  }

  public func value(_ o: Tensor) -> Tensor { baseline(o) }  // [B, 1]

  public mutating func update(_ experience: RolloutWithReplay) -> Lesson {
    let losses = experience.batches.map { fit($0) }
    let rollout = experience.rollout
    let o = rollout.observation

    // Â by GAE, y = Â + V̂(o)                                                     (1.111)
    let (advantage, y) = rollout.generalizedAdvantages(
      by: baseline, discount: settings.discount, lambda: settings.gaeLambda)

    let eta: Double? = settings.controlVariate ? (settings.adaptive ? nil : 1) : 0
    step(against: gradient(of: rollout, advantage, control: eta), at: o)
    let baselineLoss = baseline.fit(
      o, to: y, passes: settings.baselinePasses, batch: settings.batch, using: &random)
    return Lesson(metrics: [
      "critic/loss": losses.reduce(0, +) / Double(max(losses.count, 1)), "baseline/loss": baselineLoss,
      "actor/control": control, "actor/entropy": policy(o).entropy.mean().item,
    ])
  }

  /// Returns the gradient of -J with respect to the policy.
  ///
  /// - Parameters:
  ///   - advantage: Â, `[M, 1]`.
  ///   - given: η; nil for the value of least variance.
  mutating func gradient(of rollout: Rollout, _ advantage: Tensor, control given: Double?) -> Gradient {
    // Ā = Q(o, a) - E_{a∼π}[Q(o, a)]
    let (o, a) = (rollout.observation, rollout.action)
    let controlVariate = critic(o, a) - expectation(o, policy(o))
    let eta = given ?? leastVariance(advantage, controlVariate)
    control = eta

    // J = E[log π(a|o) (Â - η Ā)] + η E_{a∼π}[Q(o, a)] + β E[H]                  (1.106)
    let weight = advantage - eta * controlVariate
    return valueWithGradient(at: policy) { policy in
      let pi = policy(o)
      let expected = eta == 0 ? Tensor(scalar: 0) : eta * expectation(o, pi).mean()
      return -(pi.logProbability(of: a) * weight).mean() - expected - settings.entropyBonus * pi.entropy.mean()
    }.gradient
  }

  /// x = (F + ζ1)⁻¹ ∇J,  θ ← θ + x √(2δ / xᵀ(F + ζ1) x): the step with divergence δ (1.65 to 1.67)
  private mutating func step(against gradient: Gradient, at o: Tensor) {
    let g = gradient.vector(of: policy).map { -$0 }
    let x = conjugateGradient(g, iterations: settings.iterations) { v in
      policy.dampedFisherProduct(at: o, damping: settings.damping, v)
    }
    let curvature = dot(x, g)  // xᵀ(F + ζ1) x, if the system is solved
    guard curvature > 0 else { return }
    let length = (2 * settings.divergence / curvature).squareRoot()
    policy.setParameters(to: sum(policy.parameterVector, length, times: x))
  }

  /// E_{a∼π}[Q(o, a)], `[M, 1]`
  private mutating func expectation(_ o: Tensor, _ pi: ActionDistribution) -> Tensor {
    critic.expectation(at: o, under: pi, samples: settings.actionSamples, using: &random)
  }

  /// One update of the critic, off-policy: y = r + γ d Q'(o', a'),  a' ~ π(·|o')      (1.98)
  mutating func fit(_ batch: Batch) -> Double {
    let aNext = policy(batch.nextObservation).sample(using: &random)
    let y = batch.reward + settings.discount * batch.discount * targetCritic(batch.nextObservationOfTarget, aNext)
    let (loss, gradient) = valueWithGradient(at: critic) { critic in
      meanSquared(critic(batch.observation, batch.action) - y)
    }
    criticOptimizer.update(&critic, along: gradient)
    targetCritic.blend(toward: critic, rate: settings.tau)
    return loss
  }

  /// η = Cov(Â, Ā) / Var(Ā), within [0, 1].
  func leastVariance(_ advantage: Tensor, _ control: Tensor) -> Double {
    let (a, c) = (advantage - advantage.mean().item, control - control.mean().item)
    let variance = square(c).mean().item
    return variance > 0 ? min(max((a * c).mean().item / variance, 0), 1) : 0
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("policy", &policy)
    visitor("critic", &critic)
    visitor("target_critic", &targetCritic)
    visitor("baseline", &baseline)
  }
}
