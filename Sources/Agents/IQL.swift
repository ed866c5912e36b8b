import Core
import Networks
import Replay
import Tensors

/// Implicit Q-learning (Kostrikov, Nair and Levine 2021, arXiv 2110.06169).
///
/// It never asks the critics about an action that the data do not have. V is an upper expectile of Q over the data's
/// actions, so with τ near 1 it approaches the maximum, and the policy clones the actions whose Q is above V. V takes the
/// place of target networks in the target of Q. Letters: o observation, a action, r reward, d discount of the
/// environment, γ the agent's discount, τ expectile, β inverse temperature, B batch, O observation size, A action size.
public struct IQL: Agent {
  public static let id = "iql"
  public static let note = "implicit Q-learning, for --dataset (Kostrikov 2021); any actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public struct Settings: BatchSettings {
    public var hidden = 256
    public var criticLayerNorm = true
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 1e-3
    public var tau = 0.01
    public var expectile = 0.7
    public var inverseTemperature = 3.0
    public var weightLimit = 100.0

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of actor and critics"),
        Field("critic-layer-norm", \.criticLayerNorm, "LayerNorm in the hidden layers of Q and V"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for actor and critics"),
        Field("tau", \.tau, 0...1, "fraction by which the target critics move toward the critics at each update"),
        Field(
          "expectile", \.expectile, 0.01...0.99,
          "τ: the expectile of Q that V is; 0.5: the mean over the data's actions, toward 1: their maximum"),
        Field(
          "inverse-temperature", \.inverseTemperature, 0...1_000_000,
          "β: actions are cloned with the weight exp(β (Q - V)), which depends on the size of rewards; 0: all alike"),
        Field("weight-limit", \.weightLimit, 1...1_000_000, "largest weight of a cloned action"),
      ]
    }
  }

  public let settings: Settings
  var actor: ClonedPolicy
  var critics: TwinCritics<ActionValue>
  var targetCritics: TwinCritics<ActionValue>
  var stateValue: MultilayerPerceptron
  var actorOptimizer: Adam
  var criticOptimizer: Adam
  var valueOptimizer: Adam
  var random: Random

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    let hidden = [settings.hidden, settings.hidden]
    self.settings = settings
    actor = ClonedPolicy(observationSize, actionSpace, hidden: settings.hidden, using: &initial)
    critics = TwinCritics {
      ActionValue(
        observationSize, actionSpace, hidden: hidden, layerNorm: settings.criticLayerNorm, using: &initial)
    }
    targetCritics = critics
    stateValue = MultilayerPerceptron(
      observationSize, hidden: hidden, 1, layerNorm: settings.criticLayerNorm, using: &initial)
    actorOptimizer = Adam(of: actor, learningRate: settings.learningRate)
    criticOptimizer = Adam(of: critics, learningRate: settings.learningRate)
    valueOptimizer = Adam(of: stateValue, learningRate: settings.learningRate)
    random = seed.stream("actions")
  }

  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    behavior == .exploit ? actor.mode(o) : actor.sample(o, using: &random)
  }

  // V(o)
  public func value(_ o: Tensor) -> Tensor { stateValue(o) }  // [B, 1]

  public mutating func update(_ batch: Batch) -> Lesson {
    let (o, a, r) = (batch.observation, batch.action, batch.reward)

    // J_Q = Σ_i E[(Q_i(o, a) - y)²],  y = r + γ d V(o')                      eq. 6
    let y = r + settings.discount * batch.discount * stateValue(batch.nextObservationOfTarget)
    var lesson = critics.learn(y, of: batch, by: &criticOptimizer)

    // J_V = E[L_τ(u)],  u = min_i Q'_i(o, a) - V(o),  L_τ(u) = |τ - 1(u < 0)| u²        eq. 5
    let q = targetCritics.least(o, a)
    let (valueLoss, valueGradient) = valueWithGradient(at: stateValue) { stateValue in
      let u = q - stateValue(o)
      return (settings.expectile * square(relu(u)) + (1 - settings.expectile) * square(relu(-u))).mean()
    }
    valueOptimizer.update(&stateValue, along: valueGradient)

    // J_π = -E[w log π(a|o)],  w = min(exp(β (min_i Q'_i(o, a) - V(o))), 100)            eq. 7
    let w = minimum(exp(settings.inverseTemperature * (q - stateValue(o))), Tensor(scalar: settings.weightLimit))
    let (actorLoss, actorGradient) = valueWithGradient(at: actor) { actor in
      -(w * actor.logProbability(o, of: a)).mean()
    }
    actorOptimizer.update(&actor, along: actorGradient)
    targetCritics.blend(toward: critics, rate: settings.tau)
    lesson.metrics.merge(["value/loss": valueLoss, "actor/loss": actorLoss, "actor/weight": w.mean().item])
    return lesson
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("actor", &actor)
    visitor("critics", &critics)
    visitor("target_critics", &targetCritics)
    visitor("state_value", &stateValue)
  }
}
