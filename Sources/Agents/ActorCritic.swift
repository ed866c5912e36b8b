import Core
import Networks
import Replay
import Tensors

/// Advantage actor-critic: batch (notes 1.4.2) or online (1.4.3), with one network or two (1.4.4), and with workers
/// that learn side by side (1.4.5; Mnih 2016, arXiv 1602.01783).
///
///     φ: regression of V̂_φ(o) on y                          y the sampled reward sums (1.86), or r + γ V̂(o′) online (1.91)
///     θ ← θ + α E[∇log π_θ(a|o) Â(o, a)]                     Â by n steps (1.109) or GAE (1.111); (1.101) at λ = 0
///
/// Parallel environments are the notes' synchronous workers. With `workers` W > 1 the workers are asynchronous:
/// environment i belongs to worker i mod W, which acts with the copy of the parameters that it made after its last
/// gradient. Its next gradient is computed at that copy from the copy's transitions, and is applied to the shared
/// parameters, which other workers have changed since. The lag, `workers/lag`, is the number of these updates. The
/// asynchrony is simulated without threads: the workers run in a new random order each time, so that the lag is from 0
/// to 2 (W − 1), W − 1 on average, and runs are reproducible from the seed.
///
/// Letters: o observation, a action, r reward, γ discount, β entropy bonus, M transitions, O observation size.
public struct ActorCritic: Agent {
  public static let id = "actor-critic"
  public static let note = "advantage actor-critic, batch, online or asynchronous (Mnih 2016); on-policy"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }
  public static let changingState: Set = ["copiedAt"]

  public enum Mode: String, ChoiceSetting {
    case batch, online
  }

  public struct Settings: RolloutSettings {
    public var hidden = 64
    public var mode = Mode.batch
    public var batchHorizon = 32
    public var discount = 0.99
    public var advantageSteps = 0
    public var gaeLambda = 0.95
    public var learningRate = 1e-3
    public var criticLearningRate = 3e-3
    public var criticPasses = 20
    public var entropyBonus = 0.01
    public var sharedNetwork = false
    public var workers = 1

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers"),
        Field(
          "mode", \.mode,
          "batch: fits the critic, then takes one gradient step of the policy; online: both at every agent step"),
        Field("horizon", \.batchHorizon, 1...1_048_576, "agent steps per environment between updates; online: 1"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("advantage-steps", \.advantageSteps, 0...1_048_576, "number of rewards n in an advantage; 0: GAE"),
        Field(
          "gae-lambda", \.gaeLambda, 0...1,
          "λ of generalised advantage estimation: 0 relies on the critic, 1 on the rewards"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for the policy"),
        Field("critic-learning-rate", \.criticLearningRate, 0...1, "Adam's step size for the critic"),
        Field(
          "critic-passes", \.criticPasses, 1...1000,
          "gradient steps of the critic per update; 1 if online or with workers"),
        Field("entropy-bonus", \.entropyBonus, 0...100, "weight β of the entropy bonus"),
        Field("shared-network", \.sharedNetwork, "share all layers of policy and critic but the last"),
        Field(
          "workers", \.workers, 1...4096,
          "asynchronous workers, each with its own environments, at most --environments; simulated and reproducible"
        ),
      ]
    }

    public var horizon: Int { mode == .online ? 1 : batchHorizon }
    public var demand: Rollout.Demand { Rollout.Demand(horizon: horizon, workers: workers) }
    /// One gradient step with a stale copy, or online.
    fileprivate var passes: Int { mode == .online || workers > 1 ? 1 : criticPasses }
  }

  /// A worker's copy of the parameters, with which it acts.
  struct Worker: Sendable, Codable {
    var model: Model
    /// The number of updates before the parameters were copied.
    var copiedAt = 0
  }

  public let settings: Settings
  var model: Model
  /// Empty if the agent is not asynchronous.
  var workers: [Worker]
  var actorOptimizer: Adam
  var criticOptimizer: Adam
  var random: Random
  var updates = 0

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    self.settings = settings
    model = Model(observationSize, actionSpace, settings, using: &initial)
    workers = settings.workers > 1 ? Array(repeating: Worker(model: model), count: settings.workers) : []
    actorOptimizer = Adam(of: model, learningRate: settings.learningRate)
    criticOptimizer = Adam(of: model, learningRate: settings.criticLearningRate)
    random = seed.stream("actions")
  }

  // a ~ π(·|o), for environment i with its worker's copy
  public mutating func act(_ observation: Tensor, _ behavior: Behavior) -> Tensor {
    guard behavior == .explore, !workers.isEmpty else {
      return model.policy(observation).action(for: behavior, using: &random)
    }
    let actions = (0..<observation.shape[0]).map { i in
      workers[i % workers.count].model.policy(observation.rows(i..<i + 1)).sample(using: &random)
    }
    return Tensor(actions.flatMap(\.array), [actions.count, actions[0].shape[1]])
  }

  public func value(_ o: Tensor) -> Tensor { model.value(o) }  // [B, 1]

  public mutating func update(_ rollout: Rollout) -> Lesson {
    guard !workers.isEmpty else { return Lesson(metrics: learn(from: rollout, at: nil)) }
    var order = Array(workers.indices)
    random.shuffle(&order)
    var mean = MetricsMean()
    for worker in order {
      let own = rollout.rows { $0 % workers.count == worker }
      guard own.count > 0 else { continue }
      var metrics = learn(from: own, at: workers[worker].model)
      metrics["workers/lag"] = Double(updates - 1 - workers[worker].copiedAt)
      mean.add(metrics)
      workers[worker] = Worker(model: model, copiedAt: updates)
    }
    return Lesson(metrics: mean.take())
  }

  /// Performs one update.
  ///
  /// - Parameter copy: the parameters at which the gradients are computed; nil: the newest.
  private mutating func learn(from rollout: Rollout, at copy: Model?) -> Metrics {
    let (o, a, oNext) = (rollout.observation, rollout.action, rollout.nextObservation)

    // φ ← φ − α_φ ∇ E[(V̂_φ(o) − y)²]                                             (1.90)
    let vNext = (copy ?? model).value(oNext)
    let y =
      settings.mode == .online
      ? rollout.advantages(ofSteps: 1, value: .zeros(vNext.shape), nextValue: vNext, discount: settings.discount)
      : rollout.rewardsToGo(discount: settings.discount, bootstrapping: vNext)
    model.adapt(to: y)
    var criticLoss = 0.0
    for _ in 0..<settings.passes {
      let critic = copy ?? model
      let (loss, gradient) = valueWithGradient(at: critic) { model in
        meanSquared(model.normalizedValue(o) - critic.scale.normalized(y))
      }
      criticOptimizer.update(&model, along: gradient.clipped(toNorm: 1))
      criticLoss = loss
    }

    // Â(o, a)                                                                     (1.109) or (1.111)
    let actor = copy ?? model
    let (v, vNew) = (actor.value(o), actor.value(oNext))
    let advantages =
      settings.advantageSteps > 0
      ? rollout.advantages(
        ofSteps: settings.advantageSteps, value: v, nextValue: vNew, discount: settings.discount)
      : rollout.generalizedAdvantages(
        value: v, nextValue: vNew, discount: settings.discount, lambda: settings.gaeLambda)

    // θ ← θ + α_θ ∇ (E[log π_θ(a|o) Â / s] + β E[H]),  s the deviation of returns   (1.76)
    let weights = advantages / actor.scale.deviation
    var entropy = 0.0
    let (_, gradient) = valueWithGradient(at: actor) { model in
      let pi = model.policy(o)
      let bonus = pi.entropy.mean()
      entropy = bonus.item
      return -(pi.logProbability(of: a) * weights).mean() - settings.entropyBonus * bonus
    }
    actorOptimizer.update(&model, along: gradient.clipped(toNorm: 1))
    updates += 1
    return ["critic/loss": criticLoss, "actor/entropy": entropy]
  }

  // The workers' copies begin with them too.
  public mutating func begin(with parameters: [(name: String, value: Tensor)]) throws {
    try load(parameters)
    workers = workers.map { _ in Worker(model: model) }
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("model", &model) }

  /// π_θ(a|o) and V̂_φ(o), with separate or shared hidden layers.
  struct Model: Module {
    var actor: StochasticPolicy
    var critic: MultilayerPerceptron
    /// The shared hidden layers; empty if policy and critic have two separate hidden layers each.
    var body: [MultilayerPerceptron]
    var scale = TargetScale()

    init(_ observations: Int, _ actionSpace: ActionSpace, _ settings: Settings, using random: inout Random) {
      let (hidden, isShared) = (settings.hidden, settings.sharedNetwork)
      body = isShared ? [MultilayerPerceptron(observations, hidden: [hidden], hidden, using: &random)] : []
      let (inputs, own) = isShared ? (hidden, []) : (observations, [hidden, hidden])
      actor = StochasticPolicy(inputs, actionSpace, hidden: own, using: &random)
      critic = MultilayerPerceptron(inputs, hidden: own, 1, using: &random)
    }

    private func features(_ o: Tensor) -> Tensor { body.first.map { relu($0(o)) } ?? o }
    func policy(_ o: Tensor) -> ActionDistribution { actor(features(o)) }  // [B, O]
    /// Returns the normalised V̂, `[B, 1]`.
    func normalizedValue(_ o: Tensor) -> Tensor { critic(features(o)) }
    func value(_ o: Tensor) -> Tensor { scale.denormalized(normalizedValue(o)) }

    /// Updates the mean and deviation of the targets.
    mutating func adapt(to y: Tensor) { scale.adapt(to: y, keeping: &critic.layers[critic.layers.count - 1]) }

    mutating func visit(_ visitor: inout some ParameterVisitor) {
      visitor("body", &body)
      visitor("actor", &actor)
      visitor("critic", &critic)
      visitor("scale", &scale)
    }
  }
}
