import Core
import Tensors
import Testing

@testable import Networks

@Suite struct NormalizedPerceptronTests {
  /// With one operation for all layers, the values and gradients are those of the layers one by one.
  @Test(arguments: [Activation.relu, .elu, .identity]) func equalsItsLayersOneByOne(_ activation: Activation) {
    var random = Seed(3).stream("weights")
    let network = NormalizedPerceptron(5, hidden: [8, 6], 3, activation, using: &random)
    let (x, direction) = (
      Tensor.normal([9, 5], using: &random), Tensor.normal([9, 3], using: &random)
    )
    func plain(_ network: NormalizedPerceptron, _ x: Tensor) -> Tensor {
      var h = x
      for layer in network.layers.dropLast() {
        let z = layer(h)
        let centred = z - z.mean(axis: -1, keepingAxis: true)
        let unit = centred / sqrt(square(centred).mean(axis: -1, keepingAxis: true) + 1e-5)
        h = activation == .elu ? elu(unit) : activation == .relu ? relu(unit) : unit
      }
      return network.layers[2](h)
    }
    let (value, gradient, slope) = valueWithGradient(at: network, and: x, isWanted: true) { network, x in
      (network(x) * direction).sum()
    }
    let (expected, plainGradient, plainSlope) = valueWithGradient(at: network, and: x, isWanted: true) { network, x in
      (plain(network, x) * direction).sum()
    }
    #expect(abs(value - expected) < 1e-4 * max(1, abs(expected)))
    for (found, expected) in zip(gradient.tensors + [slope], plainGradient.tensors + [plainSlope]) {
      let pairs = zip(found?.array ?? [], expected?.array ?? [])
      #expect(found?.shape == expected?.shape && pairs.allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  @Test func weightsAreUniformWithTheirBound() {
    var random = Seed(4).stream("weights")
    let layer = Linear(40, 20, uniformGain: 2, using: &random)
    let bound = Float(2 * (6.0 / 60).squareRoot())
    let largest = layer.weight.array.map { abs($0) }.max() ?? 0
    #expect(largest <= bound && largest > 0.95 * bound && layer.bias.array.allSatisfy { $0 == 0 })
    let variance = layer.weight.doubles.reduce(0) { $0 + $1 * $1 } / 800
    #expect(abs(variance - Double(bound * bound) / 3) < 0.02)
  }

  @Test func residualBlocksAddToTheirInput() {
    var random = Seed(5).stream("weights")
    let network = ResidualNetwork(4, hidden: 8, blocks: 2, 1, using: &random)
    let x = Tensor.normal([6, 4], using: &random)
    let h0 = network.norm(network.input(x), rectified: true)
    let h1 = h0 + network.blocks[0](h0)
    let h2 = h1 + network.blocks[1](h1)
    #expect(network(x).array == network.output(h2).array && network(x).shape == [6, 1])
    // Without the blocks' last scale and shift only the input layer is left.
    var silent = network
    silent.replaceParameters { name, value in
      name.contains("blocks") && name.split(separator: ".").dropLast().last == "norm" ? .zeros(value.shape) : value
    }
    #expect(silent(x).array == network.output(h0).array)
  }
}

@Suite struct SymmetricBinsTests {
  let bins = SymmetricBins()

  @Test func aCodeHasTwoNeighboursWhoseMeanIsTheNumber() {
    let numbers: [Float] = [0, 0.3, -2.5, 100, -7000, 22_025]
    let code = bins.encoded(Tensor(numbers, [6, 1]))
    #expect(code.shape == [6, 65] && bins.values[32] == 0 && bins.values == bins.values.sorted())
    for (row, number) in numbers.enumerated() {
      let share = Array(code.array[row * 65..<(row + 1) * 65])
      let used = share.indices.filter { share[$0] != 0 }
      #expect(used.count <= 2 && (used.last ?? 0) - (used.first ?? 0) <= 1)
      let mean = zip(share, bins.values).reduce(0) { $0 + Double($1.0) * $1.1 }
      #expect(abs(mean - Double(number)) <= 1e-4 * max(1, abs(Double(number))))
      #expect(abs(share.reduce(0, +) - 1) < 1e-6)
    }
    // Beyond the last bin.
    #expect(bins.encoded(Tensor([Float(1e6)], [1, 1])).array[64] == 1)
  }

  @Test func certainLogitsExpectTheNumber() {
    var logits = [Float](repeating: 0, count: 65)
    logits[40] = 50
    let tensor = Tensor(logits, [1, 65])
    #expect(abs(bins.expectation(of: tensor).item - bins.values[40]) < 1e-6)
    #expect(bins.crossEntropy(tensor, with: Tensor([Float(bins.values[40])], [1, 1])).item < 1e-5)
    #expect(bins.crossEntropy(tensor, with: Tensor([Float(bins.values[20])], [1, 1])).item > 49)
  }

  /// One in 10,000 for the last bin, 22,025, adds 2.2 to the expectation, and 0.004 to the center.
  @Test func theCenterIsNotMovedByAFarBin() {
    for bin in [20, 32, 40] {
      var logits = [Float](repeating: -40, count: 65)
      logits[bin] = 0
      #expect(abs(bins.center(of: Tensor(logits, [1, 65])).item - bins.values[bin]) < 1e-4)
      logits[64] = -9.21  // e^-9.21 = 1e-4
      let far = Tensor(logits, [1, 65])
      #expect(abs(bins.expectation(of: far).item - bins.values[bin]) > 2)
      #expect(abs(bins.center(of: far).item - bins.values[bin]) < 0.002 * (abs(bins.values[bin]) + 1))
    }
  }
}
