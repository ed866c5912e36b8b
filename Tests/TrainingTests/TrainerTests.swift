import Agents
import Core
import Environments
import Foundation
import Pixels
import Replay
import Representations
import Tensors
import Testing

@testable import Training

private func smallAgent() -> SAC.Settings {
  var settings = SAC.Settings()
  (settings.hidden, settings.batch) = (16, 8)
  return settings
}

private func trainingSettings(
  environments: Int = 1, updatesPerStep: Double = 1, frames: Int = 1, actions: Int = 0
) -> TrainingSettings {
  var settings = TrainingSettings()
  (settings.environments, settings.updatesPerStep, settings.replay) = (environments, updatesPerStep, 1000)
  (settings.frames, settings.actions, settings.evaluationEpisodes) = (frames, actions, 2)
  return settings
}

private func trainer<E: BuiltInEnvironment>(
  _ environment: E.Type, _ settings: TrainingSettings, seed: UInt64 = 1, timeLimit: Int = 0
) throws -> Trainer<E, SAC, TrueState> {
  try Trainer(
    E(), SAC.self, through: TrueState(E.spec), agentSettings: smallAgent(),
    episodeSettings: smallEpisode(size: 8, timeLimit: timeLimit), settings: settings, seed: Seed(seed))
}

/// Metrics as numbers that can be compared to the bit.
private func bits(_ metrics: Metrics) -> [UInt64] { metrics.entries.map(\.value.bitPattern) }

@Suite struct TrainerTests {
  @Test func theAgentBeginsAnewWithTheSameReplayBuffer() throws {
    var settings = trainingSettings()
    settings.resetAt = [20, 31]
    var trainer = try trainer(CartPoleSwingup.self, settings)
    var plain = try Training.Trainer(
      CartPoleSwingup(), SAC.self, through: TrueState(CartPoleSwingup.spec), agentSettings: smallAgent(),
      episodeSettings: smallEpisode(size: 8), settings: trainingSettings(), seed: Seed(1))
    var resets: [Int] = []
    try trainer.step { _ in }
    try plain.step { _ in }
    for _ in 0..<20 {
      let (before, moments) = (trainer.agent.parameters, trainer.replay.count)
      try trainer.step { _ in }
      try plain.step { _ in }
      #expect(trainer.replay.count == moments + 1)
      // An update moves the target critics by a small part; a new agent has other ones.
      let changes = zip(before, trainer.agent.parameters).filter { $0.0.name == "target_critics.first.layers.1.weight" }
        .map { old, new in zip(old.value.array, new.value.array).map { abs($0 - $1) }.max() ?? 0 }
      if changes[0] > 0.1 { resets.append(trainer.envSteps) }
      let parameters = zip(trainer.agent.parameters, plain.agent.parameters)
      #expect(parameters.allSatisfy { $0.value.array == $1.value.array } == (trainer.envSteps < 20))
    }
    // The first step that reaches each of them.
    #expect(resets.count == 2 && (20..<28).contains(resets[0]) && (31..<39).contains(resets[1]), "\(resets)")
  }

  /// An on-policy agent that begins anew after 12 of 16 steps learns from its own next 8 steps, not from 4 of the old one.
  @Test func anAgentThatBeginsAnewLearnsFromItsOwnActions() throws {
    func updates(resetAt: [Int]) throws -> [Int] {
      var (agent, settings) = (PPO.Settings(), trainingSettings())
      try agent.set("horizon", to: "8")
      settings.resetAt = resetAt
      var trainer = try Trainer(
        Catch(), PPO.self, through: TrueState(Catch.spec), agentSettings: agent,
        episodeSettings: smallEpisode(size: 8), settings: settings, seed: Seed(1))
      var steps: [Int] = []
      for step in 1...32 { try trainer.step { if $0[Lesson.criticLoss] != nil { steps.append(step) } } }
      return steps
    }
    #expect(try updates(resetAt: []) == [8, 16, 24, 32])
    #expect(try updates(resetAt: [12]) == [8, 20, 28])
  }

  /// An agent that asks for returns of 10 steps learns as one whose training has them.
  @Test func theAgentChoosesTheReturnsThatItLearnsFrom() throws {
    func losses(returnSteps: Int, annealingUpdates: Int) throws -> [Double] {
      var settings = Rainbow.Settings()
      (settings.hidden, settings.batch, settings.annealingUpdates) = (8, 16, annealingUpdates)
      settings.initialDiscount = settings.discount
      var training = trainingSettings()
      training.returnSteps = returnSteps
      var trainer = try Trainer(
        Catch(), Rainbow.self, through: TrueState(Catch.spec), agentSettings: settings,
        episodeSettings: smallEpisode(size: 8), settings: training, seed: Seed(1))
      var losses: [Double] = []
      for _ in 0..<20 { try trainer.step { losses.append($0[Lesson.criticLoss] ?? .nan) } }
      return losses
    }
    let ten = try losses(returnSteps: 10, annealingUpdates: 0)
    let three = try losses(returnSteps: 3, annealingUpdates: 0)
    let asked = try losses(returnSteps: 3, annealingUpdates: 1_000_000)
    #expect(ten.count == 20 && zip(asked, ten).allSatisfy { abs($0 - $1) < 1e-4 }, "\(asked) for \(ten)")
    #expect(zip(asked, three).contains { abs($0 - $1) > 1e-2 })
  }

  /// MR.Q's encoder learns from as many draws as the period has updates, in one step of the environment.
  @Test func anUpdateMayNeedSeveralDraws() throws {
    var settings = MRQ.Settings()
    (settings.hidden, settings.batch, settings.period) = (8, 8, 3)
    let spec = CartPoleSwingup.spec
    var trainer = try Trainer(
      CartPoleSwingup(), MRQ.self, through: TrueState(spec), agentSettings: settings,
      episodeSettings: smallEpisode(size: 8), settings: trainingSettings(), seed: Seed(1))
    var models: [Int] = []
    for _ in 0..<7 {
      var count = 0
      try trainer.step { if $0["model/loss"] != nil { count += 1 } }
      models.append(count)
    }
    #expect(models == [3, 0, 0, 3, 0, 0, 3] && trainer.updates == 7)
  }

  @Test func theSeedDeterminesTheMetricsWithAndWithoutEvaluation() throws {
    func run(_ seed: UInt64, evaluating: Bool) throws -> [[UInt64]] {
      var trainer = try trainer(
        PendulumSwingup.self, trainingSettings(environments: 2, frames: 2, actions: 1), seed: seed, timeLimit: 30)
      trainer.seed(
        with: try collect(PendulumSwingup(), smallEpisode(size: 8), collectionSettings(20), seed: Seed(4)))
      var all: [[UInt64]] = []
      try trainer.learn(3) { all.append(bits($0)) }
      for step in 0..<25 {
        try trainer.step { all.append(bits($0)) }
        if evaluating, step % 10 == 5 { #expect(try trainer.evaluate(seed: Seed(8)).returns.count == 2) }
      }
      return all
    }
    let metrics = try run(1, evaluating: false)
    #expect(metrics.count == 3 + 25 * 2)
    #expect(try run(1, evaluating: false) == metrics)
    #expect(try run(1, evaluating: true) == metrics)
    #expect(try run(2, evaluating: false) != metrics)
  }

  @Test(arguments: [(1, 1.0), (3, 1.0), (2, 0.25), (1, 2.5)])
  func stepsAndUpdatesAreCounted(_ environments: Int, _ updatesPerStep: Double) throws {
    var trainer = try trainer(
      CartPoleSwingup.self, trainingSettings(environments: environments, updatesPerStep: updatesPerStep))
    var reports = 0
    for _ in 0..<20 { try trainer.step { _ in reports += 1 } }
    let agentSteps = 20 * environments
    #expect(trainer.envSteps == agentSteps * CartPoleSwingup.actionRepeat)
    #expect(trainer.updates == Int(Double(agentSteps) * updatesPerStep) && reports == trainer.updates)
    #expect(trainer.replay.count == agentSteps + environments)
    #expect(trainer.lastReturn == nil)
  }

  @Test(arguments: [(0, 64), (24, 24), (1000, 64)])
  func trainingEpisodesAreTruncatedAndEvaluationsAreNot(_ limit: Int, _ length: Int) throws {
    var settings = trainingSettings()
    settings.trainingTimeLimit = limit
    var trainer = try trainer(CartPoleSwingup.self, settings, timeLimit: 64)
    var lengths: [Int] = []
    while lengths.count < 3 {
      try trainer.step { _ in }
      lengths += trainer.finished.map(\.length)
    }
    #expect(lengths == [length, length, length])
    // Truncated, not terminated: the discount stays 1.
    var random = Random(seed: Seed(3))
    let settled = try trainer.replay.sample(64, using: &random)
    #expect(settled.discount.array.allSatisfy { $0 == 1 })
    #expect(try trainer.evaluate(seed: Seed(8)).lengths.allSatisfy { $0 == 64 })
  }

  @Test func theFirstDataCountAndAreLearnedFrom() throws {
    let recording = try collect(
      CartPoleSwingup(), smallEpisode(size: 8), collectionSettings(30, episodeSteps: 7), seed: Seed(4))
    var trainer = try trainer(CartPoleSwingup.self, trainingSettings())
    trainer.seed(with: recording)
    #expect(trainer.envSteps == 30 * CartPoleSwingup.actionRepeat && trainer.updates == 0)
    #expect(trainer.replay.count == recording.count)
    try trainer.learn(5) { _ in }
    #expect(trainer.updates == 5)
  }

  /// An on-policy agent makes an update after each horizon, and none on the first data.
  @Test(arguments: [1, 3]) func rolloutsAreDueAfterTheirHorizon(_ environments: Int) throws {
    var settings = PPO.Settings()
    (settings.hidden, settings.horizon, settings.passes) = (8, 5, 1)
    var trainer = try Trainer(
      PendulumSwingup(), PPO.self, through: TrueState(PendulumSwingup.spec), agentSettings: settings,
      episodeSettings: smallEpisode(size: 8, timeLimit: 16),
      settings: trainingSettings(environments: environments, updatesPerStep: 2), seed: Seed(1))
    let recording = try collect(
      PendulumSwingup(), smallEpisode(size: 8), collectionSettings(30, episodeSteps: 7), seed: Seed(4))
    trainer.seed(with: recording)
    try trainer.learn(3) { _ in }
    #expect(trainer.updates == 0 && trainer.envSteps == recording.environmentSteps)
    for step in 1...23 {
      try trainer.step { _ in }
      #expect(trainer.updates == step / 5)
    }
  }

  @Test func heldActionsAreAnErrorForOnPolicyAgents() throws {
    func check(_ change: (inout TrainingSettings, inout PPO.Settings) -> Void) -> String {
      var (training, agent) = (trainingSettings(), PPO.Settings())
      training.replay = 1000
      change(&training, &agent)
      let run = TrainingRun(
        PendulumSwingup(), PPO.self, through: TrueState(PendulumSwingup.spec), agent: agent,
        episode: smallEpisode(), training: training, first: nil, seed: Seed(1))
      do { try run.check() } catch { return "\(error)" }
      return "none"
    }
    #expect(check { _, _ in } == "none")
    #expect(check { training, _ in training.exploreChance = 0.25 }.contains("leave out --explore-chance 0.25"))
    #expect(check { _, agent in agent.horizon = 600 }.contains("too small for --horizon 600"))
  }

  /// All transitions in the replay buffer obey the physics: the action leads from the observation to the next one. This
  /// holds for truncated and recorded episodes and held actions. Truncation does not stop bootstrapping.
  @Test(arguments: [1, 3], [0, 0.3])
  func storedTransitionsObeyThePhysics(_ environments: Int, _ exploreChance: Double) throws {
    typealias E = PendulumSwingup
    var settings = trainingSettings(environments: environments, updatesPerStep: 0)
    settings.exploreChance = exploreChance
    var trainer = try trainer(E.self, settings, timeLimit: 16)
    trainer.seed(
      with: try collect(E(), smallEpisode(size: 8), collectionSettings(30, episodeSteps: 7), seed: Seed(4)))
    for _ in 0..<40 { try trainer.step { _ in } }
    #expect(trainer.lastReturn != nil)
    var random = Seed(1).stream("draws")
    let batch = try trainer.replay.sample(300, using: &random)
    for b in 0..<300 {
      let (before, action, after) = (row(batch.observation, b), row(batch.action, b), row(batch.nextObservation, b))
      var environment = E()
      environment.state = [atan2(before[1], before[0]), before[2]]
      var reward = 0.0
      for _ in 0..<E.actionRepeat { reward += environment.step(action).reward }
      for (x, y) in zip(environment.observation, after) { #expect(abs(x - y) < 1e-4) }
      #expect(abs(reward - batch.reward.doubles[b]) < 1e-3)
      #expect(batch.discount.array[b] == 1)
    }
  }

  private func row(_ tensor: Tensor, _ b: Int) -> [Double] { tensor.rows(b..<b + 1).doubles }

  @Test func onlyTerminatedStepsHaveADiscountOfZero() throws {
    var settings = DoubleDQN.Settings()
    (settings.hidden, settings.batch) = (8, 8)
    var trainer = try Trainer(
      Catch(), DoubleDQN.self, through: TrueState(Catch.spec), agentSettings: settings,
      episodeSettings: smallEpisode(size: 8), settings: trainingSettings(environments: 2), seed: Seed(1))
    for _ in 0..<40 { try trainer.step { _ in } }
    #expect(trainer.lastReturn.map { abs($0) } == 1)
    var random = Seed(1).stream("draws")
    let batch = try trainer.replay.sample(200, using: &random)
    for b in 0..<200 {
      // There is a reward only if the ball has landed in the next frame.
      let hasLanded = batch.nextObservation.array[3 * b + 1] == -1
      #expect((batch.discount.array[b] == 0) == hasLanded && (batch.reward.array[b] != 0) == hasLanded)
    }
  }

  @Test func aLossThatIsNotFiniteStopsTheTraining() throws {
    var recording = try collect(CartPoleSwingup(), smallEpisode(size: 8), collectionSettings(1), seed: Seed(4))
    let (frame, observation) = (recording.frame(0), Array(recording.observation(0)))
    recording.begin(frame: frame, observation: observation)
    recording.append(action: [0], step: Step(reward: .infinity), frame: frame, observation: observation)
    var trainer = try trainer(CartPoleSwingup.self, trainingSettings())
    trainer.seed(with: recording)
    let error = #expect(throws: NotFinite.self) { try self.learn(&trainer) }
    #expect(error?.quantity == "critic/loss")
  }

  @Test func anActionThatIsNotFiniteStopsTheTraining() throws {
    var trainer = try trainer(CartPoleSwingup.self, trainingSettings())
    trainer.state.agent.replaceParameters { $1 * .nan }
    let error = #expect(throws: NotFinite.self) { try self.step(&trainer) }
    #expect(error?.quantity == "the action" && error?.tensor != nil)
  }

  private func step(_ trainer: inout Trainer<CartPoleSwingup, SAC, TrueState>) throws {
    try trainer.step { _ in }
  }

  private func learn(_ trainer: inout Trainer<CartPoleSwingup, SAC, TrueState>) throws {
    try trainer.learn(20) { _ in }
  }
}

/// Ends after the number of steps in its start state. The reward is the action.
private struct Countdown: BuiltInEnvironment {
  static var id: String { "countdown" }
  static var note: String { "ends by itself" }
  static var actionSpace: ActionSpace { .continuous(low: [-1], high: [1]) }
  static var episodeLength: Int { 100 }
  static var rewardRange: ClosedRange<Double> { -1...1 }
  static var stateNames: [String] { ["left"] }
  static var observationNames: [String] { stateNames }

  var state = [1.0]
  var observation: [Double] { state }
  mutating func reset(using random: inout Random) { state = [Double(1 + random.integer(below: 8))] }
  mutating func step(_ action: [Double]) -> Step {
    state[0] -= 1
    return Step(
      reward: action[0], discount: state[0] == 0 ? 0 : 1, ending: state[0] == 0 ? .terminated : .running)
  }
  func render(into frame: inout PixelBuffer) { frame.bytes[0] = UInt8(state[0]) }
}

@Suite struct EvaluationTests {
  @Test func episodesOfDifferentLengthsDoNotMix() throws {
    let layout = TrainingSettings().layout(latentSize: 1, actionSpace: Countdown.actionSpace)
    let agent = SAC(
      observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: smallAgent(), seed: Seed(1))
    func evaluate(_ episodes: Int) throws -> (evaluation: Evaluation, watched: [UInt8]) {
      var watched: [UInt8] = []
      let evaluation = try Evaluation(
        of: agent, in: Countdown(), smallEpisode(), through: TrueState(Countdown.spec), layout: layout,
        episodes: episodes, seed: Seed(3)
      ) { watched.append($0.bytes[0]) }
      return (evaluation, watched)
    }
    let (together, watched) = try evaluate(10)
    #expect(Set(together.lengths).count > 3)
    #expect(watched == (0...together.lengths[0]).reversed().map(UInt8.init))
    for count in 1...9 {
      let (evaluation, again) = try evaluate(count)
      #expect(evaluation.lengths == Array(together.lengths.prefix(count)) && again == watched)
      for (alone, one) in zip(evaluation.returns, together.returns) { #expect(abs(alone - one) < 1e-5) }
    }
  }

  private func evaluation(_ episodes: Int, seed: UInt64 = 3, timeLimit: Int = 100) throws -> Evaluation {
    let settings = trainingSettings(frames: 3, actions: 2)
    let layout = settings.layout(latentSize: 3, actionSpace: PendulumSwingup.actionSpace)
    let agent = SAC(
      observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: smallAgent(), seed: Seed(1))
    return try Evaluation(
      of: agent, in: PendulumSwingup(), smallEpisode(size: 8, timeLimit: timeLimit),
      through: TrueState(PendulumSwingup.spec), layout: layout, episodes: episodes, seed: Seed(seed))
  }

  @Test func parallelEpisodesEqualSingleOnes() throws {
    let together = try evaluation(12)
    #expect(together.returns.count == 12 && Set(together.lengths) == [100])
    for count in [1, 5] {
      for (alone, one) in try zip(evaluation(count).returns, together.returns) {
        #expect(abs(alone - one) < 1e-6)
      }
    }
    #expect(together.returns.contains { $0 > 0 }, "otherwise nothing is compared")
    #expect(try evaluation(12).returns == together.returns)
    #expect(try evaluation(12, seed: 4).returns != together.returns)
  }

  @Test func meanAndDeviationAreThoseOfTheReturns() throws {
    let evaluation = try evaluation(6)
    let mean = evaluation.returns.reduce(0, +) / 6
    #expect(abs(evaluation.mean - mean) < 1e-12)
    let squares = evaluation.returns.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
    #expect(abs(evaluation.deviation - (squares / 6).squareRoot()) < 1e-12)
  }

  @Test func everyFrameOfTheFirstEpisodeIsWatched() throws {
    var settings = DoubleDQN.Settings()
    settings.hidden = 8
    let layout = TrainingSettings().layout(latentSize: 3, actionSpace: Catch.actionSpace)
    let agent = DoubleDQN(
      observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: settings, seed: Seed(1))
    var frames: [PixelBuffer] = []
    let evaluation = try Evaluation(
      of: agent, in: Catch(), smallEpisode(), through: TrueState(Catch.spec), layout: layout, episodes: 3,
      seed: Seed(2)
    ) { frames.append($0) }
    #expect(evaluation.lengths == [9, 9, 9] && frames.count == 10)
    #expect(Set(frames).count == 10)
    #expect(evaluation.returns.allSatisfy { abs($0) == 1 })
  }
}
