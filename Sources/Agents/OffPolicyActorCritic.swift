import Core
import Networks
import Replay
import Tensors

/// The off-policy actor-critic of the notes, 1.4.5: the six steps with Q instead of V and newly drawn actions.
///
///     1. a ~ π(·|o), store (o, a, r, o')          4. ∇J ≈ 1/N Σ ∇log π(aᵢ|oᵢ) Q(oᵢ, aᵢ),  aᵢ ~ π(·|oᵢ)
///     2. draw a batch                             5. θ ← θ + α ∇J
///     3. Q toward r + γ Q(o', a'),  a' ~ π(·|o')
///
/// Three common additions can each be turned off by a setting: a slow target network (`tau` 1: none), several actions
/// per state with the mean of the others as a baseline (`baseline` false: none), and an entropy bonus (`entropy-bonus`
/// 0: none). Letters: o observation, a action, r reward, d discount of the environment, γ the agent's discount, B
/// batch, K actions per state.
public struct OffPolicyActorCritic: Agent {
  public static let id = "off-policy-actor-critic"
  public static let note = "actor-critic from replay, with Q and newly drawn actions (notes 1.96 to 1.100); any actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public struct Settings: BatchSettings {
    public var hidden = 256
    public var criticLayerNorm = true
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 3e-4
    public var criticLearningRate = 1e-3
    public var tau = 0.01
    public var actionSamples = 4
    public var baseline = true
    public var entropyBonus = 0.1

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
        Field("action-samples", \.actionSamples, 2...1000, "number of actions K that are drawn per state of a batch"),
        Field(
          "baseline", \.baseline, "subtract the mean of the other actions' Q; without it, use Q itself"),
        Field("entropy-bonus", \.entropyBonus, 0...1000, "weight of the entropy bonus; 0: none"),
      ]
    }
  }

  public let settings: Settings
  var actor: Actor
  var critic: ActionValue
  var targetCritic: ActionValue
  var actorOptimizer: Adam
  var criticOptimizer: Adam
  var random: Random

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    self.settings = settings
    actor = Actor(observationSize, actionSpace, hidden: settings.hidden, using: &initial)
    critic = ActionValue(
      observationSize, actionSpace, hidden: [settings.hidden, settings.hidden], layerNorm: settings.criticLayerNorm,
      using: &initial)
    targetCritic = critic
    actorOptimizer = Adam(of: actor, learningRate: settings.learningRate)
    criticOptimizer = Adam(of: critic, learningRate: settings.criticLearningRate)
    random = seed.stream("actions")
  }

  // a ~ π(·|o)                                                               step 1
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    actor(o).action(for: behavior, using: &random)
  }

  // V(o) = Q(o, a),  a the most probable action
  public func value(_ o: Tensor) -> Tensor { critic(o, actor(o).mode) }  // [B, 1]

  public mutating func update(_ batch: Batch) -> Lesson {
    let (o, a, r, oNext) = (batch.observation, batch.action, batch.reward, batch.nextObservation)

    // y = r + γ d Q'(o', a'),  a' ~ π(·|o')                                  step 3, notes (1.98)
    let aNext = actor(oNext).sample(using: &random)
    let y = r + settings.discount * batch.discount * targetCritic(batch.nextObservationOfTarget, aNext)

    // L = E[(Q(o, a) - y)²]
    var meanQ = 0.0
    let (criticLoss, criticGradient, observationGradient) = valueWithGradient(
      at: critic, and: o, isWanted: batch.needsObservationGradient
    ) { critic, o in
      let q = critic(o, a)
      meanQ = q.mean().item
      return meanSquared(q - y)
    }
    criticOptimizer.update(&critic, along: criticGradient)
    targetCritic.blend(toward: critic, rate: settings.tau)

    // aₖ ~ π(·|o), not from replay, and Â = Q(o, aₖ) - V(o), where the other actions give V = E_π[Q]      (1.96), (1.99)
    let policy = actor(o)
    let drawn = (0..<settings.actionSamples).map { _ in policy.draw(using: &random) }
    let logPi = drawn.map { policy.logProbability(of: $0) }  // [B, 1] each
    let q = zip(drawn, logPi).map { critic(o, $0.action) - settings.entropyBonus * $1 }
    let sum = q.dropFirst().reduce(q[0], +)
    let others = Double(settings.actionSamples - 1)
    let advantage = q.map { settings.baseline ? $0 - (sum - $0) / others : $0 }

    // J = E[1/K Σ log π(aₖ|o) Â]                                             step 4, (1.99), (1.100)
    let (actorLoss, actorGradient) = valueWithGradient(at: actor) { actor in
      let policy = actor(o)
      let terms = zip(drawn, advantage).map { policy.logProbability(of: $0) * $1 }
      return -terms.dropFirst().reduce(terms[0], +).mean() / Double(settings.actionSamples)
    }
    actorOptimizer.update(&actor, along: actorGradient)
    let entropy = -logPi.map { $0.mean().item }.reduce(0, +) / Double(settings.actionSamples)
    return Lesson(
      metrics: ["critic/loss": criticLoss, "critic/q": meanQ, "actor/loss": actorLoss, "actor/entropy": entropy],
      observationGradient: observationGradient)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("actor", &actor)
    visitor("critic", &critic)
    visitor("target_critic", &targetCritic)
  }

  /// π(·|o)
  struct Actor: Module {
    let space: ActionSpace
    var trunk: MultilayerPerceptron

    init(_ observations: Int, _ space: ActionSpace, hidden: Int, using random: inout Random) {
      self.space = space
      trunk = MultilayerPerceptron(
        observations, hidden: [hidden, hidden], ActionDistribution.outputSize(for: space), outputGain: 0.1,
        using: &random)
    }

    func callAsFunction(_ o: Tensor) -> ActionDistribution { ActionDistribution(trunk(o), over: space) }  // [B, O]

    mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("trunk", &trunk) }
  }
}
