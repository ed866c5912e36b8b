import Core
import Networks
import Tensors
import Testing

@testable import Autoencoders

@Suite struct ForwardDynamicsTests {
  /// Without its network, the prediction is constant motion: z_2 = z_1 + (z_1 - z_0).
  @Test func withoutCorrectionTheMotionIsConstant() {
    var random = Seed(5).stream("weights")
    var dynamics = ForwardDynamics(latentSize: 2, actionSpace: .discrete(count: 3), using: &random)
    dynamics.replaceParameters { _, value in .zeros(value.shape) }
    let latents = Tensor([0.1, -0.5, 0.3, -0.4, 9, 9, 0, 0, -0.2, 0.25, 9, 9] as [Float], [6, 2])
    let predicted = dynamics(latents, actions: [2, 0])
    #expect(predicted.shape == [2, 2])
    for (value, right) in zip(predicted.array, [0.5, -0.3, -0.4, 0.5] as [Float]) {
      #expect(abs(value - right) < 1e-6, "\(value), not \(right)")
    }
  }

  /// An action moves the first latent by 0.05 a. Constant motion has an error of 2/3 · 0.05² there, since the last action
  /// still moves it; the error of the prediction must be much less, and is not with the actions of other groups.
  @Test(arguments: InverseDynamicsTests.spaces) func theActionDecidesThePrediction(_ space: ActionSpace) {
    var random = Seed(6).stream("drift")
    var dynamics = ForwardDynamics(latentSize: 2, actionSpace: space, using: &random)
    var optimizer = Adam(learningRate: 3e-3)
    func error(_ dynamics: ForwardDynamics, _ drift: Drift, _ actions: ArraySlice<Float>) -> Tensor {
      let last = drift.latents.gatheringRows(Array(stride(from: 2, to: drift.latents.shape[0], by: 3)))
      return meanSquared(dynamics(drift.latents, actions: actions) - last)
    }
    for _ in 0..<400 {
      let drift = Drift(space, batch: 32, using: &random)
      let (_, gradient) = valueWithGradient(at: dynamics) { error($0, drift, drift.second) }
      optimizer.update(&dynamics, along: gradient)
    }
    let unseen = Drift(space, batch: 200, using: &random)
    let right = error(dynamics, unseen, unseen.second).item
    let others = unseen.second.dropFirst(7 * space.arrayCount) + unseen.second.prefix(7 * space.arrayCount)
    #expect(right < 1e-4, "\(right)")
    #expect(error(dynamics, unseen, others[...]).item > 5 * right)
  }

  /// The gradient reaches the first two latents of each group and all weights, and not the last latent.
  @Test func gradientReachesTheLatentsBefore() {
    var random = Seed(7).stream("drift")
    let space = ActionSpace.discrete(count: 3)
    let drift = Drift(space, batch: 4, using: &random)
    let dynamics = ForwardDynamics(latentSize: 2, actionSpace: space, using: &random)
    let slopes = gradient(at: drift.latents) { square(dynamics($0, actions: drift.second)).sum() }
    let sizes = square(slopes).sum(axis: 1).array
    #expect(sizes.count == 12)
    for (row, size) in sizes.enumerated() { #expect((size > 0) == (row % 3 < 2), "row \(row): \(size)") }
    let (_, weights) = valueWithGradient(at: dynamics) { square($0(drift.latents, actions: drift.second)).sum() }
    for tensor in weights.tensors { #expect((tensor.map { square($0).sum().item } ?? 0) > 0) }
  }
}

/// Latents that drift by the actions alone: z' = z + 0.05 a in every value.
private struct Drift {
  let latents: Tensor  // [3B, 2]
  /// The actions of the second frames.
  let second: ArraySlice<Float>

  init(_ space: ActionSpace, batch: Int, using random: inout Random) {
    var (latents, second): ([Float], [Float]) = ([], [])
    for _ in 0..<batch {
      var z = [Float(random.uniform(-1, 1)), Float(random.uniform(-1, 1))]
      latents += z
      for frame in 0..<2 {
        let action = space.normalized(space.sample(using: &random))
        for i in 0..<2 { z[i] += 0.05 * (space.isContinuous ? action[i] : action[0] - 1) }
        latents += z
        if frame == 1 { second += action }
      }
    }
    (self.latents, self.second) = (Tensor(latents, [3 * batch, 2]), second[...])
  }
}
