import Agents
import Core
import Environments
import Pixels
import Replay
import Tensors

/// How long an agent learns, and how it is judged.
public struct TrainingSettings: SettingsGroup, Hashable {
  public var envSteps = 100_000
  public var environments = 1
  public var replay = 1_000_000
  public var frames = 3
  public var actions = 2
  public var differenceScale = 2.0
  public var seedUpdates = 1000
  public var updatesPerStep = 1.0
  public var evaluateEvery = 10_000
  public var evaluationEpisodes = 20
  public var retrainRounds = 0
  public var retrainEvery = 20_000
  public var retrainSteps = 500

  public init() {}
  public static var fields: [Field<Self>] {
    [
      Field("env-steps", \.envSteps, 1...Int.max, "simulator steps in all, those of pretraining's data included"),
      Field("environments", \.environments, 1...4096, "environments that are stepped side by side"),
      Field("replay", \.replay, 16...Int.max, "latents that the replay buffer keeps"),
      Field(
        "history-frames", \.frames, 1...64,
        "latents that the agent sees, as the last one and differences; 1 of the true state unless given"),
      Field(
        "history-actions", \.actions, 0...64, "past actions that the agent sees; 0 beside the true state unless given"),
      Field("difference-scale", \.differenceScale, 0...1000, "factor on the differences of latents"),
      Field("seed-updates", \.seedUpdates, 0...Int.max, "updates on the first data before the agent acts"),
      Field("updates-per-step", \.updatesPerStep, 0...1000, "updates for each agent step"),
      Field("evaluate-every", \.evaluateEvery, 0...Int.max, "simulator steps between evaluations; 0: only the last"),
      Field(
        "evaluation-episodes", \.evaluationEpisodes, 1...100_000, "episodes of an evaluation, deterministic actions"),
      Field(
        "retrain-rounds", \.retrainRounds, 0...100_000,
        "times that the autoencoder is trained further on all frames so far, which are then kept"),
      Field("retrain-every", \.retrainEvery, 1...Int.max, "simulator steps between these rounds"),
      Field("retrain-steps", \.retrainSteps, 1...Int.max, "updates of the autoencoder in each of them"),
    ]
  }
}

extension TrainingSettings {
  /// What the agent sees of latents of Z numbers.
  public func layout(latentSize: Int, actionSpace: ActionSpace) -> HistoryLayout {
    HistoryLayout(
      latentSize: latentSize, frames: frames, actions: actions, actionSpace: actionSpace,
      differenceScale: Float(differenceScale))
  }
}

/// An agent that learns in environments through an observer: the data's way from frame to update, and back as actions.
public struct Trainer<E: Environment, A: Agent, O: Observer>: ~Copyable {
  public let settings: TrainingSettings
  public let episodeSettings: EpisodeSettings
  public let layout: HistoryLayout
  public private(set) var agent: A
  public private(set) var observer: O
  public private(set) var replay: ReplayBuffer
  /// Simulator steps so far.
  public private(set) var envSteps = 0
  public private(set) var updates = 0
  /// The return of the last finished episode.
  public private(set) var lastReturn: Double?

  private var episodes: [Episode<E>]
  private(set) var histories: [History]
  private var sampling: Random
  private var owedUpdates = 0.0
  private var hasBegun = false
  /// What each lane of the replay buffer was made of, latent by latent; empty where the observer never learns on.
  private var recordings: [Recording] = []
  private var retrainings = 0
  private var retrainingIsDue: Every
  private let seed: Seed

  public init(
    _ environment: E.Type, _ agentKind: A.Type, through observer: O, agentSettings: A.Settings,
    episodeSettings: EpisodeSettings, settings: TrainingSettings, seed: Seed
  ) {
    self.settings = settings
    self.episodeSettings = episodeSettings
    self.observer = observer
    layout = settings.layout(latentSize: observer.latentSize, actionSpace: E.actionSpace)
    agent = A(
      observationSize: layout.observationSize, actionSpace: E.actionSpace, settings: agentSettings,
      seed: seed.child("agent"))
    replay = ReplayBuffer(capacity: settings.replay, lanes: settings.environments, layout: layout)
    episodes = (0..<settings.environments).map { Episode<E>(episodeSettings, seed: seed.child("environment \($0)")) }
    histories = episodes.map { [layout] _ in History(layout) }
    sampling = seed.stream("replay")
    retrainingIsDue = Every(settings.retrainRounds > 0 ? settings.retrainEvery : 0)
    self.seed = seed
    if settings.retrainRounds > 0 {
      recordings = episodes.map {
        Recording(
          frame: $0.blankFrame, observationNames: E.observationNames, actionSize: E.actionSpace.arrayCount)
      }
    }
  }

  /// Fills the replay buffer with recorded transitions, whose simulator steps count.
  public mutating func seed(with recording: Recording) {
    let size = layout.latentSize
    observer.observe(recording).withElements { latents in
      for i in 0..<recording.count {
        let latent = latents.extracting(i * size..<(i + 1) * size)
        if i > 0, recording.episodes[i] == recording.episodes[i - 1], let step = recording.steps[i - 1] {
          replay.append(lane: 0, action: Array(recording.action(i - 1)).span, step: step, latent: latent)
        } else {
          replay.begin(lane: 0, latent: latent)
        }
      }
    }
    envSteps += recording.environmentSteps
    if !recordings.isEmpty { recordings[0].append(contentsOf: recording) }
  }

  /// Updates on what the buffer holds, before the agent acts.
  public mutating func learn(_ count: Int, report: (Metrics) throws -> Void) throws {
    for _ in 0..<count { try report(update()) }
  }

  private mutating func update() throws -> Metrics {
    let batch = try replay.sample(agent.batchSize, using: &sampling)
    let metrics = agent.update(batch)
    updates += 1
    try requireFinite(metrics, step: envSteps, in: agent)
    return metrics
  }

  /// One step of every environment, and the updates that are due for it.
  public mutating func step(report: (Metrics) throws -> Void) throws {
    if !hasBegun { begin() }
    let (size, width) = (layout.observationSize, layout.actionSpace.arrayCount)
    let observation = Tensor([episodes.count, size], of: Float.self) { target in
      for i in histories.indices { histories[i].write(into: &target, at: i * size) }
    }
    let actions = agent.act(observation, .explore)
    var outcomes: [Step] = []
    actions.withElements { actions in
      for i in episodes.indices {
        let before = episodes[i].totalSteps
        outcomes.append(
          episodes[i].step(layout.actionSpace.denormalized(actions.extracting(i * width..<(i + 1) * width))))
        envSteps += episodes[i].totalSteps - before
      }
    }
    let latents = observer.observe(episodes)
    actions.withElements { actions in
      latents.withElements { latents in
        for i in episodes.indices {
          let action = actions.extracting(i * width..<(i + 1) * width)
          let latent = latents.extracting(i * layout.latentSize..<(i + 1) * layout.latentSize)
          replay.append(lane: i, action: action, step: outcomes[i], latent: latent)
          histories[i].append(action: action, latent: latent)
          guard !recordings.isEmpty else { continue }
          recordings[i].append(
            action: (0..<width).map { action[$0] }, step: outcomes[i], frame: episodes[i].frame,
            observation: episodes[i].observation)
        }
      }
    }
    for i in episodes.indices where outcomes[i].ending != .running {
      lastReturn = episodes[i].episodeReturn
      episodes[i].reset()
      begin(i, observer.observe([episodes[i]]))
    }
    owedUpdates += settings.updatesPerStep * Double(episodes.count)
    while owedUpdates >= 1 {
      owedUpdates -= 1
      try report(update())
    }
    if retrainingIsDue(envSteps), retrainings < settings.retrainRounds, let metrics = try retrain() {
      try report(metrics)
    }
  }

  /// Lets the observer learn on from all frames so far, and sees everything that is remembered anew.
  private mutating func retrain() throws -> Metrics? {
    retrainings += 1
    var all = recordings[0]
    for recording in recordings.dropFirst() { all.append(contentsOf: recording) }
    let metrics = try observer.retrain(on: all, seed: seed.child("retraining \(retrainings)"))
    guard metrics != nil else { return nil }
    for (lane, recording) in recordings.enumerated() {
      let latents = observer.observe(recording)
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
      histories[lane].begin(with: latents.extracting(start * size..<(start + 1) * size))
      for i in (start + 1)..<max(recording.count, start + 1) {
        histories[lane].append(
          action: Array(recording.action(i - 1)).span, latent: latents.extracting(i * size..<(i + 1) * size))
      }
    }
  }

  private mutating func begin() {
    hasBegun = true
    retrainingIsDue = Every(retrainingIsDue.period, from: envSteps)
    for i in episodes.indices { begin(i, observer.observe([episodes[i]])) }
  }

  private mutating func begin(_ i: Int, _ latent: Tensor) {
    latent.withElements { latent in
      histories[i].begin(with: latent)
      replay.begin(lane: i, latent: latent)
    }
    if !recordings.isEmpty { recordings[i].begin(frame: episodes[i].frame, observation: episodes[i].observation) }
  }

  /// Plays episodes with deterministic actions.
  public func evaluate(seed: Seed, watch: (PixelBuffer) throws -> Void = { _ in }) rethrows -> Evaluation {
    try Evaluation(
      of: agent, in: E.self, episodeSettings, through: observer, layout: layout,
      episodes: settings.evaluationEpisodes, seed: seed, watch: watch)
  }
}
