import Core
import Environments
import Pixels
import Representations
import Runs

/// How frames are collected before there is an agent.
public struct CollectionSettings: SettingsGroup, Hashable {
  public var policy = CollectionPolicy.held
  public var steps = 2500
  public var holdLimit = 8
  public var noOpChance = 0.0
  public var episodeSteps = 0
  public var environments = 1

  public init() {}

  public static let title = "collection"
  public static var fields: [Field<Self>] {
    [
      Field(
        "collect-policy", \.policy,
        "held: random actions, each repeated for several steps; correlated: a random walk of actions; uniform: states "
          + "drawn uniformly, if the environment supports it"),
      Field("collect-steps", \.steps, 1...Int.max, "number of agent steps to collect"),
      Field("hold-limit", \.holdLimit, 1...100_000, "maximum number of agent steps to repeat a random action"),
      Field(
        "no-op-chance", \.noOpChance, 0...1,
        "discrete actions: probability that a random action is the first one, which does nothing in many games; 0: all "
          + "are equally likely"
      )
      .addedLater(),
      Field(
        "collect-episode-steps", \.episodeSteps, 0...Int.max,
        "agent steps after which an episode is truncated; 0: the task's own limit, but random play ends at the task's "
          + "exploration length if it has one"),
      Field(
        "collect-environments", \.environments, 1...4096,
        "number of environments, stepped in turn; those of Gymnasium run in parallel processes"),
    ]
  }
}

extension CollectionSettings {
  /// Checks these settings before any episode is played.
  ///
  /// - Throws: `InputError` if the environment cannot draw its states uniformly, or memory is too small for the frames.
  public func check(_ environment: some Environment, _ episodeSettings: EpisodeSettings) throws {
    var episode = try Episode(environment, episodeSettings, seed: Seed(0))
    guard try policy != .uniform || episode.randomize() else {
      throw InputError("\(episode.spec.id) cannot draw its states uniformly: use --collect-policy held or correlated")
    }
    let frame = episode.blankFrame.bytes.count
    guard steps < Host.memory / frame else {
      throw InputError(
        "--collect-steps \(steps) frames of \(frame) bytes each exceed this machine's memory of "
          + "\(megabytes(Host.memory)): use at most \(Host.memory / 2 / frame)")
    }
  }
}

/// The setting that selects the policy for recording frames.
public struct PolicyChoice: SettingsGroup, Hashable {
  /// The run directory of a finished training. If empty, actions are random.
  public var run = ""

  public init() {}

  public static let title = "collection"
  public static var fields: [Field<Self>] {
    [Field("policy-run", \.run, "run directory of a finished 'pixelrl train' whose agent acts; none: random actions")]
  }
}

public enum CollectionPolicy: String, ChoiceSetting, Hashable {
  case held
  case correlated
  case uniform
}

/// Chooses the actions while frames are recorded. Rethrows the environment's errors.
public protocol Policy {
  mutating func begin<E: Environment>(_ episode: Episode<E>) throws
  /// Returns the next action of a running episode, in the environment's units.
  mutating func act<E: Environment>(in episode: Episode<E>) throws -> [Double]
  /// Whether actions do not depend on observations, so that they can be chosen ahead of time.
  var isOpenLoop: Bool { get }
}

extension Policy {
  var isOpenLoop: Bool { false }
}

/// Random actions that are correlated in time: independent noise at each step averages out and explores little.
struct RandomPolicy: Policy {
  let space: ActionSpace
  let settings: CollectionSettings
  var random: Random
  private var action: [Double] = []
  private var remaining = 0

  init(space: ActionSpace, settings: CollectionSettings, random: Random) {
    self.space = space
    self.settings = settings
    self.random = random
  }

  var isOpenLoop: Bool { true }

  mutating func begin<E: Environment>(_ episode: Episode<E>) { remaining = 0 }

  mutating func act<E: Environment>(in episode: Episode<E>) -> [Double] {
    switch settings.policy {
    case .held, .uniform:
      if remaining == 0 {
        action = sample()
        remaining = 1 + random.integer(below: settings.holdLimit)
      }
      remaining -= 1
      return action
    case .correlated:
      guard case .continuous(let low, let high) = space else {
        if action.isEmpty || random.chance(2 / Double(settings.holdLimit + 1)) { action = sample() }
        return action
      }
      if action.isEmpty { action = space.sample(using: &random) }
      // An Ornstein-Uhlenbeck process whose correlation time is the hold limit.
      let keep = 1 - 1 / Double(settings.holdLimit)
      for i in action.indices {
        let (middle, half) = ((low[i] + high[i]) / 2, (high[i] - low[i]) / 2)
        let noise = (1 - keep * keep).squareRoot() * random.normal() * 0.7 * half
        action[i] = min(max(middle + keep * (action[i] - middle) + noise, low[i]), high[i])
      }
      return action
    }
  }

  /// Draws an action. In games where an action has an effect at once, such as a jump, equal probabilities of all
  /// actions show little of the game: it must be rare.
  private mutating func sample() -> [Double] {
    guard case .discrete(let count) = space, count > 1, settings.noOpChance > 0 else {
      return space.sample(using: &random)
    }
    return [random.chance(settings.noOpChance) ? 0 : Double(1 + random.integer(below: count - 1))]
  }
}

/// Plays random episodes until `settings.steps` agent steps are recorded.
public func collect(
  _ environment: some Environment, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings, seed: Seed,
  progress: (Int) throws -> Void = { _ in }
) throws -> Recording {
  let policies = (0..<settings.environments).map { i in
    RandomPolicy(space: environment.spec.actionSpace, settings: settings, random: seed.lane(i).stream("policy"))
  }
  return try collect(environment, episodeSettings, settings, by: policies, seed: seed, progress: progress)
}

/// Plays episodes with a policy until `settings.steps` agent steps are recorded.
///
/// - Throws: `InputError` if the environment cannot draw its states uniformly, or memory is too small for the frames.
public func collect(
  _ environment: some Environment, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings,
  by policy: some Policy, seed: Seed, progress: (Int) throws -> Void = { _ in }
) throws -> Recording {
  let policies = Array(repeating: policy, count: settings.environments)
  return try collect(environment, episodeSettings, settings, by: policies, seed: seed, progress: progress)
}

/// Steps the environments in turn and concatenates their episodes in the recording.
///
/// - Parameter policies: One policy for each of `settings.environments`.
private func collect<E: Environment, P: Policy>(
  _ environment: E, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings, by policies: [P],
  seed: Seed, progress: (Int) throws -> Void
) throws -> Recording {
  try settings.check(environment, episodeSettings)
  let count = min(policies.count, settings.steps)
  var lanes = try (0..<count).map { i in
    try RecordedLane<E, P>(
      environment, episodeSettings, settings, policy: policies[i], seed: seed.lane(i),
      steps: settings.steps / count + (i < settings.steps % count ? 1 : 0))
  }
  for step in 0..<settings.steps {
    try Interruption.check()
    try lanes[step % count].advance()
    try progress(step + 1)
  }
  return lanes.dropFirst().reduce(into: lanes[0].finished) { $0.append(contentsOf: $1.finished) }
}

/// One of several environments that are recorded in turn.
private struct RecordedLane<E: Environment, P: Policy> {
  private let settings: CollectionSettings
  private let cut: Int
  private var policy: P
  private var episode: Episode<E>
  private var recording: Recording
  private var action: [Double] = []
  private var stepsLeft: Int
  private var stepsOfEpisode = 0
  private var episodes = 0

  /// - Parameter steps: The number of agent steps to record, at least 1.
  init(
    _ environment: E, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings, policy: P, seed: Seed,
    steps: Int
  ) throws {
    let spec = environment.spec
    self.settings = settings
    self.policy = policy
    cut = settings.lengthOfEpisodes(spec, episodeSettings, isRandom: policy.isOpenLoop)
    episode = try Episode(environment, episodeSettings, seed: seed.child("episodes"))
    recording = Recording(
      frame: episode.blankFrame, observationNames: spec.observationNames, actionSpace: spec.actionSpace)
    stepsLeft = steps
    try begin()
  }

  var finished: Recording {
    var recording = recording
    recording.environmentSteps = episode.totalSteps
    return recording
  }

  private mutating func begin() throws {
    episodes += 1
    if try settings.policy != .uniform || !episode.randomize() { try episode.reset() }
    try policy.begin(episode)
    stepsOfEpisode = 0
    try requireFinite()
    recording.begin(frame: try episode.frame, observation: try episode.observation)
    try choose()
  }

  /// Chooses the next action and announces it. An environment in its own process starts to compute the step at once,
  /// and continues with the following actions that are already known.
  private mutating func choose() throws {
    action = try policy.act(in: episode)
    var (actions, ahead) = ([action], policy)
    if policy.isOpenLoop { while actions.count < episode.spec.lookahead { actions.append(try ahead.act(in: episode)) } }
    try episode.announce(actions)
  }

  /// Takes a step. If the environment fails, starts the next episode and steps that.
  mutating func advance() throws {
    var outcome = try episode.step(action)
    while outcome.ending == .failed {
      try begin()
      outcome = try episode.step(action)
    }
    try requireFinite(after: outcome)
    recording.append(
      action: episode.spec.actionSpace.normalized(action), step: outcome, frame: try episode.frame,
      observation: try episode.observation)
    stepsOfEpisode += 1
    stepsLeft -= 1
    guard stepsLeft > 0 else { return }
    if outcome.ending != .running || stepsOfEpisode >= cut { try begin() } else { try choose() }
  }

  /// Throws `WorldError` if the environment fails or returns a value that is not finite.
  private func requireFinite(after outcome: Step? = nil) throws {
    try episode.requireFinite(after: outcome, in: "episode \(episodes)")
  }
}

extension Seed {
  /// The seed of the environment `index` of several. The first one uses this seed itself.
  fileprivate func lane(_ index: Int) -> Seed { index == 0 ? self : child("environment \(index)") }
}

extension CollectionSettings {
  /// The number of agent steps after which an episode is truncated.
  ///
  /// - Parameter isRandom: Whether play is random. An agent's episodes are not cut at the exploration length: it shows
  ///   the most where random play shows the least.
  func lengthOfEpisodes(_ spec: EnvironmentSpec, _ episode: EpisodeSettings, isRandom: Bool = true) -> Int {
    if episodeSteps > 0 { return episodeSteps }
    // To collect many drawn states, each episode has only as many frames as a history needs.
    if policy == .uniform { return TrainingSettings().frames }
    guard isRandom, let length = spec.explorationLength else { return Int.max }
    return max(1, length / spec.actionRepeat(episode))
  }
}
