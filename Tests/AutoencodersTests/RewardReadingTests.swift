import Core
import Networks
import Tensors
import Testing

@testable import Autoencoders

/// Latents with rewards for the motion of their first value, r = 20 (z' - z); the others are noise.
private struct RewardedMotion {
  let latents: Tensor  // [3B, 4]
  let rewards: [Float]

  init(batch: Int, using random: inout Random) {
    var (latents, first, second): ([Float], [Float], [Float]) = ([], [], [])
    for _ in 0..<batch {
      var z = (0..<4).map { _ in Float(random.uniform(-1, 1)) }
      latents += z
      let moves = (0..<2).map { _ in Float(random.uniform(-0.05, 0.05)) }
      for move in moves {
        z[0] += move
        for i in 1..<4 { z[i] += Float(random.uniform(-0.05, 0.05)) }
        latents += z
      }
      first.append(20 * moves[0])
      second.append(20 * moves[1])
    }
    (self.latents, rewards) = (Tensor(latents, [3 * batch, 4]), first + second)
  }
}

@Suite struct RewardReadingTests {
  /// Without any prediction, the error is the variance of the random rewards, 1/3.
  @Test func rewardsArePredictedFromLatents() {
    var random = Seed(3).stream("motion")
    var reader = RewardPrediction(latentSize: 4, using: &random)
    var optimizer = Adam(learningRate: 3e-3)
    for _ in 0..<120 {
      let motion = RewardedMotion(batch: 32, using: &random)
      let (_, gradient) = valueWithGradient(at: reader) { $0.loss(motion.latents, rewards: motion.rewards) }
      optimizer.update(&reader, along: gradient)
    }
    let unseen = RewardedMotion(batch: 200, using: &random)
    let error = reader.loss(unseen.latents, rewards: unseen.rewards).item
    #expect(error < 0.05, "\(error)")
    // Rewards of other groups, and the two of a group in the wrong order, cannot be predicted.
    let others = Array(unseen.rewards[7...] + unseen.rewards[..<7])
    #expect(reader.loss(unseen.latents, rewards: others).item > 0.3)
    let exchanged = Array(unseen.rewards[200...] + unseen.rewards[..<200])
    #expect(reader.loss(unseen.latents, rewards: exchanged).item > 0.3)
  }

  /// The gradient of the loss reaches all three latents, and so the encoder.
  @Test func gradientReachesEveryFrame() {
    var random = Seed(4).stream("motion")
    let motion = RewardedMotion(batch: 5, using: &random)
    let reader = RewardPrediction(latentSize: 4, using: &random)
    let slopes = gradient(at: motion.latents) { reader.loss($0, rewards: motion.rewards) }
    #expect(slopes.shape == [15, 4])
    #expect(square(slopes).sum(axis: 1).array.allSatisfy { $0 > 0 })
  }

  @Test func wrongCountsTrap() async {
    await #expect(processExitsWith: .failure) {
      var random = Seed(1).stream("reader")
      let reader = RewardPrediction(latentSize: 2, using: &random)
      _ = reader.loss(.zeros([6, 2]), rewards: [1, 2, 3])  // two groups have four rewards
    }
    await #expect(processExitsWith: .failure) {
      var random = Seed(1).stream("reader")
      let reader = RewardPrediction(latentSize: 2, using: &random)
      _ = reader.loss(.zeros([5, 2]), rewards: [1, 2])  // five frames are not groups of three
    }
    await #expect(processExitsWith: .success) {
      var random = Seed(1).stream("reader")
      let reader = RewardPrediction(latentSize: 2, using: &random)
      _ = reader.loss(.zeros([6, 2]), rewards: [1, 2, 3, 4])
    }
  }
}
