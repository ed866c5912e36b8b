import Core
import Networks
import Replay
import Tensors

/// Deep Q-learning whose target selects actions with the online network and evaluates them with the target network (van
/// Hasselt, Guez and Silver 2016, arXiv 1509.06461).
///
/// Letters: o observation, a action, r reward, d discount of the environment, γ the agent's discount, B batch, O
/// observation size, A number of actions.
public struct DoubleDQN: Agent {
  public static let id = "double-dqn"
  public static let note = "double deep Q-network, ε-greedy (van Hasselt 2016); discrete actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { !actionSpace.isContinuous }
  public static let changingState: Set = ["decisions"]

  public struct Settings: BatchSettings {
    public var hidden = 256
    public var layerNorm = true
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 5e-4
    public var tau = 0.01
    public var initialEpsilon = 1.0
    public var finalEpsilon = 0.02
    public var epsilonSteps = 2000

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers"),
        Field("layer-norm", \.layerNorm, "LayerNorm in the hidden layers"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size"),
        Field("tau", \.tau, 0...1, "fraction by which the target network moves toward the network at each update"),
        Field("initial-epsilon", \.initialEpsilon, 0...1, "initial probability of a random action"),
        Field("final-epsilon", \.finalEpsilon, 0...1, "final probability of a random action"),
        Field("epsilon-steps", \.epsilonSteps, 1...Int.max, "agent steps until the final probability"),
      ]
    }
  }

  public let settings: Settings
  let actionSpace: ActionSpace
  var network: MultilayerPerceptron
  var targetNetwork: MultilayerPerceptron
  var optimizer: Adam
  var random: Random
  var decisions = 0

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    precondition(!actionSpace.isContinuous, "double DQN needs a discrete action space, not \(actionSpace)")
    var initial = seed.stream("initial weights")
    self.settings = settings
    self.actionSpace = actionSpace
    network = MultilayerPerceptron(
      observationSize, hidden: [settings.hidden, settings.hidden], actionSpace.networkSize,
      layerNorm: settings.layerNorm, using: &initial)
    targetNetwork = network
    optimizer = Adam(of: network, learningRate: settings.learningRate)
    random = seed.stream("actions")
  }

  /// The probability ε of a random action, which decreases linearly.
  var epsilon: Double {
    let progress = min(1, Double(decisions) / Double(settings.epsilonSteps))
    return settings.initialEpsilon + progress * (settings.finalEpsilon - settings.initialEpsilon)
  }

  // a = argmax_a Q(o, a), or any action with probability ε
  public mutating func act(_ observation: Tensor, _ behavior: Behavior) -> Tensor {
    let values = network(observation)
    guard behavior != .exploit else { return values.indexOfLargest() }
    var choices = values.argmax()
    for row in choices.indices {
      let chance = behavior == .explore ? epsilon : settings.finalEpsilon
      if random.chance(chance) { choices[row] = random.integer(below: actionSpace.networkSize) }
      if behavior == .explore { decisions += 1 }
    }
    return Tensor(choices.map(Float.init), [choices.count, 1])
  }

  // V(o) = max_a Q(o, a)
  public func value(_ o: Tensor) -> Tensor { network(o).rowMaximum() }  // [B, 1]

  public mutating func update(_ batch: Batch) -> Lesson {
    let (o, r, oNext) = (batch.observation, batch.reward, batch.nextObservation)
    let a = batch.action.array.map { Int($0) }

    // y = r + γ d Q'(o', argmax_a Q(o', a))                                   eq. 4
    let qNext = targetNetwork(batch.nextObservationOfTarget).picking(network(oNext).argmax())
    let y = r + settings.discount * batch.discount * qNext

    // J = E[(Q(o, a) - y)²]
    var meanQ = 0.0
    let (loss, gradient, observationGradient) = valueWithGradient(
      at: network, and: o, isWanted: batch.needsObservationGradient
    ) { network, o in
      let q = network(o).picking(a)
      meanQ = q.mean().item
      return meanSquared(q - y)
    }
    optimizer.update(&network, along: gradient)
    targetNetwork.blend(toward: network, rate: settings.tau)
    return Lesson(
      metrics: ["critic/loss": loss, "critic/q": meanQ, "epsilon": epsilon], observationGradient: observationGradient)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("network", &network)
    visitor("target_network", &targetNetwork)
  }
}
