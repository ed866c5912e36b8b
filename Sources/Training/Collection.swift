import Core
import Environments
import Pixels

/// How frames are gathered before any agent exists.
public struct CollectionSettings: SettingsGroup, Hashable {
  public var policy = CollectionPolicy.held
  public var steps = 2500
  public var holdLimit = 8
  public var episodeSteps = 0

  public init() {}
  public static var fields: [Field<Self>] {
    [
      Field("collect-policy", \.policy, "held: random actions held for a while; correlated: a random walk of actions; uniform: uniformly drawn states"),
      Field("collect-steps", \.steps, 1...Int.max, "agent steps that are collected"),
      Field("hold-limit", \.holdLimit, 1...100_000, "longest time, in agent steps, that a random action is held"),
      Field("collect-episode-steps", \.episodeSteps, 0...Int.max, "agent steps after which an episode is cut short; 0: never"),
    ]
  }
}

public enum CollectionPolicy: String, ChoiceSetting, Hashable {
  case held
  case correlated
  case uniform
}

/// Random actions that explore: white noise would only make the system tremble.
struct RandomPolicy {
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

  mutating func begin() { remaining = 0 }

  /// The next action, in the environment's units.
  mutating func act() -> [Double] {
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
  var episode = Episode<E>(episodeSettings, seed: seed.child("episodes"))
  var policy = RandomPolicy(space: E.actionSpace, settings: settings, random: seed.stream("policy"))
  var recording = Recording(
    frame: episode.blankFrame, observationNames: E.observationNames, actionSize: E.actionSpace.arrayCount)
  func begin() throws {
    if settings.policy == .uniform {
      guard episode.randomize() else {
        throw InputError("\(E.id) has no uniformly drawn states: use --collect-policy held or correlated")
      }
    } else {
      episode.reset()
    }
    policy.begin()
    recording.begin(frame: episode.frame, observation: episode.observation)
  }
  try begin()
  var stepsOfEpisode = 0
  for step in 0..<settings.steps {
    let action = policy.act()
    let outcome = episode.step(action)
    stepsOfEpisode += 1
    recording.append(
      action: E.actionSpace.normalized(action), step: outcome, frame: episode.frame, observation: episode.observation)
    let isCut = settings.episodeSteps > 0 && stepsOfEpisode >= settings.episodeSteps
    if (outcome.ending != .running || isCut) && step + 1 < settings.steps {
      stepsOfEpisode = 0
      try begin()
    }
    try progress(step + 1)
  }
  recording.environmentSteps = episode.totalSteps
  return recording
}
