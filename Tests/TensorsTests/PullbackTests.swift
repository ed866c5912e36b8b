import Core
import Testing

@testable import Tensors

@Suite struct PullbackTests {
  /// Two layers and an unused parameter.
  private struct Network: Module {
    var weight: Tensor
    var bias: Tensor
    var unused: Tensor
    var output: Tensor

    init(_ precision: Precision, seed: UInt64 = 1) {
      var random = Seed(seed).stream("network")
      weight = .normal([4, 3], precision, using: &random)
      bias = .normal([4], precision, using: &random)
      unused = .normal([2], precision, using: &random)
      output = .normal([4, 2], precision, using: &random)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {  // [B, 3] -> [B, 2]
      matrixProduct(tanh(linear(x, weight: weight, bias: bias)), output)
    }

    mutating func visit(_ visitor: inout some ParameterVisitor) {
      visitor("weight", &weight)
      visitor("bias", &bias)
      visitor("unused", &unused)
      visitor("output", &output)
    }
  }

  private let input: Tensor = {
    var random = Seed(2).stream("input")
    return .normal([5, 3], .float64, using: &random)
  }()

  private func loss(_ y: Tensor) -> Tensor { meanSquared(tanh(y) - 0.3) }

  /// Returns the largest difference between `found` and central differences of `function` with respect to a tensor,
  /// relative to the largest of them.
  private func error(_ found: Tensor?, at x: Tensor, of function: (Tensor) -> Double) -> Double {
    guard let found, found.shape == x.shape else { return .infinity }
    let numeric = x.doubles.indices.map { i in
      func shifted(_ by: Double) -> Double {
        var values = x.doubles
        values[i] += by
        return function(Tensor(values, x.shape))
      }
      return (shifted(1e-5) - shifted(-1e-5)) / 2e-5
    }
    let scale = numeric.map(\.magnitude).max() ?? 0
    return zip(found.doubles, numeric).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / max(scale, 1e-3)
  }

  private func bits(_ gradient: Gradient) -> [[UInt64]?] { gradient.tensors.map { $0?.doubles.map(\.bitPattern) } }

  @Test func aPullbackIsTheGradientOfTheWholeChain() {
    let network = Network(.float64)
    let (value, pullback) = valueWithPullback(at: network) { $0(input) }
    #expect(value.doubles == network(input).doubles && !value.isVariable)
    let found = pullback(gradient(at: value) { loss($0) })
    let whole = valueWithGradient(at: network) { loss($0(input)) }
    #expect(bits(found) == bits(whole.gradient))
    #expect(found.tensors[2] == nil)
    for i in [0, 1, 3] {
      let known = network.parameters[i]
      let error = error(found.tensors[i], at: known.value) { x in
        var changed = network
        changed.replaceParameters { name, value in name == known.name ? x : value }
        return loss(changed(input)).item
      }
      #expect(error < 1e-6, "\(known.name)")
    }
  }

  @Test func otherLossesCanBeComputedBeforeThePullback() {
    let (encoder, head) = (Network(.float64), Network(.float64, seed: 3))
    let (z, pullback) = valueWithPullback(at: encoder) { $0(input) }
    func headLoss(_ head: Network, _ z: Tensor) -> Tensor { loss(head(concatenated(z, z.columns(0..<1)))) }
    let (_, headGradient, zGradient) = valueWithGradient(at: head, and: z, isWanted: true, headLoss)
    // A second pullback, which is called first, and losses of the same model.
    let (other, otherPullback) = valueWithPullback(at: encoder) { square($0(input)) }
    _ = otherPullback(Tensor(repeating: 1, other.shape, .float64))
    let decoded = gradient(at: z) { square($0).sum() }
    let found = pullback((zGradient ?? z) + decoded)
    let whole = valueWithGradient(at: encoder) { encoder in
      let z = encoder(input)
      return headLoss(head, z) + square(z).sum()
    }
    for (a, b) in zip(found.tensors, whole.gradient.tensors) {
      #expect((a == nil) == (b == nil))
      for (a, b) in zip(a?.doubles ?? [], b?.doubles ?? []) { #expect(abs(a - b) < 1e-12 * max(1, abs(b))) }
    }
    #expect(bits(headGradient) == bits(valueWithGradient(at: head) { headLoss($0, z) }.gradient))
  }

  @Test func tapesAreReleased() throws {
    let network = Network(.float64)
    var seen = input
    func value(_ network: Network) -> Tensor {
      seen = network(input)
      return seen
    }
    // When the pullback was called.
    let (y, pullback) = valueWithPullback(at: network, value)
    let first = seen
    #expect(first.isVariable)
    _ = pullback(y)
    #expect(!first.isVariable)
    // When the pullback is released without a call.
    do {
      let (_, pullback) = valueWithPullback(at: network, value)
      withExtendedLifetime(pullback) { #expect(seen.isVariable) }
    }
    #expect(!seen.isVariable)
    // When the function throws.
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try valueWithPullback(at: network) { network in
        seen = network(input)
        throw Stop()
      }
    }
    #expect(!seen.isVariable)
  }

  @Test func aValueOfNoParameterHasNoGradient() {
    let (value, pullback) = valueWithPullback(at: Network(.float64)) { _ in input }
    #expect(value.doubles == input.doubles && pullback(value).tensors.allSatisfy { $0 == nil })
  }

  @Test func aSecondCallAndAnotherShapeTrap() async {
    await #expect(processExitsWith: .failure) {
      let (value, pullback) = valueWithPullback(at: Inputs(tensors: [.zeros([2])])) { $0.tensors[0] * 2 }
      for _ in 0..<2 { _ = pullback(value) }
    }
    await #expect(processExitsWith: .failure) {
      let (_, pullback) = valueWithPullback(at: Inputs(tensors: [.zeros([2])])) { $0.tensors[0] * 2 }
      _ = pullback(.zeros([1, 2]))
    }
  }

  // MARK: - With respect to a point

  @Test func gradientOfAPointIsReturnedIfRequested() {
    let network = Network(.float64)
    let alone = valueWithGradient(at: network) { loss($0(input)) }
    let with = valueWithGradient(at: network, and: input, isWanted: true) { loss($0($1)) }
    let without = valueWithGradient(at: network, and: input, isWanted: false) { network, x in
      #expect(!x.isVariable)
      return loss(network(x))
    }
    #expect(with.value == alone.value && without.value == alone.value)
    #expect(bits(with.gradient) == bits(alone.gradient) && bits(without.gradient) == bits(alone.gradient))
    #expect(without.pointGradient == nil)
    #expect(error(with.pointGradient, at: input) { loss(network($0)).item } < 1e-6)
    let unused = valueWithGradient(at: network, and: input, isWanted: true) { network, _ in square(network.bias).sum() }
    #expect(unused.pointGradient?.shape == input.shape && unused.pointGradient?.doubles.allSatisfy { $0 == 0 } == true)
  }

  // MARK: - Sums

  @Test func gradientsAddUp() {
    let a = Gradient(tensors: [Tensor([Float(1), 2], [2]), nil, nil])
    let b = Gradient(tensors: [Tensor([Float(3), 5], [2]), Tensor([Float(7)], [1]), nil])
    #expect((a + b).tensors.map { $0?.array } == [[4, 7], [7], nil])
    #expect((b + a).tensors.map { $0?.array } == [[4, 7], [7], nil])
    #expect((b * 2).tensors.map { $0?.array } == [[6, 10], [14], nil])
    #expect((0.5 * a).tensors.map { $0?.array } == [[0.5, 1], nil, nil])
  }
}
