import Agents
import Core
import Environments
import Replay
import Tensors
import Testing

@testable import Training

@Suite struct AsynchronousTests {
  private func trainer<A: Agent>(
    _ agent: A.Type, workers: Int, horizon: Int
  ) throws -> Trainer<Catch, A, StateObserver> {
    var (training, settings) = (TrainingSettings(), A.Settings())
    (training.environments, training.asynchronous, training.replay) = (workers, true, 1000)
    (training.frames, training.actions) = (2, 1)
    try settings.set("hidden", to: "8")
    try settings.set("horizon", to: "\(horizon)")
    return try Trainer(
      Catch(), A.self, through: StateObserver(Catch.spec), agentSettings: settings, episodeSettings: smallEpisode(),
      settings: training, seed: Seed(5))
  }

  /// The last to hand over first has missed at least every other worker's first update, and a lag counts the updates since
  /// the copy was taken: all lags together are no more than each update being missed by all other workers.
  @Test func theLagIsCounted() throws {
    var trainer = try trainer(PPO.self, workers: 3, horizon: 5)
    var lags: [Double] = []
    while Set(trainer.state.workers.map(\.hasBegun)) != [true] || lags.count < 12 {
      try trainer.step { lags.append($0["workers/lag"] ?? .nan) }
    }
    #expect(trainer.updates == lags.count)
    #expect(lags.allSatisfy { $0 >= 0 } && (lags.max() ?? 0) >= 2)
    #expect(lags.reduce(0, +) <= Double(2 * lags.count))
    #expect(trainer.envSteps == trainer.state.workers.reduce(0) { $0 + $1.episode.totalSteps })
    #expect(Set(trainer.state.workers.map(\.copiedAt)).count == 3, "each begins after an update of its own")
  }

  @Test func aWorkerAloneIsNeverLateAndSoASeedFixesIt() throws {
    func run() throws -> [[UInt64]] {
      var trainer = try trainer(ActorCritic.self, workers: 1, horizon: 5)
      var all: [[UInt64]] = []
      for _ in 0..<8 {
        try trainer.step { metrics in
          #expect(metrics["workers/lag"] == 0)
          all.append(metrics.entries.map(\.value.bitPattern))
        }
      }
      return all
    }
    let metrics = try run()
    #expect(try run() == metrics)
    #expect(Set(metrics).count == 8)
  }

  /// What a worker hands over hangs together: each step's successor is the next step's observation.
  @Test func aSegmentIsASequence() throws {
    let trainer = try trainer(Reinforce.self, workers: 2, horizon: 20)
    var worker = trainer.state.workers[1]
    let segment = try worker.play(
      trainer.agent.settings.demand, lane: 1, through: trainer.observer, trainer.settings)
    let rollout = segment.rollout
    #expect(rollout.count >= 20 && rollout.stretches.count == segment.finished.count, "whole episodes")
    for stretch in rollout.stretches {
      #expect(
        rollout.nextObservation.rows(stretch).array.dropLast(rollout.observation.shape[1])
          .elementsEqual(rollout.observation.rows(stretch).array.dropFirst(rollout.observation.shape[1])))
    }
    #expect(segment.finished.reduce(0) { $0 + $1.length } == segment.worker.episode.totalSteps)
    #expect(rollout.lane.allSatisfy { $0 == 1 })
    // Workers begin in states of their own and draw actions of their own.
    var other = trainer.state.workers[0]
    other.copy(worker.agent, updates: 0)
    let others = try other.play(trainer.agent.settings.demand, lane: 0, through: trainer.observer, trainer.settings)
    #expect(others.rollout.action.array != rollout.action.array)
  }

  @Test func whatCannotBeAsynchronousIsRefused() {
    func complaint<A: Agent>(_ agent: A.Type, _ change: (inout A.Settings, inout TrainingSettings) -> Void) -> String? {
      var (settings, training) = (A.Settings(), TrainingSettings())
      (training.asynchronous, training.environments) = (true, 4)
      change(&settings, &training)
      let run = TrainingRun(
        Catch(), A.self, through: StateObserver(Catch.spec), agent: settings, episode: smallEpisode(),
        training: training, first: nil, seed: Seed(1))
      do { try run.check() } catch { return "\(error)" }
      return nil
    }
    #expect(complaint(PPO.self) { _, _ in } == nil)
    #expect(complaint(DoubleDQN.self) { _, _ in }?.contains("--asynchronous") == true)
    #expect(complaint(QProp.self) { _, _ in }?.contains("--asynchronous") == true)
    #expect(complaint(ActorCritic.self) { settings, _ in settings.workers = 2 }?.contains("--workers 2") == true)
    #expect(complaint(PPO.self) { _, training in training.retrainRounds = 1 }?.contains("--retrain-rounds") == true)
  }
}
