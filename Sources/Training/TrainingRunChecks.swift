import Agents
import Core
import Environments
import Replay
import Representations
import Runs

// What is checked and said of a training before it begins.

extension TrainingRun {
  /// Checks the settings, before any folder is made.
  ///
  /// - Throws: `InputError` that says what to change.
  public func check() throws {
    try checkSizes()
    if !training.isOffline, let steps = try first()?.environmentSteps {
      guard training.envSteps > steps else {
        throw InputError(
          "--env-steps \(training.envSteps) leaves no steps for training: the initial random play takes \(steps) "
            + "simulator steps, so use more than \(steps)")
      }
      if let early = training.resetAt.first(where: { $0 <= steps }) {
        throw InputError(
          "--reset-at \(early) has no effect, because the agent begins to act after \(steps) simulator steps of initial "
            + "random play: use more than \(steps), or leave it out")
      }
    }
    // Each environment has its own part of the replay buffer, and the first data are in one of them.
    let (replay, lanes) = (training.capacity(of: representation.memory, layout), training.environments)
    if lanes > 1, A.Settings.Experience.isOffPolicy, let first = try first(), first.count > replay / lanes {
      throw InputError(
        "--replay \(replay) holds \(replay / lanes) steps of each of the \(lanes) environments, fewer than the "
          + "\(first.count) of the initial random play: use at least \(first.count * lanes), or fewer --environments")
    }
  }

  /// Checks the settings that do not depend on the first data, before any data are collected.
  func checkSizes() throws {
    let memory = representation.memory
    let (replay, lanes) = (training.capacity(of: memory, layout), training.environments)
    let least = ReplayBuffer.leastCapacity(lanes: lanes, layout: layout, memory: memory)
    guard replay >= least else {
      throw InputError(
        "--replay \(replay) is too small for \(lanes) environments and a history of \(layout.reach + 1) steps: use at "
          + "least \(least)")
    }
    try agent.check(for: layout.actionSpace)
    try A.Settings.Experience.validate(
      agent.demand, replay: replay, lanes: lanes, layout: layout, episodeSteps: episodeSteps)
    guard A.Settings.Experience.isOffPolicy || training.exploreChance == 0 else {
      throw InputError(
        "\(A.id) is on-policy and learns only from its own actions: leave out --explore-chance "
          + "\(training.exploreChance.text)")
    }
    let bytes = memory.byteCount(layout)
    guard replay <= Host.memory / bytes else {
      throw InputError(
        "--replay \(replay) takes \(megabytes(replay.multipliedReportingOverflow(by: bytes).partialValue)), more "
          + "than this machine's memory of \(megabytes(Host.memory)): use at most \(Host.memory / 2 / bytes)")
    }
  }

  /// The most agent steps of an episode of this training, in one of its environments.
  private var episodeSteps: Int {
    let limit = spec.timeLimit(training.practice(of: episode, in: spec))
    let share = (max(training.envSteps, 1) - 1) / training.environments + 1
    let steps = min(limit, share, 1 << 40)  // so that no sum overflows
    return (steps - 1) / spec.actionRepeat(episode) + 1
  }

  /// The size of the replay buffer for the user: when it is full, and how much of it this training fills.
  var replayLine: String {
    let memory = representation.memory
    let (capacity, bytes) = (training.capacity(of: memory, layout), memory.byteCount(layout))
    let filled = training.isOffline ? capacity : min(capacity, training.envSteps / spec.actionRepeat(episode) + 1)
    let kept =
      switch (memory.keepsLatents, memory.frameSize) {
      case (true, 0): "\(representation.frameStack > 0 ? "latents" : "states") of size \(layout.latentSize)"
      case (true, let size): "latents of size \(layout.latentSize) with frames of \(grouped(Double(size))) bytes"
      case (false, let size): "frames of \(grouped(Double(size))) bytes"
      }
    return
      "replay buffer: \(grouped(Double(capacity))) \(kept), \(megabytes(capacity * bytes)) when full; this training "
      + "fills \(megabytes(filled * bytes))"
  }
}
