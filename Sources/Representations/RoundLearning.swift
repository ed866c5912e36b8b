import Agents
import Autoencoders
import Core
import Replay
import Tensors

// Learning in rounds: on all frames in the replay buffer, which are then encoded again.

extension EncodedFrames {
  public mutating func learn(
    from replay: inout ReplayBuffer, step: Int, check: () throws -> Void
  ) throws -> Metrics? {
    let before = roundIsDue
    guard place.when == .rounds, roundIsDue(step) else { return nil }
    guard settings.retrainRounds == 0 || rounds < settings.retrainRounds else { return nil }
    let (known, number) = (encoder, revision)
    do { return try round(on: &replay, step: step, check) } catch {
      // The same round can be repeated, to the same end.
      (roundIsDue, encoder, revision) = (before, known, number)
      rounds -= 1
      throw error
    }
  }

  private mutating func round(
    on replay: inout ReplayBuffer, step: Int, _ check: () throws -> Void
  ) throws -> Metrics {
    rounds += 1
    // The frames must be released before the next one is written, or they would be copied.
    let metrics = try retrain(on: replay.allFrames, step: step, check)
    // Replaced only once all are known, so that a signal leaves the old ones.
    var latents: [Tensor] = []
    for lane in 0..<replay.laneCount {
      latents.append(try encoder.encodeAll(replay.frames(of: lane), check: check))
    }
    for (lane, latents) in latents.enumerated() { replay.replaceLatents(lane: lane, with: latents) }
    return metrics
  }

  // The standardisation of the latents does not change, because the agent was trained with their scale.
  private mutating func retrain(
    on frames: ReplayFrames, step: Int, _ check: () throws -> Void
  ) throws -> Metrics {
    var round = pretraining
    round.steps = settings.retrainSteps
    let seed = seed.child("retraining \(rounds)")
    var training: Pretraining<Model, ReplayFrames>
    if place.losses.contains(.rewards), frames.hasEpisode(ofFrames: InverseDynamics.frames) {
      round.actionWeight = settings.retrainActionWeight
      training = Pretraining(
        continuing: encoder, on: frames, settings: round, rewardWeight: settings.retrainRewardWeight,
        latentWeight: settings.retrainLatentWeight, seed: seed)
    } else {
      if !frames.hasEpisode(ofFrames: InverseDynamics.frames) { (round.actionWeight, round.nextFrame) = (0, 0) }
      training = Pretraining(continuing: encoder, on: frames, settings: round, seed: seed)
    }
    var means = MetricsMean()
    while !training.isDone {
      try check()
      means.add(try training.update())
    }
    try Representations.requireFinite(training.encoder.model, step: training.step)
    encoder = training.encoder
    revision += 1
    return means.take()
  }
}
