import Agents
import Autoencoders
import Core
import Replay
import Tensors

// Learning in rounds: on all frames that replay keeps, after which all of them are encoded again.

extension EncodedFrames {
  public mutating func learn(from replay: inout ReplayBuffer, step: Int) throws -> Metrics? {
    guard place.when == .rounds, roundIsDue(step) else { return nil }
    guard settings.retrainRounds == 0 || rounds < settings.retrainRounds else { return nil }
    rounds += 1
    // Bounded here, so that nothing shares the frames when the next one is written.
    let metrics = try retrain(on: replay.allFrames, step: step)
    for lane in 0..<replay.laneCount {
      replay.replaceLatents(lane: lane, with: encoder.encodeAll(replay.frames(of: lane)))
    }
    return metrics
  }

  // The latents' standardisation stays: the agent knows their scale.
  private mutating func retrain(on frames: ReplayFrames, step: Int) throws -> Metrics {
    var round = pretraining
    round.steps = settings.retrainSteps
    let seed = seed.child("retraining \(rounds)")
    var training: Pretraining<Model, ReplayFrames>
    if place.teachers.contains(.rewards), frames.hasEpisode(ofFrames: InverseDynamics.frames) {
      round.actionWeight = settings.retrainActionWeight
      training = Pretraining(
        continuing: encoder, on: frames, settings: round, rewardWeight: settings.retrainRewardWeight,
        latentWeight: settings.retrainLatentWeight, seed: seed)
    } else {
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
