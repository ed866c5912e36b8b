import Contracts
import Core
import Replay
import Tensors
import Testing

@testable import Agents

@Suite struct NormalizedObservationTests {
  /// With normalised observations, their scale and shift do not matter; without, they do.
  @Test(arguments: [true, false]) func scaleAndShiftDoNotMatter(_ normalizes: Bool) throws {
    var settings = SAC.Settings()
    (settings.hidden, settings.normalizeObservations, settings.actorPeriod) = (16, normalizes, 1)
    let space = contractSpaces[0]
    var (plain, moved) = (
      SAC(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(1)),
      SAC(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(1))
    )
    func move(_ o: Tensor) -> Tensor { 64 * o + 32 }
    for seed in 0..<4 {
      let batch = randomBatch(32, space, seed: seed)
      _ = plain.update(batch)
      _ = moved.update(
        Batch(
          observation: move(batch.observation), action: batch.action, reward: batch.reward, discount: batch.discount,
          nextObservation: move(batch.nextObservation)))
    }
    let o = randomObservation(100)
    let (actions, movedActions) = (plain.act(o, .exploit), moved.act(move(o), .exploit))
    let worst = zip(actions.array, movedActions.array).map { abs($0 - $1) }.max() ?? .infinity
    #expect((worst < 1e-2) == normalizes, "the largest difference is \(worst)")
    #expect((plain.value(o) - moved.value(move(o))).array.allSatisfy { abs($0) < 0.1 } == normalizes)
  }

  /// An agent that begins with another one's weights keeps its mean and deviation: a batch changes them by a thousandth.
  @Test func anotherAgentsScaleIsKept() throws {
    var settings = SAC.Settings()
    (settings.hidden, settings.normalizeObservations) = (16, true)
    let space = contractSpaces[0]
    var (old, new) = (
      SAC(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(1)),
      SAC(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(2))
    )
    for seed in 0..<20 { _ = old.update(randomBatch(32, space, seed: seed)) }
    try new.begin(with: old.parameters)
    let before = try #require(new.norm)
    _ = new.update(randomBatch(32, space, seed: 99))
    let after = try #require(new.norm)
    for (a, b) in [(before.mean, after.mean), (before.variance, after.variance)] {
      let change = zip(a.array, b.array).map { abs($0 - $1) }
      #expect(change.allSatisfy { $0 < 2e-3 } && change.contains { $0 > 0 })
    }
  }
}
