import Core
import Networks
import Tensors
import Testing

@testable import Autoencoders

/// Latents that depend on actions: z' = z + 0.05 a in the first values, noise in the others.
private struct Drift {
  let latents: Tensor  // [3B, 4]
  let actions: [Float]

  init(_ actionSpace: ActionSpace, batch: Int, using random: inout Random) {
    var (latents, first, second): ([Float], [Float], [Float]) = ([], [], [])
    for _ in 0..<batch {
      let sampled = (0..<2).map { _ in actionSpace.sample(using: &random) }
      var z = (0..<4).map { _ in Float(random.uniform(-1, 1)) }
      latents += z
      for action in sampled {
        switch actionSpace {
        case .continuous: for i in action.indices { z[i] += 0.05 * Float(action[i]) }
        case .discrete: z[0] += 0.05 * Float(action[0] - 1)
        }
        z[3] = Float(random.uniform(-1, 1))
        latents += z
      }
      first += actionSpace.normalized(sampled[0])
      second += actionSpace.normalized(sampled[1])
    }
    (self.latents, actions) = (Tensor(latents, [3 * batch, 4]), first + second)
  }
}

@Suite struct InverseDynamicsTests {
  static let spaces: [ActionSpace] = [.continuous(low: [-1, -1], high: [1, 1]), .discrete(count: 3)]

  /// Without any prediction, the error is the variance (1/3) or the entropy (ln 3) of the random actions.
  @Test(arguments: InverseDynamicsTests.spaces) func actionsArePredictedFromLatents(_ space: ActionSpace) {
    var random = Seed(3).stream("drift")
    var reader = InverseDynamics(latentSize: 4, actionSpace: space, using: &random)
    var optimizer = Adam(learningRate: 3e-3)
    for _ in 0..<300 {
      let drift = Drift(space, batch: 32, using: &random)
      let (_, gradient) = valueWithGradient(at: reader) { $0.loss(drift.latents, actions: drift.actions) }
      optimizer.update(&reader, along: gradient)
    }
    let unseen = Drift(space, batch: 200, using: &random)
    let error = reader.loss(unseen.latents, actions: unseen.actions).item
    #expect(error < 0.1, "\(error)")
    // Actions of other groups cannot be predicted.
    let size = space.arrayCount
    let others = Array(unseen.actions[(7 * size)...] + unseen.actions[..<(7 * size)])
    #expect(reader.loss(unseen.latents, actions: others).item > 0.3)
  }

  /// The gradient of the loss reaches all three latents, and so the encoder.
  @Test func gradientReachesEveryFrame() {
    var random = Seed(4).stream("drift")
    let space = ActionSpace.discrete(count: 3)
    let drift = Drift(space, batch: 5, using: &random)
    let reader = InverseDynamics(latentSize: 4, actionSpace: space, using: &random)
    let slopes = gradient(at: drift.latents) { reader.loss($0, actions: drift.actions) }
    #expect(slopes.shape == [15, 4])
    #expect(square(slopes).sum(axis: 1).array.allSatisfy { $0 > 0 })
  }
}
