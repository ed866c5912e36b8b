import Agents
import Core
import Networks
import Replay
import Tensors

/// The deep Q-network, with the maximum of the target network as target (Mnih et al. 2015, Algorithm 1).
///
/// Letters: o observation, a action, r reward, d discount of the environment, γ the agent's discount, B batch.
struct DQN: Agent {
  static let id = "dqn"
  static let note = "deep Q-network, ε-greedy (Mnih 2015); discrete actions"
  static func accepts(_ actionSpace: ActionSpace) -> Bool { !actionSpace.isContinuous }
  static let changingState: Set = ["decisions"]

  struct Settings: BatchSettings {
    var hidden = 32
    var batch = 64
    var discount = 0.9
    var learningRate = 3e-3
    var tau = 0.05
    var epsilonSteps = 1000

    static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units of the hidden layer"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size"),
        Field("tau", \.tau, 0...1, "fraction by which the target network moves toward the network at each update"),
        Field("epsilon-steps", \.epsilonSteps, 1...Int.max, "agent steps until a random action is as rare as 1 in 20"),
      ]
    }
  }

  let settings: Settings
  private let actions: Int
  private var network: MultilayerPerceptron
  private var targetNetwork: MultilayerPerceptron
  private var optimizer: Adam
  private var random: Random
  private var decisions = 0

  init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    self.settings = settings
    actions = actionSpace.networkSize
    network = MultilayerPerceptron(observationSize, hidden: [settings.hidden], actions, using: &initial)
    targetNetwork = network
    optimizer = Adam(of: network, learningRate: settings.learningRate)
    random = seed.stream("actions")
  }

  // a = argmax_a Q(o, a), or any action with probability ε, which decreases linearly from 1 to 0.05
  mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    guard behavior != .exploit else { return network(o).indexOfLargest() }
    var choices = network(o).argmax()
    for row in choices.indices {
      let progress = behavior == .sample ? 1 : min(1, Double(decisions) / Double(settings.epsilonSteps))
      if random.chance(1 - 0.95 * progress) { choices[row] = random.integer(below: actions) }
      if behavior == .explore { decisions += 1 }
    }
    return Tensor(choices.map(Float.init), [choices.count, 1])
  }

  // V(o) = max_a Q(o, a)
  func value(_ o: Tensor) -> Tensor { network(o).rowMaximum() }  // [B, 1]

  mutating func update(_ batch: Batch) -> Lesson {
    let a = batch.action.array.map { Int($0) }
    // y = r + γ d max_a Q'(o', a)
    let y =
      batch.reward + settings.discount * batch.discount * targetNetwork(batch.nextObservationOfTarget).rowMaximum()
    // J = E[(Q(o, a) - y)²]
    let (loss, gradient, observationGradient) = valueWithGradient(
      at: network, and: batch.observation, isWanted: batch.needsObservationGradient
    ) { network, o in meanSquared(network(o).picking(a) - y) }
    optimizer.update(&network, along: gradient)
    targetNetwork.blend(toward: network, rate: settings.tau)
    return Lesson(metrics: [Lesson.criticLoss: loss], observationGradient: observationGradient)
  }

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("network", &network)
    visitor("target_network", &targetNetwork)
  }
}
