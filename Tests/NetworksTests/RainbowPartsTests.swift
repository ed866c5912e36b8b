import Core
import Tensors
import Testing

@testable import Networks

@Suite struct NoisyLinearTests {
  @Test func factorisedNoiseEqualsAMatrixOfNoise() {
    var random = Seed(1).stream("noisy")
    var layer = NoisyLinear(7, 5, using: &random)
    layer.weightSigma = .normal([5, 7], using: &random)
    layer.biasSigma = .normal([5], using: &random)
    layer.bias = .normal([5], using: &random)
    let (x, noise) = (Tensor.normal([4, 7], using: &random), layer.noise(using: &random))
    let (input, output) = (noise.input.array, noise.output.array)
    let matrix = Tensor((0..<35).map { output[$0 / 7] * input[$0 % 7] }, [5, 7])
    let expected = linear(
      x, weight: layer.weight + layer.weightSigma * matrix,
      bias: layer.bias + layer.biasSigma * noise.output.reshaped(5))
    for (a, b) in zip(layer(x, noise).array, expected.array) { #expect(abs(a - b) < 1e-5) }
    #expect(layer(x, nil).array == linear(x, weight: layer.weight, bias: layer.bias).array)
  }

  /// 20,000 values with deviations of at most 1, within five standard errors: one false alarm in a million.
  @Test func noiseIsTheSignedRootOfNormalNumbers() {
    var random = Seed(2).stream("noisy")
    let noise = NoisyLinear(20_000, 1, using: &random).noise(using: &random).input.doubles
    func mean(_ f: (Double) -> Double) -> Double { noise.map(f).reduce(0, +) / Double(noise.count) }
    let tolerance = 5 / Double(noise.count).squareRoot()
    #expect(abs(mean { $0 }) < tolerance)
    #expect(abs(mean { $0 * $0 } - (2 / Double.pi).squareRoot()) < tolerance, "E f(ε)² = E|ε| = √(2/π)")
    #expect(abs(mean { $0 * $0 * $0 * $0 } - 1) < 2 * tolerance, "E f(ε)⁴ = E ε² = 1")
  }

  @Test func deviationsStartAsInThePaperAndAllLearn() {
    var random = Seed(3).stream("noisy")
    let layer = NoisyLinear(16, 3, initialSigma: 0.4, using: &random)
    for sigma in layer.weightSigma.array + layer.biasSigma.array { #expect(abs(sigma - 0.1) < 1e-7) }
    let (x, noise) = (Tensor.normal([8, 16], using: &random), layer.noise(using: &random))
    let (_, gradient) = valueWithGradient(at: layer) { square($0(x, noise)).mean() }
    #expect(gradient.tensors.count == 4 && gradient.tensors.allSatisfy { $0?.array.contains { $0 != 0 } ?? false })
    let (_, gradientWithoutNoise) = valueWithGradient(at: layer) { square($0(x, nil)).mean() }
    #expect(
      gradientWithoutNoise.tensors.map { $0 == nil } == [false, false, true, true],
      "without noise the deviations are not used")
  }
}

@Suite struct ReturnAtomsTests {
  /// Bellemare 2017, eq. 7, as printed.
  private func naive(_ p: [Float], _ atoms: ReturnAtoms, _ r: Double, _ d: Double) -> [Double] {
    let z = (0..<atoms.count).map { atoms.low + (atoms.high - atoms.low) * Double($0) / Double(atoms.count - 1) }
    return z.map { zi in
      zip(p, z).reduce(0) { sum, atom in
        let moved = min(max(r + d * atom.1, atoms.low), atoms.high)
        return sum + max(0, 1 - abs(moved - zi) / atoms.spacing) * Double(atom.0)
      }
    }
  }

  @Test(arguments: [2, 3, 11, 51]) func projectionsFollowTheEquation(_ count: Int) {
    var random = Seed(UInt64(count)).stream("distributions")
    let atoms = ReturnAtoms(-2...3, count: count)
    let p = softmax(.normal([64, count], using: &random) * 2)
    let reward = Tensor.normal([64, 1], using: &random) * 2
    let discount = Tensor((0..<64).map { [0, 0.5, 0.99, 1][$0 % 4] as Float }, [64, 1])
    let found = projected(p, onto: atoms, reward: reward, discount: discount).array
    let (rows, r, d) = (p.array, reward.doubles, discount.doubles)
    for row in 0..<64 {
      let expected = naive(Array(rows[row * count..<(row + 1) * count]), atoms, r[row], d[row])
      for i in 0..<count { #expect(abs(Double(found[row * count + i]) - expected[i]) < 1e-6) }
      #expect(abs(found[row * count..<(row + 1) * count].reduce(0, +) - 1) < 1e-5)
    }
  }

  @Test func projectionsByHand() {
    let atoms = ReturnAtoms(0...2, count: 3)
    func moved(_ p: [Float], _ r: Float, _ d: Float) -> [Float] {
      projected(Tensor(p, [1, 3]), onto: atoms, reward: Tensor([r], [1, 1]), discount: Tensor([d], [1, 1])).array
    }
    #expect(moved([0.2, 0.3, 0.5], 0, 1) == [0.2, 0.3, 0.5])
    #expect(moved([0.2, 0.3, 0.5], 1, 1) == [0, 0.2, 0.8], "atoms outside the range move to its end")
    #expect(moved([0.5, 0, 0.5], 0.5, 0.5) == [0.25, 0.5, 0.25], "atoms at 0.5 and 1.5 are shared")
    #expect(moved([0.1, 0.1, 0.8], 0.25, 0) == [0.75, 0.25, 0], "with discount 0 only the reward remains")
    #expect(moved([1, 0, 0], -7, 1) == [1, 0, 0])
    #expect(atoms.values.array == [0, 1, 2])
    #expect(atoms.expectation(of: Tensor([Float(0.25), 0.25, 0.5], [1, 3])).array == [1.25])
  }

  /// Inside the range the mean of the projection is r + d E[z].
  @Test func projectionsKeepTheMean() {
    var random = Seed(5).stream("distributions")
    let atoms = ReturnAtoms(-10...10, count: 51)
    let p = softmax(.normal([32, 51], using: &random))
    let (r, d) = (Tensor.normal([32, 1], using: &random) * 0.2, Tensor(repeating: 0.9, [32, 1]))
    let found = atoms.expectation(of: projected(p, onto: atoms, reward: r, discount: d))
    for (a, b) in zip(found.array, (r + d * atoms.expectation(of: p)).array) { #expect(abs(a - b) < 1e-4) }
  }
}
