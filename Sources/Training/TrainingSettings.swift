import Agents
import Core
import Environments
import Replay
import Representations
import Runs

/// The settings of a training loop and its evaluations.
public struct TrainingSettings: SettingsGroup, Hashable {
  public var envSteps = 100_000
  public var dataset = ""
  public var updates = 50_000
  public var trainingTimeLimit = 0
  public var environments = 1
  public var replay = 0
  public var frames = 3
  public var actions = 2
  public var differenceScale = 2.0
  public var seedUpdates = 1000
  public var updatesPerStep = 1.0
  public var resetAt: [Int] = []
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
      Field("env-steps", \.envSteps, 1...Int.max, "total simulator steps, including those of the pretraining's data"),
      Field(
        "dataset", \.dataset,
        "dataset made by 'pixelrl collect', 'import' or 'export --dataset' that the agent learns from without acting; "
          + "none: it acts"),
      Field(
        "updates", \.updates, 1...Int.max,
        "with --dataset: total updates, which then count instead of simulator steps for evaluations and checkpoints"),
      Field(
        "training-time-limit", \.trainingTimeLimit, 0...Int.max,
        "simulator steps after which a training episode is truncated; 0: the task's own limit; evaluations are never "
          + "truncated by it"),
      Field(
        "environments", \.environments, 1...4096,
        "number of environments that the agent acts in; those of Gymnasium run in parallel processes"),
      Field(
        "replay", \.replay, 0...Int.max,
        "time steps that the replay buffer holds; 0: a million, or as many as fit in half of this machine's memory"),
      Field(
        "history-frames", \.frames, 1...64,
        "number of latents in the agent's observation: the latest one, and the differences between consecutive ones; "
          + "default \(ofState.frames) for the true state, and where the critic trains an encoder of stacked frames"),
      Field(
        "history-actions", \.actions, 0...64,
        "number of past actions in the agent's observation; default \(ofState.actions) for the true state, and where the "
          + "critic trains an encoder of stacked frames"),
      Field("difference-scale", \.differenceScale, 0...1000, "factor on the differences of latents"),
      Field(
        "seed-updates", \.seedUpdates, 0...Int.max,
        "updates on the initial random play, before the agent acts; on-policy agents make none"),
      Field("updates-per-step", \.updatesPerStep, 0...1000, "updates per agent step of an off-policy agent or critic"),
      Field(
        "reset-at", \.resetAt,
        "simulator steps after which the agent begins anew, with new networks and optimisers and the same "
          + "replay buffer (Nikishin 2022)"),
      Field(
        "return-steps", \.returnSteps, 1...1000,
        "n of the n-step returns of off-policy updates\(otherReturnSteps)"),
      Field(
        "reward-limit", \.rewardLimit, 0...Double.greatestFiniteMagnitude,
        "absolute value to which rewards are clipped for training; 0: the task's own, which is 1 for Atari games and "
          + "none otherwise"),
      Field(
        "explore-chance", \.exploreChance, 0...1,
        "probability per agent step of starting to repeat a random extreme action"),
      Field(
        "explore-hold-limit", \.exploreHoldLimit, 1...100_000,
        "maximum number of agent steps to repeat a random extreme action"),
      Field(
        "evaluate-every", \.evaluateEvery, 0...Int.max,
        "simulator steps between evaluations; the first one is before training; 0: only after training; the default is at "
          + "most a fifth of --env-steps or --updates"),
      Field(
        "evaluation-episodes", \.evaluationEpisodes, 1...100_000,
        "number of episodes of an evaluation, with deterministic actions"),
      Field(
        "checkpoint-every", \.checkpointEvery, 0...Int.max,
        "simulator steps between checkpoints; 0: only at a signal and at the end"),
      Field(
        "keep-checkpoints", \.keepCheckpoints, 1...1_000_000, "number of last checkpoints to keep, besides the best"),
    ]
  }
}

extension TrainingSettings {
  /// Whether the agent learns from a dataset without acting.
  public var isOffline: Bool { !dataset.isEmpty }

  /// The settings of which `train --resume RUN` takes a larger value.
  public static let lengthKeys = [key(of: \.envSteps), key(of: \.updates)]

  /// The settings that earlier versions did not have. A checkpoint fits whatever they are: a run records its dataset.
  static let offlineKeys: Set = [key(of: \.dataset), key(of: \.updates)]

  /// The total number of steps: simulator steps, or updates if the agent does not act.
  public var length: Int { isOffline ? updates : envSteps }

  /// What a step is.
  public var stepName: String { isOffline ? "updates" : "env steps" }

  /// The history that the true state needs.
  static let ofState = (frames: 1, actions: 0)

  /// `; default 3 for rainbow`: the agents whose default differs.
  private static var otherReturnSteps: String {
    func returnSteps<A: Agent>(of agent: A.Type) -> Int { A.Settings.returnSteps }
    let others = Agents.all.map { (name: $0.id, steps: returnSteps(of: $0)) }
      .filter { $0.steps != TrainingSettings().returnSteps }
    return others.isEmpty ? "" : "; default \(groupedByText(others.map { ($0.name, $0.steps.text) }))"
  }

  /// The defaults for an agent.
  ///
  /// - Parameters:
  ///   - place: The place of its encoder; nil: the agent observes the true state.
  ///   - frameStack: The number of stacked frames that the encoder gets.
  public init<A: Agent>(at place: Place?, frameStack: Int, _ agent: A.Type) {
    self.init()
    returnSteps = A.Settings.returnSteps
    if place?.needsHistory(frameStack: frameStack) != true { dropHistory() }
  }

  /// The true state includes velocities, so that it needs no history.
  mutating func dropHistory() { (frames, actions) = Self.ofState }

  /// The capacity of the replay buffer in time steps.
  ///
  /// - Parameters:
  ///   - memory: What is stored for each.
  ///   - most: The maximum size in bytes, if the capacity is not given.
  func capacity(of memory: ReplayMemory, _ layout: HistoryLayout, within most: Int = Host.memory / 2) -> Int {
    replay > 0 ? replay : max(1000, min(1_000_000, most / memory.byteCount(layout) / 1000 * 1000))
  }

  /// Reduces `evaluateEvery` so that there are at least five evaluations in `steps` steps of training.
  public mutating func spreadEvaluations(over steps: Int) {
    evaluateEvery = min(evaluateEvery, max(1, steps / 5))
  }

  /// The settings of training episodes, which may have a shorter time limit to visit more start states.
  func practice(of settings: EpisodeSettings, in spec: EnvironmentSpec) -> EpisodeSettings {
    guard trainingTimeLimit > 0 else { return settings }
    var settings = settings
    settings.timeLimit = min(trainingTimeLimit, spec.timeLimit(settings))
    return settings
  }

  /// The absolute value to which rewards are clipped for training; nil if they are not clipped.
  func rewardLimit(in spec: EnvironmentSpec) -> Double? { rewardLimit > 0 ? rewardLimit : spec.rewardLimit }

  /// Returns a step with its reward clipped for training. Reported returns use the original reward.
  func learned(_ step: Step, of spec: EnvironmentSpec) -> Step {
    guard let limit = rewardLimit(in: spec) else { return step }
    var step = step
    step.reward = min(max(step.reward, -limit), limit)
    return step
  }

  /// The layout of the agent's observation, for latents of size Z.
  public func layout(latentSize: Int, actionSpace: ActionSpace) -> HistoryLayout {
    HistoryLayout(
      latentSize: latentSize, frames: frames, actions: actions, actionSpace: actionSpace,
      differenceScale: Float(differenceScale))
  }
}
