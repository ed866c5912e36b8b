import Core
import Networks
import Tensors
import Testing

@testable import Autoencoders

/// Latents that an action moves: z' = z + 0.05 a in their first numbers, noise in the others.
private struct Drift {
  let latents: Tensor  // [3B, 4]
  let actions: [Float]

  init(_ actionSpace: ActionSpace, batch: Int, using random: inout Random) {
    var (latents, first, second): ([Float], [Float], [Float]) = ([], [], [])
    for _ in 0..<batch {
      let pushes = (0..<2).map { _ in actionSpace.sample(using: &random) }
      var z = (0..<4).map { _ in Float(random.uniform(-1, 1)) }
      latents += z
      for push in pushes {
        switch actionSpace {
        case .continuous: for i in push.indices { z[i] += 0.05 * Float(push[i]) }
        case .discrete: z[0] += 0.05 * Float(push[0] - 1)
        }
        z[3] = Float(random.uniform(-1, 1))
        latents += z
      }
      first += actionSpace.normalized(pushes[0])
      second += actionSpace.normalized(pushes[1])
    }
    (self.latents, actions) = (Tensor(latents, [3 * batch, 4]), first + second)
  }
}

@Suite struct InverseDynamicsTests {
  static let spaces: [ActionSpace] = [.continuous(low: [-1, -1], high: [1, 1]), .discrete(count: 3)]

  /// Of actions drawn anew each time, what is not read is their variance (1/3) or their entropy (ln 3).
  @Test(arguments: InverseDynamicsTests.spaces) func actionsAreReadFromWhatTheyMove(_ space: ActionSpace) {
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
    // The same numbers in another order: the actions of others cannot be read.
    let size = space.arrayCount
    let others = Array(unseen.actions[(7 * size)...] + unseen.actions[..<(7 * size)])
    #expect(reader.loss(unseen.latents, actions: others).item > 0.3)
  }

  /// What it asks for reaches all three latents, and so the encoder.
  @Test func everyFrameIsTaught() {
    var random = Seed(4).stream("drift")
    let space = ActionSpace.discrete(count: 3)
    let drift = Drift(space, batch: 5, using: &random)
    let reader = InverseDynamics(latentSize: 4, actionSpace: space, using: &random)
    let slopes = gradient(at: drift.latents) { reader.loss($0, actions: drift.actions) }
    #expect(slopes.shape == [15, 4])
    #expect(square(slopes).sum(axis: 1).array.allSatisfy { $0 > 0 })
  }
}
