import Core
import Networks
import Replay
import Tensors

/// Soft actor-critic with two critics and a tuned temperature (Haarnoja et al. 2018, arXiv 1812.05905).
///
/// The actor maximises return and entropy: the notes' off-policy actor-critic (1.96 to 1.100) with reparametrised
/// actions.
///
/// Returns of n steps (`--return-steps`) sum the rewards of replayed actions, without an off-policy correction. A soft
/// return includes the entropies of the n - 1 moments between, like that of the last one. Each is the entropy of the
/// current policy, estimated with a newly drawn action, because the log-probability of the replayed action is
/// unbounded. Without them (`entropy-between` false) the critics' entropy shrinks: with reward 0, constant entropy h
/// and γ = 0.99, the critics' value is 99 αh at any n with them, and without them 99 αh at n = 1 but 32.7 αh at n = 3,
/// γⁿ / (1 - γⁿ). That has the effect of a smaller α.
///
/// Q(o, a) is the least of the two critics, min_i Q_i, or their mean minus a part of their distance (`pessimism`).
/// Letters: o observation, a action, r reward, d discount of the environment, γ the agent's discount, α temperature,
/// B batch, O observation size, A action size.
public struct SAC: Agent {
  public static let id = "sac"
  public static let note = "soft actor-critic, two critics, tuned temperature (Haarnoja 2018); continuous actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { actionSpace.isContinuous }

  public struct Settings: BatchSettings {
    public var hidden = 256
    public var criticLayerNorm = true
    public var criticBlocks = 0
    public var pessimism = 1.0
    public var normalizeObservations = false
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 1e-3
    public var tau = 0.01
    public var actorPeriod = 2
    public var initialTemperature = 0.1
    public var temperatureLearningRate = 3e-4
    public var targetEntropyScale = 1.0
    public var averaging = 0.005
    public var entropyBetween = true

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of actor and critics"),
        Field("critic-layer-norm", \.criticLayerNorm, "LayerNorm in the critics' hidden layers"),
        Field(
          "critic-blocks", \.criticBlocks, 0...64,
          "residual blocks of each critic, always with LayerNorm (Nauman 2024); 0: two hidden layers instead"),
        Field(
          "pessimism", \.pessimism, 0...10,
          "β: the critics' value is their mean minus β/2 times their distance; 1: the minimum, 0: the mean"),
        Field(
          "normalize-observations", \.normalizeObservations,
          "scale each number of an observation to mean 0 and deviation 1, by those of the last 1000 batches"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for actor and critics"),
        Field("tau", \.tau, 0...1, "fraction by which the target critics move toward the critics at each update"),
        Field("actor-period", \.actorPeriod, 1...1000, "critic updates per update of actor and temperature"),
        Field("initial-temperature", \.initialTemperature, 1e-8...1000, "initial temperature α"),
        Field("temperature-learning-rate", \.temperatureLearningRate, 0...1, "Adam's step size for log α"),
        Field(
          "averaging", \.averaging, 0...1,
          "fraction by which the averaged actor for evaluation moves toward the actor at each update of the actor; 1: no "
            + "averaging"
        ),
        Field("target-entropy-scale", \.targetEntropyScale, 0...10, "target entropy, in units of -A"),
        Field(
          "entropy-between", \.entropyBetween,
          "add the entropy of each step to returns of several steps; without it only the last, like a smaller α"
        ),
      ]
    }

    public var demand: Batch.Demand {
      Batch.Demand(count: batch, discount: discount, includesIntermediate: entropyBetween)
    }
  }

  public let settings: Settings
  let targetEntropy: Double
  /// Nil: the networks see observations as they are.
  var norm: RunningNorm?
  var actor: Actor
  /// The running average of the actor's weights (Polyak and Juditsky 1992). It is used for evaluation, because it is
  /// less noisy.
  var averageActor: Actor
  var critics: TwinCritics<CriticNetwork>
  var targetCritics: TwinCritics<CriticNetwork>
  var temperature: Temperature
  var actorOptimizer: Adam
  var criticOptimizer: Adam
  var temperatureOptimizer: Adam
  var random: Random
  var updates = 0

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    precondition(actionSpace.isContinuous, "SAC needs a continuous action space, not \(actionSpace)")
    var initial = seed.stream("initial weights")
    let actions = actionSpace.networkSize
    self.settings = settings
    targetEntropy = -settings.targetEntropyScale * Double(actions)
    norm = settings.normalizeObservations ? RunningNorm(observationSize) : nil
    actor = Actor(observationSize, actions, hidden: settings.hidden, using: &initial)
    averageActor = actor
    critics = TwinCritics {
      CriticNetwork(
        observationSize, actions, hidden: settings.hidden, layerNorm: settings.criticLayerNorm,
        blocks: settings.criticBlocks, using: &initial)
    }
    targetCritics = critics
    temperature = Temperature(logAlpha: log(Tensor(scalar: settings.initialTemperature)))
    actorOptimizer = Adam(of: actor, learningRate: settings.learningRate)
    criticOptimizer = Adam(of: critics, learningRate: settings.learningRate)
    temperatureOptimizer = Adam(of: temperature, learningRate: settings.temperatureLearningRate, beta1: 0.5)
    random = seed.stream("actions")
  }

  // The other agent's mean and deviation of the observations are kept, because its networks were trained with them.
  public mutating func begin(with parameters: [(name: String, value: Tensor)]) throws {
    try load(parameters)
    norm?.keep()
  }

  public mutating func act(_ observation: Tensor, _ behavior: Behavior) -> Tensor {
    let o = normalized(observation)
    return behavior == .exploit ? averageActor(o).mode : actor(o).sample(using: &random).action
  }

  // V(o) = Q(o, μ(o)),  μ the averaged actor's mode; includes later entropies, but not that of this action
  public func value(_ observation: Tensor) -> Tensor {  // [B, 1]
    let o = normalized(observation)
    return critics.cautious(o, averageActor(o).mode, pessimism: settings.pessimism)
  }

  public mutating func update(_ batch: Batch) -> Lesson {
    norm?.adapt(to: batch.observation)
    let (o, r) = (normalized(batch.observation), batch.reward)
    let oNext = normalized(batch.nextObservation)
    let alpha = exp(temperature.logAlpha).item

    // y = r + γ d (Q'(o', a') - α log π(a'|o')),  a' ~ π(·|o')              eq. 3, with (1.98) of the notes
    let (aNext, logPiNext) = actor(oNext).sample(using: &random)
    let soft = r + alpha * entropies(between: batch)
    let qNext = targetCritics.cautious(normalized(batch.nextObservationOfTarget), aNext, pessimism: settings.pessimism)
    let y = soft + settings.discount * batch.discount * (qNext - alpha * logPiNext)

    // J_Q = Σ_i E[(Q_i(o, a) - y)²]                                          eq. 5
    var lesson = critics.learn(y, of: batch, by: &criticOptimizer) { [norm] in norm?($0) ?? $0 }
    targetCritics.blend(toward: critics, rate: settings.tau)
    updates += 1
    guard updates % settings.actorPeriod == 0 else { return lesson }

    // J_π = E[α log π(a|o) - Q(o, a)],  a = tanh(μ(o) + σ(o) ε)             eq. 7
    var entropy = 0.0
    let (actorLoss, actorGradient) = valueWithGradient(at: actor) { actor in
      let (a, logPi) = actor(o).sample(using: &random)
      entropy = -logPi.mean().item
      return (alpha * logPi - critics.cautious(o, a, pessimism: settings.pessimism)).mean()
    }
    actorOptimizer.update(&actor, along: actorGradient)
    averageActor.blend(toward: actor, rate: settings.averaging)

    // J_α = E[-α (log π(a|o) + H)]                                           eq. 18
    let (_, temperatureGradient) = valueWithGradient(at: temperature) { temperature in
      exp(temperature.logAlpha) * (entropy - targetEntropy)
    }
    temperatureOptimizer.update(&temperature, along: temperatureGradient)
    lesson.metrics.merge(["actor/loss": actorLoss, "actor/entropy": entropy, "temperature": alpha])
    return lesson
  }

  /// Σ_k γ^k d_t ⋯ d_{t+k-1} (-log π(a|o_{t+k})),  a ~ π(·|o_{t+k}),  over the moments inside a transition: `[B, 1]`
  private mutating func entropies(between batch: Batch) -> Tensor {
    guard let between = batch.between else { return Tensor(scalar: 0) }
    let logPi = actor(normalized(between.observation)).sample(using: &random).logProbability  // [(n - 1) B, 1]
    let terms = (between.weight * -logPi).reshaped(-1, batch.reward.shape[0])
    return terms.sum(axis: 0).reshaped(-1, 1)
  }

  private func normalized(_ observation: Tensor) -> Tensor { norm?(observation) ?? observation }

  // α H(π(·|o)), estimated with one action
  public func entropyBonus(_ o: Tensor) -> Tensor? {  // [B, 1]
    var random = random
    return -exp(temperature.logAlpha) * actor(normalized(o)).sample(using: &random).logProbability
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("observation_norm", &norm)
    visitor("actor", &actor)
    visitor("average_actor", &averageActor)
    visitor("critics", &critics)
    visitor("target_critics", &targetCritics)
    visitor("temperature", &temperature)
  }

  /// π(a|o): a network that outputs mean and log σ of a tanh-Gaussian.
  struct Actor: Module {
    var trunk: MultilayerPerceptron

    init(_ observations: Int, _ actions: Int, hidden: Int, using random: inout Random) {
      trunk = MultilayerPerceptron(observations, hidden: [hidden, hidden], 2 * actions, using: &random)
    }

    func callAsFunction(_ o: Tensor) -> TanhGaussian {  // [B, O]
      TanhGaussian(trunk(o), logSigma: -5...2)
    }

    mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("trunk", &trunk) }
  }

  struct Temperature: Module {
    var logAlpha: Tensor
    mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("log_alpha", &logAlpha) }
  }
}
