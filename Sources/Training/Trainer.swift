import Agents
import Core
import Environments
import Formats
import Pixels
import Replay
import Representations
import Runs
import Tensors

/// A step could not be made: an environment failed, such as when its process died, or a signal came during a round. The
/// trainer is as before the step, except that a round of its encoder may have ended.
struct StepFailed: Error {
  let reason: any Error
}

/// Trains an agent in environments through a representation: from frames to latents, replay buffer, updates and
/// actions. It is independent of the agent's algorithm and of the encoder's place.
public struct Trainer<E: Environment, A: Agent, R: Representation>: ~Copyable {
  public let environment: E
  private let spec: EnvironmentSpec
  public let settings: TrainingSettings
  /// The settings of evaluation episodes.
  public let episodeSettings: EpisodeSettings
  public let layout: HistoryLayout
  public internal(set) var replay: ReplayBuffer
  /// All other mutable state.
  var state: State

  /// Everything that the rest of the training depends on, except the replay buffer.
  struct State: Codable {
    var agent: A
    var representation: R
    var play: Play<E>
    var explorations: [RepeatedActionExploration]
    var sampling: Random
    var schedule: UpdateSchedule
    var envSteps = 0
    var updates = 0
    var lastReturn: Double?
    var hasBegun = false
    /// The revision of the representation that the histories' latents were encoded with.
    var seenRevision = 0
  }

  public var agent: A { state.agent }
  public var representation: R { state.representation }
  /// The number of simulator steps so far.
  public var envSteps: Int { state.envSteps }
  public var updates: Int { state.updates }
  /// What evaluations, checkpoints and logs count: simulator steps, or updates if the agent does not act.
  public var stepCount: Int { settings.isOffline ? updates : envSteps }
  /// The return and the number of simulator steps of the episodes that ended with the last step.
  public private(set) var finished: [(sum: Double, length: Int)] = []
  /// The return of the last finished episode.
  public var lastReturn: Double? { state.lastReturn }

  /// - Throws: The environment's errors.
  public init(
    _ environment: E, _ agentKind: A.Type, through representation: R, agentSettings: A.Settings,
    episodeSettings: EpisodeSettings, settings: TrainingSettings, seed: Seed
  ) throws {
    let spec = environment.spec
    (self.spec, self.environment) = (spec, environment)
    self.settings = settings
    self.episodeSettings = episodeSettings
    layout = settings.layout(latentSize: representation.latentSize, actionSpace: spec.actionSpace)
    replay = ReplayBuffer(
      capacity: settings.capacity(of: representation.memory, layout), lanes: settings.environments, layout: layout,
      memory: representation.memory, isPrioritized: agentSettings.drawsByPriority)
    let episodes = try (0..<settings.environments).map {
      try Episode(environment, settings.practice(of: episodeSettings, in: spec), seed: seed.child("environment \($0)"))
    }
    state = State(
      agent: A(
        observationSize: layout.observationSize, actionSpace: spec.actionSpace, settings: agentSettings,
        seed: seed.child("agent")),
      representation: representation, play: Play(episodes, layout),
      explorations: episodes.indices.map {
        RepeatedActionExploration(
          chance: settings.exploreChance, limit: settings.exploreHoldLimit, random: seed.stream("exploration \($0)"))
      }, sampling: seed.stream("replay"),
      schedule: UpdateSchedule(updatesPerStep: settings.updatesPerStep, returnSteps: settings.returnSteps))
  }

  /// Fills the replay buffer with recorded transitions. Their simulator steps count towards `envSteps`.
  public mutating func seed(with recording: Recording) {
    let (size, keepsFrames) = (layout.latentSize, replay.memory.frameSize > 0)
    state.representation.latents(of: recording).withElements { latents in
      for i in 0..<recording.count {
        let latent = latents.extracting(i * size..<(i + 1) * size)
        let frame = keepsFrames ? recording.frame(i).bytes : nil
        if i > 0, recording.episodes[i] == recording.episodes[i - 1], let step = recording.steps[i - 1] {
          replay.append(
            lane: 0, action: Array(recording.action(i - 1)).span, step: settings.learned(step, of: spec),
            latent: latent, frame: frame)
        } else {
          replay.begin(lane: 0, latent: latent, frame: frame)
        }
      }
    }
    state.envSteps += recording.environmentSteps
  }

  /// Makes `count` updates on batches of the replay buffer, before the agent acts.
  public mutating func learn(_ count: Int, report: (Metrics) throws -> Void) throws {
    for _ in 0..<count {
      state.schedule.owe()
      try update(report: report)
    }
  }

  /// Makes the updates that are due.
  private mutating func update(report: (Metrics) throws -> Void) throws {
    while true {
      var encoding: BatchEncoding?
      let demand = state.agent.demand(returnSteps: state.schedule.returnSteps)
      let next = try A.Settings.Experience.next(
        demand, from: replay, &state.schedule, using: &state.sampling
      ) { replay, draw in
        let (batch, batchEncoding) = state.representation.batch(of: draw, from: replay)
        encoding = batchEncoding
        return batch
      }
      guard let experience = next else { return }
      var lesson = state.agent.update(experience)
      lesson.metrics.merge(try state.representation.learn(from: lesson, encoding))
      if lesson.isComplete { state.updates += 1 } else { state.schedule.owe() }
      try requireFinite(lesson.metrics, step: stepCount, in: state.agent)
      if replay.isPrioritized, !lesson.priorities.isEmpty { replay.prioritize(experience.slots, by: lesson.priorities) }
      try report(lesson.metrics)
    }
  }

  /// Steps every environment once, and makes the updates that are due. If the agent does not act, makes one update.
  ///
  /// A round of the encoder that is due comes first. The agent that the last step left has learned with the encoder from
  /// before the round, so it is evaluated and saved with that one, and no round comes after the last step.
  ///
  /// - Parameter check: Called during a round. Throws `Interrupted` to end it, which leaves no trace of the round.
  /// - Throws: `StepFailed` if an environment failed or a round was interrupted. `NotFinite` if a reward, an observation,
  ///   an action or a training metric is not finite.
  public mutating func step(
    report: (Metrics) throws -> Void, check: () throws -> Void = Interruption.check
  ) throws {
    guard !settings.isOffline else { return try learn(1, report: report) }
    if !state.hasBegun { try begin() }
    try learnInRound(report: report, check: check)
    if state.seenRevision != state.representation.revision { reencodeHistories() }
    let lanes = Array(state.play.episodes.indices)
    let before = state.envSteps
    let (actions, outcome) = try act(lanes)
    try store(actions, outcome)
    // An episode that failed has no return.
    finished = state.play.episodes.filter { $0.ending.isOrdinary }.map { ($0.episodeReturn, $0.steps) }
    for i in lanes where outcome.steps[i].ending != .running {
      if outcome.steps[i].ending.isOrdinary { state.lastReturn = state.play.episodes[i].episodeReturn }
      try state.play.episodes[i].reset()
      try begin(i)
    }
    if settings.resetAt.contains(where: { before < $0 && $0 <= state.envSteps }) { resetAgent() }
    state.schedule.step(lanes.count)
    try update(report: report)
  }

  /// Lets the representation learn from the replay buffer, if a round is due.
  private mutating func learnInRound(report: (Metrics) throws -> Void, check: () throws -> Void) throws {
    let metrics: Metrics?
    do {
      metrics = try state.representation.learn(from: &replay, step: state.envSteps, check: check)
    } catch let error as Interrupted { throw StepFailed(reason: error) }
    guard let metrics else { return }
    // The policy chose its actions so far by the old latents, which the replay buffer no longer has.
    if !A.Settings.Experience.isOffPolicy { state.schedule.begin(at: replay) }
    try report(metrics)
  }

  /// Replaces the agent with a new one of the same kind. It learns from the replay buffer at once.
  private mutating func resetAgent() {
    state.agent = A(
      observationSize: layout.observationSize, actionSpace: spec.actionSpace, settings: state.agent.settings,
      seed: Seed(state.sampling.next()))
    // Actions of the old agent are not the new one's own.
    if !A.Settings.Experience.isOffPolicy { state.schedule.begin(at: replay) }
  }

  /// Lets the agent act once in every environment. Returns the actions `[N, A]` and their outcome.
  private mutating func act(_ lanes: [Int]) throws -> (actions: Tensor, outcome: Play<E>.Outcome) {
    let before = state
    let actions = explored(state.agent.act(state.play.observation(lanes), .explore))
    guard actions.isFinite else {
      throw NotFinite(step: state.envSteps, quantity: "the action", value: .nan, in: state.agent)
    }
    do {
      let outcome = try state.play.step(lanes, actions, through: state.representation)
      for (new, old) in zip(state.play.episodes, before.play.episodes) {
        state.envSteps += new.totalSteps - old.totalSteps
      }
      return (actions, outcome)
    } catch {
      state = before
      throw StepFailed(reason: error)
    }
  }

  /// Appends a step of every environment to the replay buffer.
  private mutating func store(_ actions: Tensor, _ outcome: Play<E>.Outcome) throws {
    let (size, width) = (layout.latentSize, layout.actionSpace.arrayCount)
    // Check before storing, or later batches would contain the value.
    if let i = outcome.steps.indices.first(where: { !Float(outcome.steps[$0].reward).isFinite }) {
      try checkFinite(state.play.episodes[i], outcome.steps[i])
    }
    try checkFinite(outcome.latents, of: state.play.episodes)
    actions.withElements { actions in
      outcome.latents.withElements { latents in
        for i in outcome.steps.indices where outcome.steps[i].ending != .failed {
          replay.append(
            lane: i, action: actions.extracting(i * width..<(i + 1) * width),
            step: settings.learned(outcome.steps[i], of: spec),
            latent: latents.extracting(i * size..<(i + 1) * size),
            frame: outcome.moments[i].frames.last?.bytes)
        }
      }
    }
  }

  /// Throws `NotFinite` for the first reward or observation of an environment that is not finite.
  private func checkFinite(_ episode: Episode<E>, _ outcome: Step? = nil) throws {
    guard let (quantity, value) = try episode.spoiled(after: outcome) else { return }
    throw NotFinite(
      step: state.envSteps, quantity: quantity, value: value, moment: episode.moment, in: state.agent)
  }

  /// Throws `NotFinite` if latents are not finite. If an environment's observation is not finite either, the error
  /// names it.
  private func checkFinite(_ latents: Tensor, of episodes: [Episode<E>]) throws {
    guard !latents.isFinite else { return }
    for episode in episodes { try checkFinite(episode) }
    throw NotFinite(step: state.envSteps, quantity: "the observation", value: .nan, in: state.agent)
  }

  /// Replaces the agent's actions `[N, A]` in lanes that hold an exploration action.
  private mutating func explored(_ actions: Tensor) -> Tensor {
    guard settings.exploreChance > 0 else { return actions }
    let width = layout.actionSpace.arrayCount
    var taken = actions.array
    for i in state.explorations.indices {
      guard let action = state.explorations[i].act(in: layout.actionSpace) else { continue }
      taken.replaceSubrange(i * width..<(i + 1) * width, with: action)
    }
    return Tensor(taken, actions.shape)
  }

  /// Encodes the histories of the running episodes again, after the encoder has changed.
  private mutating func reencodeHistories() {
    state.seenRevision = state.representation.revision
    let (most, stack) = (layout.reach + 1, replay.memory.frameStack)
    for i in state.play.episodes.indices {
      let frames = replay.newestFrames(of: i, atMost: most + stack - 1)
      let all =
        replay.memory.keepsLatents
        ? Tensor(frames.latents, [frames.count, layout.latentSize]) : state.representation.latents(of: frames)
      state.play.rebuild(i, all.rows(max(0, frames.count - most)..<frames.count), of: frames)
    }
  }

  private mutating func begin() throws {
    state.hasBegun = true
    state.representation.begin(at: state.envSteps)
    for i in state.play.episodes.indices { try begin(i) }
    state.schedule.begin(at: replay)
  }

  private mutating func begin(_ i: Int) throws {
    let (moments, latents) = try state.play.begin([i], through: state.representation)
    try checkFinite(latents, of: [state.play.episodes[i]])
    latents.withElements { replay.begin(lane: i, latent: $0, frame: moments[0].frames.last?.bytes) }
    state.explorations[i].begin()
  }

  /// Plays episodes with deterministic actions.
  public func evaluate(seed: Seed, watch: (PixelBuffer) throws -> Void = { _ in }) throws -> Evaluation {
    try Evaluation(
      of: state.agent, in: environment, episodeSettings, through: state.representation, layout: layout,
      episodes: settings.evaluationEpisodes, seed: seed, watch: watch)
  }
}
