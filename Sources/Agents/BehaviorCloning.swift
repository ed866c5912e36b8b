import Core
import Networks
import Replay
import Tensors

/// Behaviour cloning: the policy by maximum likelihood from the actions of the data (Pomerleau 1991). The yardstick of
/// offline reinforcement learning, because it ignores rewards.
///
/// V estimates the return of the policy that made the data, β, by TD(0). The policy does not depend on it: it is there to
/// be looked at, and for encoders that learn from a critic. Letters: o observation, a action, r reward, d discount of
/// the environment, γ the agent's discount, B batch, O observation size, A action size.
public struct BehaviorCloning: Agent {
  public static let id = "bc"
  public static let note = "behaviour cloning, for --dataset (Pomerleau 1991); any actions"
  public static let onlyImitates = true
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public struct Settings: BatchSettings {
    public var hidden = 256
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 1e-3
    public var tau = 0.01

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of actor and critic"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for actor and critic"),
        Field("tau", \.tau, 0...1, "fraction by which the target critic moves toward the critic at each update"),
      ]
    }
  }

  public let settings: Settings
  var actor: ClonedPolicy
  var critic: MultilayerPerceptron
  var targetCritic: MultilayerPerceptron
  var actorOptimizer: Adam
  var criticOptimizer: Adam
  var random: Random

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    self.settings = settings
    actor = ClonedPolicy(observationSize, actionSpace, hidden: settings.hidden, using: &initial)
    critic = MultilayerPerceptron(
      observationSize, hidden: [settings.hidden, settings.hidden], 1, layerNorm: true, using: &initial)
    targetCritic = critic
    actorOptimizer = Adam(of: actor, learningRate: settings.learningRate)
    criticOptimizer = Adam(of: critic, learningRate: settings.learningRate)
    random = seed.stream("actions")
  }

  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    behavior == .exploit ? actor.mode(o) : actor.sample(o, using: &random)
  }

  // V(o), of the policy that made the data
  public func value(_ o: Tensor) -> Tensor { critic(o) }  // [B, 1]

  public mutating func update(_ batch: Batch) -> Lesson {
    let (o, a, r) = (batch.observation, batch.action, batch.reward)

    // J_π = -E[log π(a|o)]
    let (actorLoss, actorGradient) = valueWithGradient(at: actor) { actor in -actor.logProbability(o, of: a).mean() }
    actorOptimizer.update(&actor, along: actorGradient)

    // J_V = E[(V(o) - y)²],  y = r + γ d V'(o')                              TD(0), Sutton and Barto 2018, eq. 6.2
    let y = r + settings.discount * batch.discount * targetCritic(batch.nextObservationOfTarget)
    var meanV = 0.0
    let (criticLoss, criticGradient, observationGradient) = valueWithGradient(
      at: critic, and: o, isWanted: batch.needsObservationGradient
    ) { critic, o in
      let v = critic(o)
      meanV = v.mean().item
      return meanSquared(v - y)
    }
    criticOptimizer.update(&critic, along: criticGradient)
    targetCritic.blend(toward: critic, rate: settings.tau)
    return Lesson(
      metrics: ["critic/loss": criticLoss, "critic/v": meanV, "actor/loss": actorLoss],
      observationGradient: observationGradient)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("actor", &actor)
    visitor("critic", &critic)
    visitor("target_critic", &targetCritic)
  }
}
