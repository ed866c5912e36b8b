import Core
import Networks
import Tensors
import Testing

@testable import Agents

@Suite struct TwinCriticsTests {
  private let space = ActionSpace.continuous(low: [-1, -1], high: [1, 1])

  @Test func bothStartDifferentAndTheMinimumIsUsed() {
    var random = Seed(1).stream("critics")
    let critics = TwinCritics { ActionValue(3, space, hidden: [8], layerNorm: true, using: &random) }
    let (o, a) = (Tensor.normal([50, 3], using: &random), Tensor.normal([50, 2], using: &random))
    let (q1, q2) = critics(o, a)
    #expect(q1.shape == [50, 1] && q1.array == critics.first(o, a).array && q2.array == critics.second(o, a).array)
    let least = critics.least(o, a).array
    #expect(least == zip(q1.array, q2.array).map { min($0, $1) })
    #expect(least != q1.array && least != q2.array)
  }

  @Test func theDistanceOfTheCriticsIsWeighted() {
    var random = Seed(2).stream("critics")
    let critics = TwinCritics { CriticNetwork(3, 2, hidden: 8, layerNorm: false, blocks: 1, using: &random) }
    let (o, a) = (Tensor.normal([50, 3], using: &random), Tensor.normal([50, 2], using: &random))
    let (q1, q2) = critics(o, a)
    for (beta, expected) in [
      (1, minimum(q1, q2)), (0, (q1 + q2) / 2), (-1, maximum(q1, q2)), (0.5, ((q1 + q2) / 2 + minimum(q1, q2)) / 2),
    ] {
      let found = critics.cautious(o, a, pessimism: beta)
      #expect(zip(found.array, expected.array).allSatisfy { abs($0 - $1) < 1e-5 }, "β = \(beta)")
    }
  }

  @Test func residualBlocksReplaceTheHiddenLayers() {
    var settings = SAC.Settings()
    (settings.hidden, settings.criticBlocks) = (8, 2)
    let names = SAC(observationSize: 3, actionSpace: space, settings: settings, seed: Seed(1)).parameters.map(\.name)
    #expect(names.contains("critics.first.blocks.1.layers.layers.0.weight"))
    #expect(!names.contains("critics.first.layers.0.weight"))
  }

  /// Stored weights have these names.
  @Test func parameterNamesAreUnchanged() {
    let sac = SAC(observationSize: 3, actionSpace: space, settings: .init(), seed: Seed(1))
    let td3 = TD3(observationSize: 3, actionSpace: space, settings: .init(), seed: Seed(1))
    let names = (sac.parameters.map(\.name), td3.parameters.map(\.name))
    #expect(names.0.contains("critics.first.layers.0.weight") && names.0.contains("target_critics.second.norms.1.bias"))
    #expect(names.1.contains("critics.first.trunk.layers.0.weight"))
    #expect(names.1.contains("target_critics.second.trunk.norms.1.bias"))
  }
}
