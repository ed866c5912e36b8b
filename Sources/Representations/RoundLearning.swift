import Agents
import Autoencoders
import Core
import Replay
import Tensors

// Learning in rounds: on all frames in the replay buffer, which are then encoded again.

extension EncodedFrames {
  public mutating func learn(from replay: inout ReplayBuffer, step: Int) throws -> Metrics? {
    guard place.when == .rounds, roundIsDue(step) else { return nil }
    guard settings.retrainRounds == 0 || rounds < settings.retrainRounds else { return nil }
    rounds += 1
    // The frames must be released before the next one is written, or they would be copied.
    let metrics = try retrain(on: replay.allFrames, step: step)
    for lane in 0..<replay.laneCount {
      replay.replaceLatents(lane: lane, with: encoder.encodeAll(replay.frames(of: lane)))
    }
    return metrics
  }

  // The standardisation of the latents does not change, because the agent was trained with their scale.
  private mutating func retrain(on frames: ReplayFrames, step: Int) throws -> Metrics {
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
    while !training.isDone { means.add(try training.update()) }
    try Representations.requireFinite(training.encoder.model, step: training.step)
    encoder = training.encoder
    revision += 1
    return means.take()
  }
}
