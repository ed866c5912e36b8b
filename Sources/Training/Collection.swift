import Core
import Environments
import Pixels
import Representations
import Runs

/// How frames are gathered before any agent exists.
public struct CollectionSettings: SettingsGroup, Hashable {
  public var policy = CollectionPolicy.held
  public var steps = 2500
  public var holdLimit = 8
  public var episodeSteps = 0
  public var environments = 1

  public init() {}

  public static let title = "collection"
  public static var fields: [Field<Self>] {
    [
      Field(
        "collect-policy", \.policy,
        "held: random actions held for a while; correlated: a random walk of actions; uniform: uniformly drawn states"),
      Field("collect-steps", \.steps, 1...Int.max, "agent steps that are collected"),
      Field("hold-limit", \.holdLimit, 1...100_000, "longest time, in agent steps, that a random action is held"),
      Field(
        "collect-episode-steps", \.episodeSteps, 0...Int.max,
        "agent steps after which an episode is cut short; 0: as the task has it"),
      Field("collect-environments", \.environments, 1...4096, "environments that are played side by side"),
    ]
  }
}

extension CollectionSettings {
  /// Refuses what cannot be collected before anything is played.
  public func check(_ environment: some Environment, _ episodeSettings: EpisodeSettings) throws {
    var episode = try Episode(environment, episodeSettings, seed: Seed(0))
    guard try policy != .uniform || episode.randomize() else {
      throw InputError("\(episode.spec.id) has no uniformly drawn states: use --collect-policy held or correlated")
    }
    let frame = episode.blankFrame.bytes.count
    guard steps < Host.memory / frame else {
      throw InputError(
        "--collect-steps \(steps) frames of \(frame) bytes each exceed this machine's memory of "
          + "\(megabytes(Host.memory)): give at most \(Host.memory / 2 / frame)")
    }
  }
}

/// Who acts while frames are recorded, as a setting.
public struct PolicyChoice: SettingsGroup, Hashable {
  /// The folder of a finished training; empty: random actions.
  public var run = ""

  public init() {}

  public static let title = "collection"
  public static var fields: [Field<Self>] {
    [Field("policy-run", \.run, "act as the agent of this finished 'pixelrl train'; none: at random")]
  }
}

public enum CollectionPolicy: String, ChoiceSetting, Hashable {
  case held
  case correlated
  case uniform
}

/// What chooses the actions while frames are recorded. Throws what the environment fails with.
public protocol Policy {
  mutating func begin<E: Environment>(_ episode: Episode<E>) throws
  /// The next action of an episode that goes on, in the environment's units.
  mutating func act<E: Environment>(in episode: Episode<E>) throws -> [Double]
  /// Whether it acts without looking, so that actions are known before what they follow.
  var isBlind: Bool { get }
}

extension Policy {
  var isBlind: Bool { false }
}

/// Random actions that explore: white noise would only make the system tremble.
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

  var isBlind: Bool { true }

  mutating func begin<E: Environment>(_ episode: Episode<E>) { remaining = 0 }

  mutating func act<E: Environment>(in episode: Episode<E>) -> [Double] {
    switch settings.policy {
    case .held, .uniform:
      if remaining == 0 {
        action = space.sample(using: &random)
        remaining = 1 + random.integer(below: settings.holdLimit)
      }
      remaining -= 1
      return action
    case .correlated:
      guard case .continuous(let low, let high) = space else {
        if action.isEmpty || random.chance(2 / Double(settings.holdLimit + 1)) { action = space.sample(using: &random) }
        return action
      }
      if action.isEmpty { action = space.sample(using: &random) }
      // An Ornstein-Uhlenbeck walk that forgets within the hold limit.
      let keep = 1 - 1 / Double(settings.holdLimit)
      for i in action.indices {
        let (middle, half) = ((low[i] + high[i]) / 2, (high[i] - low[i]) / 2)
        let noise = (1 - keep * keep).squareRoot() * random.normal() * 0.7 * half
        action[i] = min(max(middle + keep * (action[i] - middle) + noise, low[i]), high[i])
      }
      return action
    }
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
/// - Throws: `InputError` where the environment has no uniformly drawn states, or memory is too small for the frames.
public func collect(
  _ environment: some Environment, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings,
  by policy: some Policy, seed: Seed, progress: (Int) throws -> Void = { _ in }
) throws -> Recording {
  let policies = Array(repeating: policy, count: settings.environments)
  return try collect(environment, episodeSettings, settings, by: policies, seed: seed, progress: progress)
}

/// - Parameter policies: one for each of `settings.environments`, which play in turns and end up one after the other.
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

/// An environment that is recorded while others are.
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

  /// - Parameter steps: agent steps that are recorded, at least one.
  init(
    _ environment: E, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings, policy: P, seed: Seed,
    steps: Int
  ) throws {
    let spec = environment.spec
    self.settings = settings
    self.policy = policy
    cut = settings.lengthOfEpisodes(spec, episodeSettings)
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

  /// The next action. An environment in a process of its own begins with it at once, and goes on with those that are known
  /// to follow.
  private mutating func choose() throws {
    action = try policy.act(in: episode)
    var (actions, ahead) = ([action], policy)
    if policy.isBlind { while actions.count < episode.spec.lookahead { actions.append(try ahead.act(in: episode)) } }
    try episode.announce(actions)
  }

  /// Takes a step; where the environment fails, one of the next episode.
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

  /// Throws `WorldError` for what is wrong with the world, or for a number of the environment that nobody can learn from.
  private func requireFinite(after outcome: Step? = nil) throws {
    try episode.requireFinite(after: outcome, in: "episode \(episodes)")
  }
}

extension Seed {
  /// That of the environment `index` of several: of the first, this itself.
  fileprivate func lane(_ index: Int) -> Seed { index == 0 ? self : child("environment \(index)") }
}

extension CollectionSettings {
  /// Agent steps after which an episode is cut short.
  func lengthOfEpisodes(_ spec: EnvironmentSpec, _ episode: EpisodeSettings) -> Int {
    if episodeSteps > 0 { return episodeSteps }
    // Drawn states are what is asked for: only as many more frames as a history needs.
    if policy == .uniform { return TrainingSettings().frames }
    return spec.explorationLength.map { max(1, $0 / spec.actionRepeat(episode)) } ?? Int.max
  }
}
