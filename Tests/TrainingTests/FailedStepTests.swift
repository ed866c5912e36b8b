import Agents
import Core
import Environments
import Pixels
import Replay
import Representations
import Synchronization
import Tensors
import Testing

@testable import Training

/// `catch` whose every third episode fails at its fourth step, as an environment in another process may.
private struct Fragile: BuiltInEnvironment {
  static var id: String { "fragile" }
  static var note: String { "catch that fails" }
  static var actionSpace: ActionSpace { Catch.actionSpace }
  static var episodeLength: Int { Catch.episodeLength }
  static var stateNames: [String] { Catch.stateNames }
  static var observationNames: [String] { Catch.observationNames }

  private var inner = Catch()
  private var episodes = 0
  private var steps = 0

  mutating func reset(using random: inout Random) {
    inner.reset(using: &random)
    episodes += 1
    steps = 0
  }

  mutating func step(_ action: [Double]) -> Step { hold(action, for: 1).step }

  mutating func hold(_ action: [Double], for repeats: Int) -> (step: Step, count: Int) {
    steps += 1
    guard episodes % 3 != 0 || steps < 4 else { return (Step(reward: 0, ending: .failed), 0) }
    return (inner.step(action), 1)
  }

  func render(into frame: inout PixelBuffer) { inner.render(into: &frame) }
  var state: [Double] {
    get { inner.state }
    set { inner.state = newValue }
  }
  var observation: [Double] { inner.observation }
}

/// Whether the next step of `Breaking` throws.
private let isBroken = Mutex(false)

/// `catch` like an environment in another process, whose steps can throw.
private struct Breaking: Environment {
  typealias Failure = WorldError

  private var inner = Catch()

  var spec: EnvironmentSpec { Catch.spec }
  mutating func reset(using random: inout Random) { inner.reset(using: &random) }
  mutating func step(_ action: [Double]) throws(WorldError) -> Step {
    guard !isBroken.withLock({ $0 }) else { throw WorldError("broken") }
    return inner.step(action)
  }
  func render(into frame: inout PixelBuffer) { inner.render(into: &frame) }
  func readObservation() -> [Double] { inner.observation }
  func readState() -> [Double] { inner.state }
  mutating func set(state: [Double]) { inner.state = state }
  func validate(state: [Double]) throws(InputError) { try Catch.validate(state: state) }
}

/// Failed steps are not recorded, stored or learned from.
@Suite struct FailedStepTests {
  @Test func failedStepsAreNotRecorded() throws {
    let recording = try collect(Fragile(), smallEpisode(), collectionSettings(60), seed: Seed(1))
    #expect(recording.steps.compactMap { $0 }.count == 60 && recording.environmentSteps == 60)
    // The environment's first episode is the one that starts when it is made.
    let lengths = Dictionary(grouping: recording.episodes, by: { $0 }).sorted { $0.key < $1.key }.map(\.value.count)
    #expect(lengths == [10, 4, 10, 10, 4, 10, 10, 4, 7])
    #expect(recording.steps.allSatisfy { $0?.ending != .failed })
  }

  @Test(arguments: [1, 3]) func failedStepsAreNotStored(_ environments: Int) throws {
    var (training, agent) = (TrainingSettings(), DoubleDQN.Settings())
    (training.replay, training.frames, training.actions, training.environments) = (1000, 1, 0, environments)
    (agent.hidden, agent.batch) = (8, 4)
    var trainer = try Trainer(
      Fragile(), DoubleDQN.self, through: TrueState(Fragile.spec), agentSettings: agent,
      episodeSettings: smallEpisode(), settings: training, seed: Seed(1))
    var finished: [Int] = []
    for _ in 0..<60 {
      try trainer.step { _ in }
      finished += trainer.finished.map(\.length)
    }
    #expect(!finished.isEmpty && Set(finished) == [9], "an episode that failed has no return")
    var random = Random(seed: Seed(1))
    let batch = try trainer.replay.sample(500, using: &random)
    // The ball falls in each successful step.
    #expect((batch.nextObservation - batch.observation).array.chunked(3).allSatisfy { $0.contains { $0 != 0 } })
    #expect(trainer.envSteps < 60 * environments && trainer.envSteps > 50 * environments)
  }

  @Test func aStepThatThrowsLeavesTheTrainerUnchanged() throws {
    var (training, agent) = (TrainingSettings(), DoubleDQN.Settings())
    (training.replay, training.frames, training.actions, training.environments) = (1000, 1, 0, 2)
    (agent.hidden, agent.batch) = (8, 4)
    /// Trains and returns all metrics as bits.
    func play(breaksAt broken: Int?) throws -> [UInt64] {
      var trainer = try Trainer(
        Breaking(), DoubleDQN.self, through: TrueState(Catch.spec), agentSettings: agent,
        episodeSettings: smallEpisode(), settings: training, seed: Seed(1))
      var metrics: [UInt64] = []
      for step in 0..<30 {
        if step == broken {
          let before = (trainer.envSteps, trainer.updates)
          isBroken.withLock { $0 = true }
          var reason: (any Error)?
          do { try trainer.step { _ in } } catch let error as StepFailed { reason = error.reason }
          isBroken.withLock { $0 = false }
          #expect(reason as? WorldError == WorldError("broken"))
          #expect((trainer.envSteps, trainer.updates) == before)
        }
        try trainer.step { metrics += $0.entries.map(\.value.bitPattern) }
      }
      return metrics
    }
    let whole = try play(breaksAt: nil)
    #expect(!whole.isEmpty)
    #expect(try play(breaksAt: 14) == whole)
  }
}

extension Array {
  fileprivate func chunked(_ count: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
  }
}
