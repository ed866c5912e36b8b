import Core
import Networks
import Replay
import Tensors

/// The incorrect off-policy actor-critic of the notes, 1.4.5: the online algorithm with a replay buffer and no other
/// change. It is a demonstration that fails, for comparison with `off-policy-actor-critic`.
///
///     3. V toward y = r + γ V(o')                       4. Â = r + γ V(o') - V(o)
///     5. ∇J ≈ 1/N Σ ∇log π(aᵢ|oᵢ) Â(oᵢ, aᵢ)             6. θ ← θ + α ∇J
///
/// with oᵢ, aᵢ, rᵢ, o'ᵢ from replay. aᵢ is from an old policy. V is then the value of the old policies. The update
/// raises log π of actions that the current policy would not take, and lowers it without bound for actions that were
/// worse than the old policies' mean. Letters as there.
public struct BrokenOffPolicyActorCritic: Agent {
  public static let id = "off-policy-actor-critic-broken"
  public static let note =
    "a demonstration that fails: actor-critic with V and replayed actions (notes 1.4.5); any actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public struct Settings: BatchSettings {
    public var hidden = 256
    public var criticLayerNorm = true
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 3e-4
    public var criticLearningRate = 1e-3
    public var tau = 0.01

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of actor and critic"),
        Field("critic-layer-norm", \.criticLayerNorm, "LayerNorm in the critic's hidden layers"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for the actor"),
        Field("critic-learning-rate", \.criticLearningRate, 0...1, "Adam's step size for the critic"),
        Field(
          "tau", \.tau, 0...1,
          "fraction by which the target critic moves toward the critic at each update; 1: no target critic"),
      ]
    }
  }

  public let settings: Settings
  let actionSpace: ActionSpace
  var actor: MultilayerPerceptron
  var critic: MultilayerPerceptron
  var targetCritic: MultilayerPerceptron
  var actorOptimizer: Adam
  var criticOptimizer: Adam
  var random: Random

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    self.settings = settings
    self.actionSpace = actionSpace
    let hidden = [settings.hidden, settings.hidden]
    actor = MultilayerPerceptron(
      observationSize, hidden: hidden, ActionDistribution.outputSize(for: actionSpace), outputGain: 0.1, using: &initial
    )
    critic = MultilayerPerceptron(
      observationSize, hidden: hidden, 1, layerNorm: settings.criticLayerNorm, using: &initial)
    targetCritic = critic
    actorOptimizer = Adam(of: actor, learningRate: settings.learningRate)
    criticOptimizer = Adam(of: critic, learningRate: settings.criticLearningRate)
    random = seed.stream("actions")
  }

  /// π(·|o)
  private func policy(_ actor: MultilayerPerceptron, _ o: Tensor) -> ActionDistribution {
    ActionDistribution(actor(o), over: actionSpace)
  }

  // a ~ π(·|o)                                                               step 1
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    policy(actor, o).action(for: behavior, using: &random)
  }

  public func value(_ o: Tensor) -> Tensor { critic(o) }  // [B, 1]

  public mutating func update(_ batch: Batch) -> Lesson {
    let (o, a, r, oNext) = (batch.observation, batch.action, batch.reward, batch.nextObservation)

    // y = r + γ d V'(o'): the value of the policies that acted               step 3
    let y = r + settings.discount * batch.discount * targetCritic(batch.nextObservationOfTarget)
    let (criticLoss, criticGradient, observationGradient) = valueWithGradient(
      at: critic, and: o, isWanted: batch.needsObservationGradient
    ) { critic, o in meanSquared(critic(o) - y) }
    criticOptimizer.update(&critic, along: criticGradient)
    targetCritic.blend(toward: critic, rate: settings.tau)

    // Â = r + γ d V(o') - V(o)                                               step 4
    let advantage = r + settings.discount * batch.discount * critic(oNext) - critic(o)

    // J = E[log π(a|o) Â],  a from replay: not π's                           step 5
    let (actorLoss, actorGradient) = valueWithGradient(at: actor) { actor in
      -(policy(actor, o).logProbability(of: a) * advantage).mean()
    }
    actorOptimizer.update(&actor, along: actorGradient)
    return Lesson(
      metrics: ["critic/loss": criticLoss, "critic/v": critic(o).mean().item, "actor/loss": actorLoss],
      observationGradient: observationGradient)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("actor", &actor)
    visitor("critic", &critic)
    visitor("target_critic", &targetCritic)
  }
}
