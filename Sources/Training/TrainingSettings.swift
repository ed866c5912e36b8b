import Agents
import Core
import Environments
import Replay
import Representations
import Runs

/// How long an agent learns, and how it is evaluated.
public struct TrainingSettings: SettingsGroup, Hashable {
  public var envSteps = 100_000
  public var trainingTimeLimit = 0
  public var environments = 1
  public var replay = 0
  public var frames = 3
  public var actions = 2
  public var differenceScale = 2.0
  public var seedUpdates = 1000
  public var updatesPerStep = 1.0
  public var returnSteps = 1
  public var rewardLimit = 0.0
  public var exploreChance = 0.0
  public var exploreHoldLimit = 16
  public var evaluateEvery = 10_000
  public var evaluationEpisodes = 20
  public var checkpointEvery = 10_000
  public var keepCheckpoints = 2

  public init() {}

  public static let title = "training"
  public static var fields: [Field<Self>] {
    [
      Field("env-steps", \.envSteps, 1...Int.max, "simulator steps in all, those of pretraining's data included"),
      Field(
        "training-time-limit", \.trainingTimeLimit, 0...Int.max,
        "simulator steps after which an episode that is learned from is cut short; 0: never; evaluations are always whole"
      ),
      Field("environments", \.environments, 1...4096, "environments that are stepped side by side"),
      Field(
        "replay", \.replay, 0...Int.max,
        "moments that the replay buffer keeps; 0: a million, or as many as half of this machine's memory holds"),
      Field(
        "history-frames", \.frames, 1...64,
        "latents that the agent sees, as the last one and differences; \(ofState.frames) of the true state unless given"
      ),
      Field(
        "history-actions", \.actions, 0...64,
        "past actions that the agent sees; \(ofState.actions) beside the true state unless given"),
      Field("difference-scale", \.differenceScale, 0...1000, "factor on the differences of latents"),
      Field("seed-updates", \.seedUpdates, 0...Int.max, "updates on the first data before the agent acts; 0 on-policy"),
      Field("updates-per-step", \.updatesPerStep, 0...1000, "updates for each agent step, off-policy"),
      Field(
        "return-steps", \.returnSteps, 1...1000,
        "rewards n that an off-policy update adds up before it bootstraps\(otherReturnSteps)"),
      Field(
        "reward-limit", \.rewardLimit, 0...Double.greatestFiniteMagnitude,
        "size to which rewards are clipped before they are learned from; 0: the task's own, 1 in Atari games, else none"
      ),
      Field(
        "explore-chance", \.exploreChance, 0...1, "probability that the agent's step begins to hold an extreme action"),
      Field("explore-hold-limit", \.exploreHoldLimit, 1...100_000, "longest time, in agent steps, that it is held"),
      Field(
        "evaluate-every", \.evaluateEvery, 0...Int.max,
        "simulator steps between evaluations, the first before any training; 0: only the last; a fifth of a short training "
          + "unless given"),
      Field(
        "evaluation-episodes", \.evaluationEpisodes, 1...100_000, "episodes of an evaluation, deterministic actions"),
      Field(
        "checkpoint-every", \.checkpointEvery, 0...Int.max,
        "simulator steps between checkpoints; 0: at a signal and at the end"),
      Field("keep-checkpoints", \.keepCheckpoints, 1...1_000_000, "last checkpoints that are kept, beside the best"),
    ]
  }
}

extension TrainingSettings {
  /// How little of the past the true state needs.
  static let ofState = (frames: 1, actions: 0)

  /// `; 3 of rainbow unless given`, of all agents that take other returns.
  private static var otherReturnSteps: String {
    func returnSteps<A: Agent>(of agent: A.Type) -> Int { A.Settings.returnSteps }
    let others = Agents.all.map { (name: $0.id, steps: returnSteps(of: $0)) }
      .filter { $0.steps != TrainingSettings().returnSteps }
    return others.isEmpty ? "" : "; \(namesByText(others.map { ($0.name, $0.steps.text) })) unless given"
  }

  /// The defaults for an agent and what it sees: the true state has its velocities in it, and nothing of the past is
  /// needed; nor is it where an encoder sees several frames together.
  public init<A: Agent>(for encoder: EncoderSettings, frameStack: Int, _ agent: A.Type) {
    self.init()
    returnSteps = A.Settings.returnSteps
    if encoder.observe == .state || frameStack > 1 { (frames, actions) = Self.ofState }
  }

  /// The moments that the replay buffer keeps.
  ///
  /// - Parameters:
  ///   - memory: what is kept of each.
  ///   - most: bytes that they may take where the number is not given.
  func capacity(of memory: ReplayMemory, _ layout: HistoryLayout, within most: Int = Host.memory / 2) -> Int {
    replay > 0 ? replay : max(1000, min(1_000_000, most / memory.byteCount(layout) / 1000 * 1000))
  }

  /// Evaluates at least five times in so many steps of training: a curve of one point is none.
  public mutating func spreadEvaluations(over steps: Int) {
    evaluateEvery = min(evaluateEvery, max(1, steps / 5))
  }

  /// How the episodes are played that the agent learns from: the more of them, the more start states it sees.
  func practice(of settings: EpisodeSettings, in spec: EnvironmentSpec) -> EpisodeSettings {
    guard trainingTimeLimit > 0 else { return settings }
    var settings = settings
    settings.timeLimit = min(trainingTimeLimit, spec.timeLimit(settings))
    return settings
  }

  /// The size to which rewards are clipped before they are learned from; nil: none.
  func rewardLimit(in spec: EnvironmentSpec) -> Double? { rewardLimit > 0 ? rewardLimit : spec.rewardLimit }

  /// A step as the agent learns from it; returns are told of the step itself.
  func learned(_ step: Step, of spec: EnvironmentSpec) -> Step {
    guard let limit = rewardLimit(in: spec) else { return step }
    var step = step
    step.reward = min(max(step.reward, -limit), limit)
    return step
  }

  /// What the agent sees of latents of Z numbers.
  public func layout(latentSize: Int, actionSpace: ActionSpace) -> HistoryLayout {
    HistoryLayout(
      latentSize: latentSize, frames: frames, actions: actions, actionSpace: actionSpace,
      differenceScale: Float(differenceScale))
  }
}
