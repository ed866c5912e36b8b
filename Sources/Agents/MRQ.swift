import Core
import Networks
import Replay
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// MR.Q, model-based representations for Q-learning (Fujimoto et al. 2025, arXiv 2501.16142), with DR.Q's contrastive
/// loss, which `contrast-weight` 0 turns off.
///
/// An encoder learns embeddings of the observation and of the observation with an action, such that a linear model of
/// them predicts the next embedding, the reward and the end. Policy and critics learn from these embeddings, but do not
/// train the encoder. Every `period` updates all targets are copied and the encoder learns in one burst. With
/// `plan-samples` it acts by planning in the model.
///
/// Letters: o observation, a action, r reward, d discount of the environment, γ the agent's discount, n steps of a
/// return, z embedding of o, x embedding of o and a, s mean |r| in the replay buffer, H steps of a segment, B batch.
/// Targets have a prime.
public struct MRQ: Agent {
  public static let id = "mrq"
  public static let note = "model-based representations for Q-learning, MR.Q (Fujimoto 2025); any actions"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }
  public static let changingState: Set = ["hasSeenEnd"]

  public internal(set) var settings: Settings
  let space: ActionSpace
  var encoder: Encoder
  var targetEncoder: Encoder
  var policy: NormalizedPerceptron
  var targetPolicy: NormalizedPerceptron
  var critics: Critics
  var targetCritics: Critics
  var encoderOptimizer: Adam
  var policyOptimizer: Adam
  var criticOptimizer: Adam
  var random: Random
  /// s and s', the value of s before the targets were copied: `[1]`, 0 until they are known.
  var (rewardScale, targetRewardScale) = (Tensor.zeros([1]), Tensor.zeros([1]))
  /// Updates of the encoder, and of policy and critics, which take turns of `period` updates each.
  var updates = 0
  /// Whether any episode was seen to terminate. Until then the model does not learn ends.
  var hasSeenEnd = false

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    let h = settings.hidden
    (self.settings, space) = (settings, actionSpace)
    encoder = Encoder(observationSize, actionSpace, hidden: h, using: &initial)
    policy = NormalizedPerceptron(h, hidden: [h, h], actionSpace.networkSize, .relu, using: &initial)
    critics = Critics(
      first: NormalizedPerceptron(h, hidden: [h, h, h], 1, .elu, using: &initial),
      second: NormalizedPerceptron(h, hidden: [h, h, h], 1, .elu, using: &initial))
    (targetEncoder, targetPolicy, targetCritics) = (encoder, policy, critics)
    encoderOptimizer = Adam(
      of: encoder, learningRate: settings.modelLearningRate, weightDecay: settings.modelWeightDecay)
    policyOptimizer = Adam(of: policy, learningRate: settings.learningRate, weightDecay: settings.weightDecay)
    criticOptimizer = Adam(of: critics, learningRate: settings.learningRate, weightDecay: settings.weightDecay)
    random = seed.stream("actions")
  }

  /// Whether the encoder is updated next.
  private var learnsModel: Bool { updates % (2 * settings.period) < settings.period }
  /// Whether the targets are copied after the next update.
  private var copiesTargets: Bool { (updates + 1) % (2 * settings.period) == 0 }

  // Only the encoder learns from the steps of segments, and s is measured only when it is used anew.
  public func demand(returnSteps: Int) -> Segments.Demand {
    var demand = settings.demand
    if !learnsModel { demand.horizon = 0 }
    demand.includesMeanReward = !learnsModel && (copiesTargets || rewardScale.item == 0)
    return demand
  }

  // a = clip(π(z) + N(0, σ)), or its largest choice. With plans, the first action of the best one takes the place of π(z).
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    if plans {
      let a = planned(o)
      return behavior == .exploit ? a : noisy(a, settings.explorationNoise * .normal(a.shape, using: &random))
    }
    let u = policy(encoder.state(o))
    guard behavior != .exploit else { return chosen(mode(u)) }
    let choiceNoise = gumbel(u.shape)
    let a = action(u, noise: choiceNoise)
    return chosen(noisy(a, settings.explorationNoise * .normal(a.shape, using: &random)))
  }

  // V(o) = s min_i Q_i(x(z, a)),  a the policy's action
  public func value(_ o: Tensor) -> Tensor {  // [B, 1]
    let z = encoder.state(o)
    let a = space.networkInput(chosen(mode(policy(z))))
    return (rewardScale.item == 0 ? 1 : rewardScale.item) * least(critics(encoder.pair(z, a)))
  }

  public mutating func update(_ segments: Segments) -> Lesson {
    if learnsModel {
      updates += 1
      return Lesson(metrics: learnModel(segments), isComplete: false)
    }
    let batch = segments.transition
    let (o, a, r) = (batch.observation, space.networkInput(batch.action), batch.reward)
    if rewardScale.item == 0 { rewardScale = scale(of: segments) }

    // y = (Σ γᵏ r + γⁿ d s' min_i Q'_i(x'(z', a'))) / s,  a' = clip(π'(z') + ε) or its largest choice,
    // ε = clip(N(0, σ), -c, c)
    let zNext = targetEncoder.state(batch.nextObservationOfTarget)
    let uNext = targetPolicy(zNext)
    let (choiceNoise, policyNoise) = (gumbel(uNext.shape), gumbel(uNext.shape))
    let noise = targetNoise(
      uNext.shape, deviation: settings.targetNoise, limit: settings.targetNoiseLimit, using: &random)
    let aNext = space.networkInput(chosen(noisy(action(uNext, noise: choiceNoise), noise)))
    let qNext = least(targetCritics(targetEncoder.pair(zNext, aNext)))
    let y = (r + settings.discount * batch.discount * targetRewardScale * qNext) / rewardScale

    // J_Q = Σ_i E[Huber(Q_i(x(z, a)) - y)]
    let z = encoder.state(o)
    let x = encoder.pair(z, a)
    var error = y
    var meanQ = 0.0
    var (criticLoss, criticGradient) = valueWithGradient(at: critics) { critics in
      let q = critics(x)  // [B, 2]
      error = abs(q - y)
      meanQ = q.mean().item
      let inside = minimum(error, Tensor(scalar: 1))
      return 2 * (inside * (error - inside / 2)).mean()
    }
    criticGradient.clip(toNorm: settings.gradientLimit)
    criticOptimizer.update(&critics, along: criticGradient)

    // J_π = -E[mean_i Q_i(x(z, π(z)))] + λ E[u²],  u the policy's output before tanh or softmax
    let (policyLoss, policyGradient) = valueWithGradient(at: policy) { policy in
      let u = policy(z)
      let q = critics(encoder.pair(z, action(u, noise: policyNoise)))
      return settings.preactivationWeight * square(u).mean() - q.mean()
    }
    policyOptimizer.update(&policy, along: policyGradient)

    let metrics: Metrics = [
      Lesson.criticLoss: criticLoss, "critic/q": meanQ * rewardScale.item, "actor/loss": policyLoss,
      "reward scale": rewardScale.item,
    ]
    if copiesTargets { copyTargets(segments) }
    updates += 1
    return Lesson(metrics: metrics, priorities: priorities(error))
  }

  /// Learns the encoder and its model from segments.
  private mutating func learnModel(_ segments: Segments) -> Metrics {
    let steps = segments.steps
    hasSeenEnd = hasSeenEnd || steps.contains { $0.discount.array.contains(0) }
    let targets = steps.map { targetEncoder.state($0.nextObservation) }

    // J = Σ_t m_t (E[(ẑ_t - z'_t)²] + w_r CE(r̂_t, r_t) + w_d E[(d̂_t - d_t)²] + w_c NCE),  m_t: step t is present
    var parts: [Double] = [0, 0, 0, 0]
    let (loss, gradient) = valueWithGradient(at: encoder) { encoder in
      var z = encoder.state(segments.transition.observation)
      var sum = Tensor(scalar: 0)
      for (step, target) in zip(steps, targets) {
        let (zNext, reward, end) = encoder.prediction(encoder.pair(z, space.networkInput(step.action)))
        let m = step.isPresent
        let dynamics = meanSquared(m * (zNext - target))
        let rewards = (m * Encoder.rewardBins.crossEntropy(reward, with: step.reward)).mean()
        sum = sum + settings.dynamicsWeight * dynamics + settings.rewardWeight * rewards
        (parts[0], parts[1]) = (parts[0] + dynamics.item, parts[1] + rewards.item)
        if hasSeenEnd {
          let ends = meanSquared(m * (end - (1 - step.discount)))
          sum = sum + settings.endWeight * ends
          parts[2] += ends.item
        }
        if settings.contrastWeight > 0 {
          let contrast = (m * self.contrast(zNext, target)).mean()
          sum = sum + settings.contrastWeight * contrast
          parts[3] += contrast.item
        }
        z = zNext
      }
      return sum
    }
    encoderOptimizer.update(&encoder, along: gradient)
    return [
      "model/loss": loss, "model/dynamics": parts[0], "model/reward": parts[1], "model/end": parts[2],
      "model/contrast": parts[3],
    ]
  }

  /// -log softmax_j(cos(ẑ_i, z'_j) / τ) at j = i, which tells each prediction from the others' targets (InfoNCE, van den
  /// Oord 2018; DR.Q 2026): `[B, Z]` twice to `[B, 1]`.
  private func contrast(_ predictions: Tensor, _ targets: Tensor) -> Tensor {
    func unit(_ z: Tensor) -> Tensor { z / sqrt(square(z).sum(axis: -1, keepingAxis: true) + 1e-8) }
    let cosines = matrixProduct(unit(predictions), transposed: false, unit(targets), transposed: true)
    return -logSoftmax(cosines / 0.1).picking(Array(0..<targets.shape[0])).reshaped(-1, 1)
  }

  private mutating func copyTargets(_ segments: Segments) {
    (targetEncoder, targetPolicy, targetCritics) = (encoder, policy, critics)
    (targetRewardScale, rewardScale) = (rewardScale, scale(of: segments))
  }

  /// s; 1 if all rewards were 0.
  private func scale(of segments: Segments) -> Tensor {
    guard let mean = segments.meanAbsoluteReward else { preconditionFailure("these segments have no mean reward") }
    return Tensor(repeating: mean > 0 ? mean : 1, [1])
  }

  // p = max(max_i |δ_i|, 1)^α                                                         Fujimoto 2020, arXiv 2007.06049
  private func priorities(_ error: Tensor) -> [Float] {  // [B, 2]
    maximum(error.rowMaximum(), Tensor(scalar: 1)).doubles.map { Float(pow($0, settings.priorityExponent)) }
  }

  func least(_ q: Tensor) -> Tensor { minimum(q.columns(0..<1), q.columns(1..<2)) }  // [B, 2] -> [B, 1]

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("encoder", &encoder)
    visitor("target_encoder", &targetEncoder)
    visitor("policy", &policy)
    visitor("target_policy", &targetPolicy)
    visitor("critics", &critics)
    visitor("target_critics", &targetCritics)
    visitor("reward_scale", &rewardScale)
    visitor("target_reward_scale", &targetRewardScale)
  }
}

// MARK: - Actions

extension MRQ {
  /// tanh(u), or softmax((u + g) / 10) with Gumbel noise g, a nearly one-hot choice (Jang 2017): `[B, A]`.
  private func action(_ u: Tensor, noise g: Tensor?) -> Tensor {
    g.map { softmax((u + $0) / 10) } ?? tanh(u)
  }

  /// The action without noise: tanh(u), or softmax(u / 10).
  func mode(_ u: Tensor) -> Tensor { space.isContinuous ? tanh(u) : softmax(u / 10) }

  /// Gumbel noise for choices, -log(-log U); nil for continuous actions.
  private mutating func gumbel(_ shape: Shape) -> Tensor? {
    if space.isContinuous { return nil }
    let uniform = Tensor(shape, of: Float.self) { target in
      for i in 0..<target.count { target[i] = Float(random.uniform(1e-6, 1 - 1e-6)) }
    }
    return -log(-log(uniform))
  }

  /// a + ε within the range of actions. For choices ε is halved, because their range [0, 1] is half as wide.
  private func noisy(_ a: Tensor, _ noise: Tensor) -> Tensor {
    space.isContinuous ? clamp(a + noise, -1, 1) : clamp(a + noise / 2, 0, 1)
  }

  /// The action in the policy's units: `[B, A]`, or the indices `[B, 1]` of the largest choices.
  private func chosen(_ a: Tensor) -> Tensor {
    space.isContinuous ? a : a.indexOfLargest()
  }
}

// MARK: - Networks

extension MRQ {
  /// z(o), x(z, a) and the linear model of x.
  struct Encoder: Module {
    static let rewardBins = SymmetricBins()
    static let actionSize = 64

    var observation: NormalizedPerceptron
    var action: Linear
    var pair: NormalizedPerceptron
    var model: Linear

    init(_ observations: Int, _ space: ActionSpace, hidden: Int, using random: inout Random) {
      let gain = 2.0.squareRoot()
      observation = NormalizedPerceptron(observations, hidden: [hidden, hidden], hidden, .elu, using: &random)
      action = Linear(space.networkSize, Self.actionSize, uniformGain: gain, using: &random)
      pair = NormalizedPerceptron(hidden + Self.actionSize, hidden: [hidden, hidden], hidden, .elu, using: &random)
      model = Linear(hidden, hidden + Self.rewardBins.values.count + 1, uniformGain: gain, using: &random)
    }

    /// z = ELU(LN(f(o))), `[B, O]` to `[B, Z]`.
    func state(_ o: Tensor) -> Tensor { normalized(observation(o), .elu) }

    /// x = g([z, ELU(W a)]), `[B, Z]` and `[B, A]` to `[B, Z]`.
    func pair(_ z: Tensor, _ a: Tensor) -> Tensor { pair(concatenated(z, elu(action(a)))) }

    /// The next z, the reward's logits and the end: `[B, Z]`, `[B, N]` and `[B, 1]`.
    func prediction(_ x: Tensor) -> (Tensor, Tensor, Tensor) {
      let y = model(x)
      let (size, bins) = (x.shape[1], Self.rewardBins.values.count)
      return (y.columns(0..<size), y.columns(size..<size + bins), y.columns(size + bins..<size + bins + 1))
    }

    mutating func visit(_ visitor: inout some ParameterVisitor) {
      visitor("observation", &observation)
      visitor("action", &action)
      visitor("pair", &pair)
      visitor("model", &model)
    }
  }

  /// Q_1(x) and Q_2(x): `[B, Z]` to `[B, 2]`.
  struct Critics: Module {
    var first: NormalizedPerceptron
    var second: NormalizedPerceptron

    func callAsFunction(_ x: Tensor) -> Tensor { concatenated(first(x), second(x)) }

    mutating func visit(_ visitor: inout some ParameterVisitor) {
      visitor("first", &first)
      visitor("second", &second)
    }
  }
}
