import Agents
import Core
import Replay
import Tensors

/// The action spaces of the contract tests.
package let contractSpaces: [ActionSpace] = [
  .continuous(low: [-1], high: [1]), .continuous(low: [-2, 0, -1], high: [2, 1, 5]), .discrete(count: 2),
  .discrete(count: 5),
]
private let observationSize = 6

extension Agent {
  /// The action spaces of the tests that the agent supports.
  package static var accepted: [ActionSpace] { contractSpaces.filter(accepts) }

  /// Creates an agent with the default settings, except for small networks and a short period, if there are settings
  /// for them.
  package static func new(_ space: ActionSpace, seed: UInt64 = 1) throws -> Self {
    var settings = Settings()
    for (key, value) in [("hidden", "16"), ("period", "2")] where Settings.fields.contains(where: { $0.key == key }) {
      try settings.set(key, to: value)
    }
    return Self(observationSize: observationSize, actionSpace: space, settings: settings, seed: Seed(seed))
  }

  /// Performs four updates, and returns their metrics and an exploring action.
  package mutating func live(_ space: ActionSpace) -> (metrics: [[Double]], action: [Float]) {
    let metrics = (0..<4).map { update(Self.experience(space, seed: $0)).metrics.entries.map(\.value) }
    return (metrics, act(randomObservation(4), .explore).array)
  }

  /// Returns the experience of eight transitions, which is fewer than most agents request.
  package static func experience(_ space: ActionSpace, seed: Int) -> Settings.Experience {
    let batch = randomBatch(8, space, seed: seed)
    let rollout = Rollout(batch)
    let known: [any Experience] = [
      batch, rollout, RolloutWithReplay(rollout: rollout, batches: [batch]), Segments(batch),
    ]
    guard let experience = known.lazy.compactMap({ $0 as? Settings.Experience }).first else {
      preconditionFailure("the contract tests support batches and rollouts, not \(Settings.Experience.self)")
    }
    return experience
  }

  package var bits: [[UInt32]] { parameters.map { $0.value.array.map(\.bitPattern) } }
}

extension Rollout {
  /// Creates a rollout from the rows of a batch, as two environments with two episodes each.
  fileprivate init(_ batch: Batch) {
    let count = batch.reward.shape[0]
    let ends = [count / 4, count / 2, 3 * count / 4, count].map { $0 - 1 }
    self.init(
      observation: batch.observation, action: batch.action, reward: batch.reward, discount: batch.discount,
      nextObservation: batch.nextObservation, lane: (0..<count).map { 2 * $0 / count },
      isLast: (0..<count).map(ends.contains))
  }
}

extension Segments {
  /// Creates segments of two steps from the rows of a batch. Those whose first step terminates have only one step.
  fileprivate init(_ batch: Batch) {
    func step(isPresent: Tensor) -> Step {
      Step(
        action: batch.action, reward: batch.reward, discount: batch.discount, nextObservation: batch.nextObservation,
        isPresent: isPresent)
    }
    let all = Tensor(repeating: 1, batch.discount.shape)
    let steps = [step(isPresent: all), step(isPresent: batch.discount)]
    self.init(transition: batch, steps: steps, meanAbsoluteReward: 0.5)
  }
}

package func randomObservation(_ count: Int, seed: UInt64 = 5) -> Tensor {
  var random = Seed(seed).stream("observations")
  return .normal([count, observationSize], using: &random)
}

package func randomBatch(_ count: Int, _ space: ActionSpace, seed: Int) -> Batch {
  var random = Seed(UInt64(seed)).stream("batch")
  let actions = (0..<count).flatMap { _ in space.normalized(space.sample(using: &random)) }
  return Batch(
    observation: .normal([count, observationSize], using: &random),
    action: Tensor(actions, [count, space.arrayCount]), reward: .normal([count, 1], using: &random),
    discount: Tensor((0..<count).map { $0 % 4 == 0 ? 0 : Float(1) }, [count, 1]),
    nextObservation: .normal([count, observationSize], using: &random))
}
