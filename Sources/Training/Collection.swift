import Core
import Environments
import Pixels
import Runs

/// How frames are gathered before any agent exists.
public struct CollectionSettings: SettingsGroup, Hashable {
  public var policy = CollectionPolicy.held
  public var steps = 2500
  public var holdLimit = 8
  public var episodeSteps = 0

  public init() {}
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
    ]
  }
}

extension CollectionSettings {
  /// Refuses what cannot be collected before anything is played.
  public func check<E: Environment>(_ environment: E.Type, _ episodeSettings: EpisodeSettings) throws {
    var episode = Episode<E>(episodeSettings, seed: Seed(0))
    guard policy != .uniform || episode.randomize() else {
      throw InputError("\(E.id) has no uniformly drawn states: use --collect-policy held or correlated")
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
  public static var fields: [Field<Self>] {
    [Field("policy-run", \.run, "act as the agent of this finished 'pixelrl train'; none: at random")]
  }
}

public enum CollectionPolicy: String, ChoiceSetting, Hashable {
  case held
  case correlated
  case uniform
}

/// What chooses the actions while frames are recorded.
public protocol Policy {
  mutating func begin<E: Environment>(_ episode: Episode<E>)
  /// The next action of an episode that goes on, in the environment's units.
  mutating func act<E: Environment>(in episode: Episode<E>) -> [Double]
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
public func collect<E: Environment>(
  _ environment: E.Type, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings, seed: Seed,
  progress: (Int) throws -> Void = { _ in }
) throws -> Recording {
  var policy = RandomPolicy(space: E.actionSpace, settings: settings, random: seed.stream("policy"))
  return try collect(E.self, episodeSettings, settings, by: &policy, seed: seed, progress: progress)
}

/// Plays episodes with a policy until `settings.steps` agent steps are recorded.
///
/// - Throws: `InputError` where the environment has no uniformly drawn states, or memory is too small for the frames.
public func collect<E: Environment>(
  _ environment: E.Type, _ episodeSettings: EpisodeSettings, _ settings: CollectionSettings,
  by policy: inout some Policy, seed: Seed, progress: (Int) throws -> Void = { _ in }
) throws -> Recording {
  try settings.check(E.self, episodeSettings)
  var episode = Episode<E>(episodeSettings, seed: seed.child("episodes"))
  var recording = Recording(
    frame: episode.blankFrame, observationNames: E.observationNames, actionSpace: E.actionSpace)
  func begin() {
    if settings.policy != .uniform || !episode.randomize() { episode.reset() }
    policy.begin(episode)
    recording.begin(frame: episode.frame, observation: episode.observation)
  }
  begin()
  try E.check()
  let cut = settings.lengthOfEpisodes(E.self, episodeSettings)
  var stepsOfEpisode = 0
  for step in 0..<settings.steps {
    let action = policy.act(in: episode)
    let outcome = episode.step(action)
    stepsOfEpisode += 1
    recording.append(
      action: E.actionSpace.normalized(action), step: outcome, frame: episode.frame, observation: episode.observation)
    try E.check()
    let isCut = stepsOfEpisode >= cut
    if (outcome.ending != .running || isCut) && step + 1 < settings.steps {
      stepsOfEpisode = 0
      begin()
    }
    try progress(step + 1)
  }
  recording.environmentSteps = episode.totalSteps
  return recording
}

extension CollectionSettings {
  /// Agent steps after which an episode is cut short.
  func lengthOfEpisodes<E: Environment>(_ environment: E.Type, _ episode: EpisodeSettings) -> Int {
    if episodeSteps > 0 { return episodeSteps }
    // Drawn states are what is asked for: only as many more frames as a history needs.
    if policy == .uniform { return TrainingSettings().frames }
    let repeats = episode.actionRepeat > 0 ? episode.actionRepeat : E.actionRepeat
    return E.explorationLength.map { max(1, $0 / repeats) } ?? Int.max
  }
}
