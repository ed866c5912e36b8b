import Agents
import Core
import Environments
import Pixels
import Replay
import Representations
import Runs
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

/// Whether the next step throws.
private let isBroken = Mutex(false)

private enum Break: StepFault {
  static func check() throws(WorldError) {
    guard !isBroken.withLock({ $0 }) else { throw WorldError("broken") }
  }
}

/// The steps that `Crashing` has been asked for, and which of them fail.
private let crashes = Mutex<(count: Int, fails: @Sendable (Int) -> Bool)>((0, { _ in false }))

/// `catch` like an environment in another process, whose steps fail when the test says so.
private struct Crashing: BuiltInEnvironment {
  static var id: String { "crashing" }
  static var note: String { "catch that crashes" }
  static var actionSpace: ActionSpace { Catch.actionSpace }
  static var episodeLength: Int { Catch.episodeLength }
  static var stateNames: [String] { Catch.stateNames }
  static var observationNames: [String] { Catch.observationNames }

  private var inner = Catch()

  mutating func reset(using random: inout Random) { inner.reset(using: &random) }
  mutating func step(_ action: [Double]) -> Step { hold(action, for: 1).step }
  mutating func hold(_ action: [Double], for repeats: Int) -> (step: Step, count: Int) {
    let fails = crashes.withLock { crashes in
      crashes.count += 1
      return crashes.fails(crashes.count)
    }
    return fails ? (Step(reward: 0, ending: .failed), 0) : (inner.step(action), 1)
  }
  func render(into frame: inout PixelBuffer) { inner.render(into: &frame) }
  var state: [Double] {
    get { inner.state }
    set { inner.state = newValue }
  }
  var observation: [Double] { inner.observation }
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

  /// An episode of `catch` has 9 steps and a reward of 1 or -1 at the last of them: a partial return would be 0.
  @Test func failedEpisodesArePlayedAgain() throws {
    var (training, settings) = (TrainingSettings(), DoubleDQN.Settings())
    (training.frames, training.actions, settings.hidden) = (1, 0, 8)
    let observer = TrueState(Crashing.spec)
    let layout = training.layout(latentSize: observer.latentSize, actionSpace: Crashing.actionSpace)
    let agent = DoubleDQN(
      observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: settings, seed: Seed(1))
    func crash(_ fails: @escaping @Sendable (Int) -> Bool) { crashes.withLock { $0 = (0, fails) } }
    func evaluate(_ count: Int) throws -> (evaluation: Evaluation, watched: [PixelBuffer], steps: Int) {
      var (watched, steps): ([PixelBuffer], Int) = ([], 0)
      let evaluation = try Evaluation(
        of: agent, in: Crashing(), smallEpisode(), through: observer, layout: layout, episodes: count, seed: Seed(3),
        watch: { watched.append($0) }, outcome: { _ in steps += 1 }, again: { (watched, steps) = ([], 0) })
      return (evaluation, watched, steps)
    }
    func baseline() throws -> Baseline { try Baseline(in: Crashing(), smallEpisode(), episodes: 3, seed: Seed(3)) }

    crash { _ in false }
    let (alone, three, random) = (try evaluate(1), try evaluate(3), try baseline())
    #expect(three.evaluation.lengths == [9, 9, 9] && three.watched.count == 10 && three.steps == 9)
    // The episodes are stepped in turn: one of each of the three fails, also at its first and its last step.
    for step in [1, 2, 13, 14, 25, 27] {
      crash { $0 == step }
      let again = try evaluate(3)
      #expect(again.evaluation.returns == three.evaluation.returns && again.evaluation.lengths == [9, 9, 9], "\(step)")
      #expect(again.watched == three.watched && again.steps == 9)
      crash { $0 == step }
      #expect(try baseline() == random, "\(step)")
    }
    crash { $0 == 5 }
    #expect(try evaluate(1).evaluation.returns == alone.evaluation.returns)
    // Four failures in a row are borne, the fifth is not.
    crash { $0 <= 4 }
    #expect(try evaluate(1).evaluation.returns == alone.evaluation.returns)
    crash { $0 % 4 == 0 }
    let error = #expect(throws: WorldError.self) { try evaluate(1) }
    #expect(error?.description.contains("crashing failed 5 times in a row in episode 1 of an evaluation") == true)
    crash { $0 % 4 == 0 }
    let other = #expect(throws: WorldError.self) { try baseline() }
    #expect(other?.description.contains("crashing failed 5 times in a row in episode 1 of random play") == true)
  }

  @Test func aStepThatThrowsLeavesTheTrainerUnchanged() throws {
    var (training, agent) = (TrainingSettings(), DoubleDQN.Settings())
    (training.replay, training.frames, training.actions, training.environments) = (1000, 1, 0, 2)
    (agent.hidden, agent.batch) = (8, 4)
    /// Trains and returns all metrics as bits.
    func play(breaksAt broken: Int?) throws -> [UInt64] {
      var trainer = try Trainer(
        FallibleCatch<Break>(), DoubleDQN.self, through: TrueState(Catch.spec), agentSettings: agent,
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
