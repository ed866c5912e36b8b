import Core
import Networks
import Replay
import Tensors

/// Twin delayed deep deterministic policy gradient (Fujimoto, van Hoof and Meger 2018, arXiv 1802.09477).
///
/// The notes' off-policy actor-critic with a deterministic policy: its reparametrised gradient (1.4.5) is then ∇Q at
/// the actor's action. Letters: o observation, a action, r reward, d discount of the environment, γ the agent's
/// discount, μ the actor, B batch, O observation size, A action size.
public struct TD3: Agent {
  public static let id = "td3"
  public static let note = "twin delayed deterministic policy gradient (Fujimoto 2018); continuous actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { actionSpace.isContinuous }

  public struct Settings: BatchSettings {
    public var hidden = 256
    public var criticLayerNorm = true
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 1e-3
    public var tau = 0.01
    public var actorPeriod = 2
    public var explorationNoise = 0.1
    public var targetNoise = 0.2
    public var targetNoiseLimit = 0.5

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of actor and critics"),
        Field("critic-layer-norm", \.criticLayerNorm, "LayerNorm in the critics' hidden layers"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for actor and critics"),
        Field(
          "tau", \.tau, 0...1,
          "fraction by which the target networks move toward the learned ones at each of their updates"),
        Field("actor-period", \.actorPeriod, 1...1000, "critic updates per update of the actor and of all targets"),
        Field("exploration-noise", \.explorationNoise, 0...2, "standard deviation of the exploration noise"),
        Field("target-noise", \.targetNoise, 0...2, "standard deviation of the noise on the target actor's action"),
        Field("target-noise-limit", \.targetNoiseLimit, 0...2, "largest noise on the target actor's action"),
      ]
    }
  }

  public let settings: Settings
  var actor: DeterministicPolicy
  var targetActor: DeterministicPolicy
  var critics: TwinCritics<ActionValue>
  var targetCritics: TwinCritics<ActionValue>
  var actorOptimizer: Adam
  var criticOptimizer: Adam
  var random: Random
  var updates = 0

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    precondition(actionSpace.isContinuous, "TD3 needs a continuous action space, not \(actionSpace)")
    var initial = seed.stream("initial weights")
    self.settings = settings
    actor = DeterministicPolicy(observationSize, actionSpace.networkSize, hidden: settings.hidden, using: &initial)
    targetActor = actor
    critics = TwinCritics {
      ActionValue(
        observationSize, actionSpace, hidden: [settings.hidden, settings.hidden], layerNorm: settings.criticLayerNorm,
        using: &initial)
    }
    targetCritics = critics
    actorOptimizer = Adam(of: actor, learningRate: settings.learningRate)
    criticOptimizer = Adam(of: critics, learningRate: settings.learningRate)
    random = seed.stream("actions")
  }

  // a = clip(μ(o) + ε, -1, 1),  ε ~ N(0, σ)
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    let a = actor(o)
    guard behavior != .exploit else { return a }
    return clamp(a + settings.explorationNoise * .normal(a.shape, using: &random), -1, 1)
  }

  // V(o) = min_i Q_i(o, μ(o))
  public func value(_ o: Tensor) -> Tensor { critics.least(o, actor(o)) }  // [B, 1]

  public mutating func update(_ batch: Batch) -> Lesson {
    let (o, a, r, oNext) = (batch.observation, batch.action, batch.reward, batch.nextObservationOfTarget)

    // y = r + γ d min_i Q'_i(o', clip(μ'(o') + ε, -1, 1)),  ε = clip(N(0, σ), -c, c)     algorithm 1
    let noise = targetNoise(
      a.shape, deviation: settings.targetNoise, limit: settings.targetNoiseLimit, using: &random)
    let aNext = clamp(targetActor(oNext) + noise, -1, 1)
    let y = r + settings.discount * batch.discount * targetCritics.least(oNext, aNext)

    // J_Q = Σ_i E[(Q_i(o, a) - y)²]
    var lesson = critics.learn(y, of: batch, by: &criticOptimizer)
    updates += 1
    guard updates % settings.actorPeriod == 0 else { return lesson }

    // J_μ = -E[Q_1(o, μ(o))]
    let (actorLoss, actorGradient) = valueWithGradient(at: actor) { actor in -critics.first(o, actor(o)).mean() }
    actorOptimizer.update(&actor, along: actorGradient)
    targetActor.blend(toward: actor, rate: settings.tau)
    targetCritics.blend(toward: critics, rate: settings.tau)
    lesson.metrics.merge(["actor/loss": actorLoss])
    return lesson
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("actor", &actor)
    visitor("target_actor", &targetActor)
    visitor("critics", &critics)
    visitor("target_critics", &targetCritics)
  }
}
