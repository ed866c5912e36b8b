import Core
import Testing

@testable import Tensors

@Suite struct TapeTests {
  @Test func gradientsOfAVariableUsedTwiceAreAdded() {
    let x = Tensor([Float(3)], [1])
    #expect(gradient(at: x) { ($0 * $0 + 2 * $0).sum() }.array == [8])
  }

  @Test func anUnusedParameterHasNoGradient() {
    let model = Inputs(tensors: [Tensor([Float(1)], [1]), Tensor([Float(2)], [1])])
    let (value, gradient) = valueWithGradient(at: model) { $0.tensors[1].sum() }
    #expect(value == 2)
    #expect(gradient.tensors[0] == nil)
    #expect(gradient.tensors[1]?.array == [1])
  }

  @Test func aLossWithoutVariablesHasNoGradients() {
    let model = Inputs(tensors: [Tensor([Float(1)], [1])])
    let (_, gradient) = valueWithGradient(at: model) { _ in Tensor(scalar: 5) }
    #expect(gradient.tensors[0] == nil)
  }

  @Test func detachedStopsTheGradient() {
    let x = Tensor([Float(3)], [1])
    #expect(gradient(at: x) { ($0 * $0.detached).sum() }.array == [3])
    #expect(gradient(at: x) { $0.detached.sum() }.array == [0])
  }

  @Test func anEscapedTensorIsAConstant() {
    let x = Tensor([Float(3)], [1])
    var escaped = x
    _ = gradient(at: x) { x in
      escaped = x * 2
      return escaped.sum()
    }
    #expect(escaped.array == [6])
    // Used outside, and with a tape that may be the same one.
    #expect((escaped + 1).array == [7])
    #expect(gradient(at: x) { ($0 * escaped).sum() }.array == [6])
  }

  @Test func tapesAreReusedAndLossesCanBeNested() {
    let x = Tensor([Float(2)], [1])
    for _ in 0..<3 {
      let outer = gradient(at: x) { y in
        let inner = gradient(at: x) { ($0 * $0).sum() }
        return (y * inner).sum()
      }
      #expect(outer.array == [4])
    }
  }

  @Test func aThrownErrorReleasesTheTape() {
    struct Stop: Error {}
    let x = Tensor([Float(2)], [1])
    #expect(throws: Stop.self) { try gradient(at: x) { _ in throw Stop() } }
    #expect(gradient(at: x) { ($0 * 3).sum() }.array == [3])
  }

  @Test func gradientsThatAreNotNeededAreNotComputed() {
    struct Watch: Operation {
      func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
        #expect(!step.needs(0) && step.needs(1))
        step.add(gradient, to: 1)
      }
    }
    let constant = Tensor([Float(1)], [1])
    let x = Tensor([Float(2)], [1])
    #expect(gradient(at: x) { (constant + $0.detached).recorded(Watch(), from: constant, $0).sum() }.array == [1])
  }
}

@Suite struct MemoryTests {
  @Test func changingOneCopyKeepsTheOther() {
    var a = Tensor([1, 2, 3] as [Float], [3])
    let b = a
    a.withMutableElements { $0[0] = 9 }
    #expect(a.array == [9, 2, 3] && b.array == [1, 2, 3])
    // `a` now has its own memory. A second copy must not change either.
    let c = a
    a.withMutableElements { $0[1] = 8 }
    #expect(a.array == [9, 8, 3] && c.array == [9, 2, 3])
    let view = a.reshaped(3, 1)
    a.withMutableElements { $0[2] = 7 }
    #expect(a.array == [9, 8, 7] && view.array == [9, 8, 3])
  }

  @Test func aChangedTensorIsAConstant() {
    let x = Tensor([Float(3)], [1])
    let slope = gradient(at: x) { x in
      var y = x * 2
      y.withMutableElements { $0[0] = 5 }
      return (x * y).sum()
    }
    #expect(slope.array == [5])
  }

  @Test func memoryInUseIsNotReused() {
    let first = Tensor(repeating: 1, [1009])
    let others = (0..<8).map { Tensor(repeating: Double($0) + 2, [1009]) }
    #expect(first.array.allSatisfy { $0 == 1 })
    #expect(others.enumerated().allSatisfy { i, tensor in tensor.array.allSatisfy { $0 == Float(i) + 2 } })
  }
}

/// Serialized, because other tests use the same pool.
@Suite(.serialized) struct SteadyStateTests {
  /// Performs one update of an encoder with a head, with sizes that no other test uses.
  private func update(_ model: inout Inputs, _ x: Tensor, _ chain: [Convolution]) {
    let (_, gradient) = valueWithGradient(at: model) { model in
      let p = model.tensors
      let y = convolved(x, through: chain, weights: [p[0], p[1]], biases: [p[2], p[3]])
      let z = linear(y.reshaped(y.shape[0], -1), weight: p[4], bias: p[5], rectified: true)
      return meanSquared(softmax(tanh(concatenated(z, square(z))) * 0.5))
    }
    for i in model.tensors.indices {
      guard let gradient = gradient.tensors[i] else { continue }
      model.tensors[i] = (model.tensors[i] - gradient * 0.01).detached
    }
  }

  @Test func repeatedUpdatesAllocateNoMemory() {
    var random = Seed(5).stream("steady")
    let chain = [
      Convolution(inputs: 3, outputs: 19, kernel: 3, stride: 2, rectified: true),
      Convolution(.transposed, inputs: 19, outputs: 7, kernel: 3, stride: 2, outputPadding: 1),
    ]
    let x = Tensor.normal([3, 3, 23, 29], using: &random)
    let y = convolved(
      x, through: chain, weights: chain.map { .zeros($0.weightShape) }, biases: chain.map { .zeros([$0.outputs]) })
    var model = Inputs(
      tensors: chain.map { Tensor.normal($0.weightShape, using: &random) } + chain.map { .zeros([$0.outputs]) }
        + [Tensor.normal([11, y.shape.inner(0)], using: &random), .zeros([11])])
    for _ in 0..<2 { update(&model, x, chain) }
    // Tests that run at the same time may allocate blocks, but not at every try.
    let fresh = (0..<10).map { _ in
      let before = StoragePool.allocations
      update(&model, x, chain)
      return StoragePool.allocations - before
    }
    #expect(fresh.contains(0), "blocks allocated by the updates: \(fresh)")
  }
}
