import Agents
import Core
import Environments
import Pixels
import Replay
import Tensors

/// The environments could not be stepped, such as for a process that died; nothing has changed.
struct StepNotTaken: Error {
  let reason: any Error
}

/// An agent that learns in environments through an observer: the data's way from frame to update, and back as actions.
public struct Trainer<E: Environment, A: Agent, O: Observer>: ~Copyable {
  public let environment: E
  public let settings: TrainingSettings
  /// How whole episodes are played, which judge the agent.
  public let episodeSettings: EpisodeSettings
  public let layout: HistoryLayout
  public internal(set) var replay: ReplayBuffer
  /// All else that changes.
  var state: State
  /// What each lane of the replay buffer was made of, latent by latent; empty where the observer never learns on.
  var recordings: [Recording] = []
  private let seed: Seed
  /// What asynchronous workers hand over.
  let arrivals = Arrivals<Result<Segment<E, A>, any Error>>()
  /// Whether asynchronous workers are under way.
  var workersPlay = false

  /// All that the future depends on, but for the replay buffer and recorded frames.
  struct State: Codable {
    var agent: A
    var observer: O
    var episodes: [Episode<E>]
    var histories: [History]
    var explorations: [HeldExploration]
    var sampling: Random
    var schedule: UpdateSchedule
    var retrainingIsDue: Every
    var envSteps = 0
    var updates = 0
    var lastReturn: Double?
    var hasBegun = false
    var retrainings = 0
    /// Asynchronous workers, each as it was when it last handed over; none where all environments are stepped together.
    var workers: [Worker<E, A>] = []
  }

  public var agent: A { state.agent }
  public var observer: O { state.observer }
  /// Simulator steps so far.
  public var envSteps: Int { state.envSteps }
  public var updates: Int { state.updates }
  /// Return and simulator steps of the episodes that the last step finished.
  public internal(set) var finished: [(sum: Double, length: Int)] = []
  /// The return of the last finished episode.
  public var lastReturn: Double? { state.lastReturn }
  var histories: [History] { state.histories }

  /// - Throws: what the environment fails with.
  public init(
    _ environment: E, _ agentKind: A.Type, through observer: O, agentSettings: A.Settings,
    episodeSettings: EpisodeSettings, settings: TrainingSettings, seed: Seed
  ) throws {
    let spec = environment.spec
    self.environment = environment
    self.settings = settings
    self.episodeSettings = episodeSettings
    layout = settings.layout(latentSize: observer.latentSize, actionSpace: spec.actionSpace)
    replay = ReplayBuffer(
      capacity: settings.replay, lanes: settings.environments, layout: layout,
      isPrioritized: agentSettings.drawsByPriority)
    let episodes = try (0..<settings.environments).map {
      try Episode(environment, settings.practice(of: episodeSettings, in: spec), seed: seed.child("environment \($0)"))
    }
    state = State(
      agent: A(
        observationSize: layout.observationSize, actionSpace: spec.actionSpace, settings: agentSettings,
        seed: seed.child("agent")),
      observer: observer, episodes: episodes, histories: episodes.map { [layout] _ in History(layout) },
      explorations: episodes.indices.map {
        HeldExploration(
          chance: settings.exploreChance, limit: settings.exploreHoldLimit, random: seed.stream("exploration \($0)"))
      }, sampling: seed.stream("replay"),
      schedule: UpdateSchedule(updatesPerStep: settings.updatesPerStep, returnSteps: settings.returnSteps),
      retrainingIsDue: Every(settings.retrainRounds > 0 ? settings.retrainEvery : 0))
    self.seed = seed
    if settings.asynchronous {
      state.workers = episodes.indices.map { lane in
        let agent = A(
          observationSize: layout.observationSize, actionSpace: spec.actionSpace, settings: agentSettings,
          seed: seed.child("worker \(lane)"))
        return Worker(agent: agent, episode: episodes[lane], history: state.histories[lane])
      }
    }
    if settings.retrainRounds > 0 {
      recordings = episodes.map {
        Recording(
          frame: $0.blankFrame, observationNames: spec.observationNames, actionSpace: spec.actionSpace)
      }
    }
  }

  /// Fills the replay buffer with recorded transitions, whose simulator steps count.
  public mutating func seed(with recording: Recording) {
    let (size, spec) = (layout.latentSize, environment.spec)
    state.observer.observe(recording).withElements { latents in
      for i in 0..<recording.count {
        let latent = latents.extracting(i * size..<(i + 1) * size)
        if i > 0, recording.episodes[i] == recording.episodes[i - 1], let step = recording.steps[i - 1] {
          replay.append(
            lane: 0, action: Array(recording.action(i - 1)).span, step: settings.learned(step, of: spec),
            latent: latent)
        } else {
          replay.begin(lane: 0, latent: latent)
        }
      }
    }
    state.envSteps += recording.environmentSteps
    if !recordings.isEmpty { recordings[0].append(contentsOf: recording) }
  }

  /// Updates on what the buffer holds, before the agent acts: on batches, since a rollout needs an agent that acted.
  public mutating func learn(_ count: Int, report: (Metrics) throws -> Void) throws {
    for _ in 0..<count {
      state.schedule.owe()
      try update(report: report)
    }
  }

  /// The updates that are due.
  private mutating func update(report: (Metrics) throws -> Void) throws {
    while let experience = try A.Settings.Experience.next(
      state.agent.settings.demand, from: replay, &state.schedule, using: &state.sampling)
    {
      let metrics = state.agent.update(experience)
      state.updates += 1
      try requireFinite(metrics, step: state.envSteps, in: state.agent)
      if replay.isPrioritized { replay.prioritize(experience.slots, by: state.agent.priorities) }
      try report(metrics)
    }
  }

  /// One step of every environment, and the updates that are due for it; of asynchronous workers, one's segment.
  public mutating func step(report: (Metrics) throws -> Void) throws {
    guard !settings.asynchronous else { return try learnFromNextWorker(report: report) }
    if !state.hasBegun { try begin() }
    let width = layout.actionSpace.arrayCount
    let (actions, outcomes, latents) = try play()
    // Before it is remembered: what is drawn from the replay buffer later would spread it.
    if let i = outcomes.indices.first(where: { !Float(outcomes[$0].reward).isFinite }) {
      try requireSound(state.episodes[i], outcomes[i])
    }
    try requireSound(latents, of: state.episodes)
    try actions.withElements { actions in
      try latents.withElements { latents in
        for i in state.episodes.indices where outcomes[i].ending != .failed {
          let action = actions.extracting(i * width..<(i + 1) * width)
          let latent = latents.extracting(i * layout.latentSize..<(i + 1) * layout.latentSize)
          replay.append(
            lane: i, action: action, step: settings.learned(outcomes[i], of: state.episodes[i].spec), latent: latent)
          state.histories[i].append(action: action, latent: latent)
          guard !recordings.isEmpty else { continue }
          recordings[i].append(
            action: (0..<width).map { action[$0] }, step: outcomes[i], frame: try state.episodes[i].frame,
            observation: try state.episodes[i].observation)
        }
      }
    }
    // What failed in its middle has no return.
    finished = state.episodes.filter { $0.ending.isOrdinary }.map { ($0.episodeReturn, $0.steps) }
    for i in state.episodes.indices where outcomes[i].ending != .running {
      if outcomes[i].ending.isOrdinary { state.lastReturn = state.episodes[i].episodeReturn }
      try state.episodes[i].reset()
      try begin(i)
    }
    state.schedule.step(state.episodes.count)
    try update(report: report)
    if state.retrainingIsDue(state.envSteps), state.retrainings < settings.retrainRounds, let metrics = try retrain() {
      try report(metrics)
    }
  }

  /// Lets the agent act once in every environment.
  ///
  /// - Returns: the actions `[N, A]`, what they gave, and the latents `[N, Z]` that they led to.
  /// - Throws: `StepNotTaken` where the world failed: the trainer is then as it was before.
  private mutating func play() throws -> (actions: Tensor, outcomes: [Step], latents: Tensor) {
    let before = state
    let (size, width) = (layout.observationSize, layout.actionSpace.arrayCount)
    let observation = Tensor([state.episodes.count, size], of: Float.self) { target in
      for i in state.histories.indices { state.histories[i].write(into: &target, at: i * size) }
    }
    let actions = explored(state.agent.act(observation, .explore))
    guard actions.isFinite else {
      throw NotFinite(step: state.envSteps, quantity: "the action", value: .nan, in: state.agent)
    }
    let chosen = actions.withElements { actions in
      state.episodes.indices.map { layout.actionSpace.denormalized(actions.extracting($0 * width..<($0 + 1) * width)) }
    }
    do {
      let outcomes = try state.episodes.step(Array(state.episodes.indices), chosen)
      for (new, old) in zip(state.episodes, before.episodes) { state.envSteps += new.totalSteps - old.totalSteps }
      return (actions, outcomes, try state.observer.observe(state.episodes))
    } catch {
      state = before
      throw StepNotTaken(reason: error)
    }
  }

  /// Throws `NotFinite` for the first reward or observation of an environment that is not finite.
  private func requireSound(_ episode: Episode<E>, _ outcome: Step? = nil) throws {
    guard let (quantity, value) = try episode.spoiled(after: outcome) else { return }
    throw NotFinite(
      step: state.envSteps, quantity: quantity, value: value, moment: episode.moment, in: state.agent)
  }

  /// Throws `NotFinite` for latents that are not finite: of the environment, where its observation is not either.
  private func requireSound(_ latents: Tensor, of episodes: [Episode<E>]) throws {
    guard !latents.isFinite else { return }
    for episode in episodes { try requireSound(episode) }
    throw NotFinite(step: state.envSteps, quantity: "the observation", value: .nan, in: state.agent)
  }

  /// The agent's actions `[N, A]`, but for the lanes that hold an action of their own.
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

  /// Lets the observer learn on from all frames so far, and sees everything that is remembered anew.
  private mutating func retrain() throws -> Metrics? {
    state.retrainings += 1
    var all = recordings[0]
    for recording in recordings.dropFirst() { all.append(contentsOf: recording) }
    let metrics = try state.observer.retrain(on: all, seed: seed.child("retraining \(state.retrainings)"))
    guard metrics != nil else { return nil }
    for (lane, recording) in recordings.enumerated() {
      let latents = state.observer.observe(recording)
      replay.replaceLatents(lane: lane, with: latents)
      rebuildHistory(lane, of: latents, recording)
    }
    return metrics
  }

  /// Plays a lane's running episode again into its history, with other latents.
  private mutating func rebuildHistory(_ lane: Int, of latents: Tensor, _ recording: Recording) {
    let size = layout.latentSize
    guard let start = recording.episodes.firstIndex(where: { $0 == recording.episodes.last }) else { return }
    latents.withElements { latents in
      state.histories[lane].begin(with: latents.extracting(start * size..<(start + 1) * size))
      for i in (start + 1)..<max(recording.count, start + 1) {
        state.histories[lane].append(
          action: Array(recording.action(i - 1)).span, latent: latents.extracting(i * size..<(i + 1) * size))
      }
    }
  }

  private mutating func begin() throws {
    state.hasBegun = true
    state.retrainingIsDue = Every(state.retrainingIsDue.period, from: state.envSteps)
    for i in state.episodes.indices { try begin(i) }
    state.schedule.begin(at: replay)
  }

  private mutating func begin(_ i: Int) throws {
    let latent = try state.observer.observe([state.episodes[i]])
    try requireSound(latent, of: [state.episodes[i]])
    latent.withElements { latent in
      state.histories[i].begin(with: latent)
      replay.begin(lane: i, latent: latent)
    }
    state.explorations[i].begin()
    if !recordings.isEmpty {
      recordings[i].begin(frame: try state.episodes[i].frame, observation: try state.episodes[i].observation)
    }
  }

  /// Plays episodes with deterministic actions.
  public func evaluate(seed: Seed, watch: (PixelBuffer) throws -> Void = { _ in }) throws -> Evaluation {
    try Evaluation(
      of: state.agent, in: environment, episodeSettings, through: state.observer, layout: layout,
      episodes: settings.evaluationEpisodes, seed: seed, watch: watch)
  }
}
