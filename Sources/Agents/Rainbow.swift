import Core
import Networks
import Replay
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Rainbow: six improvements of deep Q-learning combined, each of which can be turned off (Hessel et al. 2018, arXiv
/// 1710.02298).
///
/// Double (van Hasselt 2016), prioritised replay (Schaul 2016), duelling networks (Wang 2016), returns of n steps
/// (`--return-steps`), a distribution of returns (Bellemare 2017), noisy layers (Fortunato 2018). With all turned off
/// it is the deep Q-network.
///
/// With other settings it plays as BBF (Schwarzer et al. 2023, arXiv 2305.19452): AdamW, acting by the target network,
/// resets of the heads and, in part, of the trunk, after each of which n falls and γ rises again. Of BBF it leaves out
/// self-prediction; the random actions in evaluations (ε = 0.001), because evaluations are deterministic; and the
/// entropy of the target in the priorities, which here are D alone. An encoder that learns with the agent is not reset.
///
/// Letters: o observation, a action, r reward, d discount of the environment, γ the agent's discount, z the N atoms of
/// a return, B batch, O observation size, A number of actions.
public struct Rainbow: Agent {
  public static let id = "rainbow"
  public static let note =
    "double, prioritised, duelling, n-step, distributional, noisy deep Q-network (Hessel 2018); discrete actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { !actionSpace.isContinuous }
  public static let changingState: Set = ["decisions"]

  public let settings: Settings
  let actionSpace: ActionSpace
  var network: Network
  var targetNetwork: Network
  var optimizer: Adam
  var random: Random
  var decisions = 0
  var updates = 0

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    precondition(!actionSpace.isContinuous, "Rainbow needs a discrete action space, not \(actionSpace)")
    var initial = seed.stream("initial weights")
    self.settings = settings
    self.actionSpace = actionSpace
    network = Network(observationSize, actionSpace.networkSize, settings, using: &initial)
    targetNetwork = network
    optimizer = Self.optimizer(of: network, settings)
    random = seed.stream("actions")
  }

  /// The probability ε of a random action, which decreases linearly; 0 with noisy layers.
  var epsilon: Double {
    if settings.noisy { return 0 }
    let progress = min(1, Double(decisions) / Double(settings.epsilonSteps))
    return settings.initialEpsilon + progress * (settings.finalEpsilon - settings.initialEpsilon)
  }

  /// β, which increases linearly to 1 (Schaul 2016, 3.4).
  var importanceExponent: Double {
    let progress = min(1, Double(updates) / Double(settings.importanceUpdates))
    return settings.importanceExponent + progress * (1 - settings.importanceExponent)
  }

  /// Updates since the beginning or the last reset.
  var age: Int { updates - min(updates / settings.resetPeriod, settings.resets) * settings.resetPeriod }

  /// x^(1-p) y^p, where p rises from 0 to 1 in the `annealingUpdates` after the beginning and after each reset.
  private func annealed(from x: Double, to y: Double) -> Double {
    guard age < settings.annealingUpdates else { return y }
    let p = Double(age) / Double(settings.annealingUpdates)
    return pow(x, 1 - p) * pow(y, p)
  }

  /// γ; 1 - γ is annealed.
  var discount: Double { 1 - annealed(from: 1 - settings.initialDiscount, to: 1 - settings.discount) }

  public func demand(returnSteps n: Int) -> Batch.Demand {
    let n = annealed(from: Double(settings.initialReturnSteps), to: Double(n))
    return Batch.Demand(count: settings.batch, discount: discount, returnSteps: Int(n.rounded()))
  }

  private mutating func noise() -> Network.Noise? { settings.noisy ? network.noise(using: &random) : nil }

  /// The network that acts.
  private var actor: Network { settings.actByTarget ? targetNetwork : network }

  // a = argmax_a Q(o, a; ε), or any action with probability ε; by Q' to act by the target
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    guard behavior != .exploit else { return actor.values(o, nil).indexOfLargest() }
    var choices = actor.values(o, noise()).argmax()
    if !settings.noisy {
      let chance = behavior == .explore ? epsilon : settings.finalEpsilon
      for row in choices.indices where random.chance(chance) {
        choices[row] = random.integer(below: actionSpace.networkSize)
      }
    }
    if behavior == .explore { decisions += choices.count }
    return Tensor(choices.map(Float.init), [choices.count, 1])
  }

  // V(o) = max_a Q(o, a), of the network that acts; while γ is annealed, discounted by its current value
  public func value(_ o: Tensor) -> Tensor { actor.values(o, nil).rowMaximum() }  // [B, 1]

  public mutating func update(_ batch: Batch) -> Lesson {
    let (o, r) = (batch.observation, batch.reward)
    let (oNext, oNextOfTarget) = (batch.nextObservation, batch.nextObservationOfTarget)
    let a = batch.action.array.map { Int($0) }
    let discount = self.discount * batch.discount

    // a* = argmax_a E[Z(o', a; ε)]; without `double` max_a E[Z'(o', a; ε')], whose two halves share their noise
    let selectionNoise = noise()
    let evaluationNoise = settings.double ? noise() : selectionNoise
    let aNext =
      (settings.double
      ? network.values(oNext, selectionNoise) : targetNetwork.values(oNextOfTarget, selectionNoise)).argmax()
    let next = targetNetwork(oNextOfTarget, evaluationNoise).ofActions(aNext)  // [B, N]
    let y =
      settings.distributional
      ? projected(softmax(next), onto: network.atoms, reward: r, discount: discount) : r + discount * next

    // w = (N P(i))^-β / max_i w                                               Schaul 2016, 3.4
    let w = batch.frequency.map { exp(-importanceExponent * log($0)) } ?? Tensor(repeating: 1, r.shape)
    let weight = w / w.array.reduce(0) { max($0, Double($1)) }

    // J = E[w D(Φ(r + γ d Z'(o', a*; ε')), Z(o, a; ε))], or E[w (r + γ d Q' - Q)²]        Hessel 2018
    let learningNoise = noise()
    var (meanQ, error) = (0.0, Tensor.zeros(r.shape))
    let (loss, gradient, observationGradient) = valueWithGradient(
      at: network, and: o, isWanted: batch.needsObservationGradient
    ) { network, o in
      let z = network(o, learningNoise).ofActions(a)  // [B, N]
      meanQ = network.expectation(z).mean().item
      let distance = settings.distributional ? divergence(y, z) : square(z - y)
      error = settings.distributional ? distance : abs(z - y)
      return (weight * distance).mean()
    }
    optimizer.update(&network, along: gradient, decaysVectors: false)
    targetNetwork.blend(toward: network, rate: settings.tau)
    updates += 1
    if age == 0 { reset() }

    // p = (D + 10⁻⁶)^ω                                                        Schaul 2016, 3.3; Hessel 2018
    let priorities = error.doubles.map { Float(pow(max($0, 0) + 1e-6, settings.priorityExponent)) }
    return Lesson(
      metrics: ["critic/loss": loss, "critic/q": meanQ, "epsilon": epsilon],
      priorities: settings.prioritised ? priorities : [], observationGradient: observationGradient)
  }

  /// Both networks begin anew in part, each with fresh weights of its own, as in BBF's code. The optimiser begins anew.
  private mutating func reset() {
    network.reset(settings, using: &random)
    targetNetwork.reset(settings, using: &random)
    optimizer = Self.optimizer(of: network, settings)
  }

  private static func optimizer(of network: Network, _ settings: Settings) -> Adam {
    Adam(
      of: network, learningRate: settings.learningRate, epsilon: settings.adamEpsilon,
      weightDecay: settings.weightDecay)
  }

  /// D(y, p) = Σ_i y_i (log y_i - log p_i) with p = softmax(z), `[B, N]` to `[B, 1]`.
  private func divergence(_ y: Tensor, _ z: Tensor) -> Tensor {
    (y * (log(maximum(y, Tensor(scalar: 1e-30))) - logSoftmax(z))).sum(axis: -1, keepingAxis: true)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("network", &network)
    visitor("target_network", &targetNetwork)
  }

  /// Z(o, a): logits over the atoms, or Q(o, a) itself with N = 1. A shared layer, a head for the advantages and one
  /// for the value.
  struct Network: Module {
    let atoms: ReturnAtoms
    let isDistributional: Bool
    let actions: Int
    var trunk: Linear
    var norms: [LayerNorm]
    var advantage: Head
    /// One head, or none without `duelling`.
    var value: [Head]

    struct Noise {
      let advantage: Head.Noise
      let value: Head.Noise?
    }

    init(_ observations: Int, _ actions: Int, _ settings: Settings, using random: inout Random) {
      atoms = ReturnAtoms(-settings.returnLimit...settings.returnLimit, count: settings.atoms)
      isDistributional = settings.distributional
      self.actions = actions
      let n = settings.distributional ? settings.atoms : 1
      trunk = Linear(observations, settings.hidden, using: &random)
      norms = settings.layerNorm ? [LayerNorm(settings.hidden)] : []
      advantage = Head(settings.hidden, n * actions, sigma: settings.initialSigma, using: &random)
      value =
        settings.duelling ? [Head(settings.hidden, n, sigma: settings.initialSigma, using: &random)] : []
    }

    /// Shrink and perturb, θ ← (1 - ρ) θ + ρ θ₀ with fresh weights θ₀ (Ash and Adams 2020): ρ is `trunkReset` in the
    /// trunk, and 1 in the heads (Nikishin 2022; D'Oro 2023; Schwarzer 2023).
    mutating func reset(_ settings: Settings, using random: inout Random) {
      let fresh = Network(trunk.weight.shape[1], actions, settings, using: &random)
      trunk.blend(toward: fresh.trunk, rate: settings.trunkReset)
      for i in norms.indices { norms[i].blend(toward: fresh.norms[i], rate: settings.trunkReset) }
      (advantage, value) = (fresh.advantage, fresh.value)
    }

    // Z(o, a) = V(o) + A(o, a) - Σ_a A(o, a) / A, atom by atom                Wang 2016, eq. 9; Hessel 2018
    func callAsFunction(_ o: Tensor, _ noise: Noise?) -> Tensor {  // [B, O] -> [B, A, N]
      let h = norms.first?(trunk(o), rectified: true) ?? trunk(o, rectified: true)
      let a = advantage(h, noise?.advantage).reshaped(h.shape[0], actions, -1)  // [B, A, N]
      guard let value = value.first else { return a }
      let v = value(h, noise?.value).reshaped(h.shape[0], 1, -1)  // [B, 1, N]
      return v + a - a.mean(axis: 1, keepingAxis: true)
    }

    /// Q(o, a) = E[Z(o, a)] for all actions: `[B, A]`.
    func values(_ o: Tensor, _ noise: Noise?) -> Tensor {
      expectation(self(o, noise)).reshaped(o.shape[0], actions)
    }

    /// E[Z] of logits `[..., N]`: `[..., 1]`.
    func expectation(_ logits: Tensor) -> Tensor {
      isDistributional ? atoms.expectation(of: softmax(logits)) : logits
    }

    func noise(using random: inout Random) -> Noise {
      Noise(advantage: advantage.noise(using: &random), value: value.first?.noise(using: &random))
    }

    mutating func visit(_ visitor: inout some ParameterVisitor) {
      visitor("trunk", &trunk)
      visitor("norms", &norms)
      visitor("advantage", &advantage)
      visitor("value", &value)
    }
  }

  /// Two noisy layers: `[B, H]` to `[B, M]`. Without noise their deviations are not used.
  struct Head: Module {
    var hidden: NoisyLinear
    var output: NoisyLinear

    struct Noise {
      let hidden: NoisyLinear.Noise
      let output: NoisyLinear.Noise
    }

    init(_ inputs: Int, _ outputs: Int, sigma: Double, using random: inout Random) {
      hidden = NoisyLinear(inputs, inputs, initialSigma: sigma, using: &random)
      output = NoisyLinear(inputs, outputs, gain: 1, initialSigma: sigma, using: &random)
    }

    func callAsFunction(_ h: Tensor, _ noise: Noise?) -> Tensor {
      output(relu(hidden(h, noise?.hidden)), noise?.output)
    }

    func noise(using random: inout Random) -> Noise {
      Noise(hidden: hidden.noise(using: &random), output: output.noise(using: &random))
    }

    mutating func visit(_ visitor: inout some ParameterVisitor) {
      visitor("hidden", &hidden)
      visitor("output", &output)
    }
  }
}

extension Tensor {
  /// Selects one action of each row: `[B, A, N]` and B indices to `[B, N]`.
  fileprivate func ofActions(_ indices: [Int]) -> Tensor {
    let actions = shape[1]
    let mask = Tensor([shape[0], actions, 1], of: Float.self) { mask in
      for i in 0..<mask.count { mask[i] = indices[i / actions] == i % actions ? 1 : 0 }
    }
    return (self * mask).sum(axis: 1)
  }
}
