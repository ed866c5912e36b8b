import Core
import Testing

@testable import Networks
@testable import Tensors

/// The parameters of a distribution as a module, to compute their gradients.
private struct Parameters: Module {
  var mean: Tensor
  var logSigma: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("mean", &mean)
    visitor("log_sigma", &logSigma)
  }

  init(mean: Tensor, logSigma: Tensor) {
    self.mean = mean
    self.logSigma = logSigma
  }

  init(_ name: String, _ precision: Precision) {
    self.init(mean: golden("\(name).mean", precision), logSigma: golden("\(name).log_sigma", precision))
  }

  func check(_ gradient: Gradient, _ name: String, tolerance: Double? = nil) {
    for (index, parameter) in parameters.enumerated() {
      expectClose(
        gradient.tensors[index], golden["\(name).gradient_\(parameter.name)"], "\(name) \(parameter.name)",
        tolerance: tolerance)
    }
  }
}

@Suite struct DistributionTests {
  @Test(arguments: [Precision.float32, .float64])
  func gaussianAgreesWithPyTorch(_ precision: Precision) {
    let parameters = Parameters("gaussian", precision)
    let x = golden("gaussian.x", precision)
    let (r, s) = (golden("gaussian.r_log_probability", precision), golden("gaussian.r_entropy", precision))
    let gaussian = Gaussian(mean: parameters.mean, logSigma: parameters.logSigma)
    expectClose(gaussian.logProbability(of: x), golden["gaussian.log_probability"], "log p")
    expectClose(gaussian.entropy, golden["gaussian.entropy"], "entropy")
    let (_, gradient) = valueWithGradient(at: parameters) { p in
      let gaussian = Gaussian(mean: p.mean, logSigma: p.logSigma)
      return (gaussian.logProbability(of: x) * r).sum() + (gaussian.entropy * s).sum()
    }
    parameters.check(gradient, "gaussian")
    let byX = Tensors.gradient(at: x) { (gaussian.logProbability(of: $0) * r).sum() }
    expectClose(byX, golden["gaussian.gradient_x"], "x")
  }

  /// The golden values include large |u|, for which 1 - tanh² u is 0 in float32.
  @Test(arguments: [Precision.float32, .float64])
  func tanhGaussianAgreesWithPyTorch(_ precision: Precision) {
    let name = "tanh_gaussian"
    let parameters = Parameters(name, precision)
    let noise = golden("\(name).noise", precision)
    let (r, s) = (golden("\(name).r_action", precision), golden("\(name).r_log_probability", precision))
    let distribution = TanhGaussian(mean: parameters.mean, logSigma: parameters.logSigma)
    let (action, logProbability) = distribution.sample(noise: noise)
    expectClose(action, golden["\(name).action"], "action")
    expectClose(logProbability, golden["\(name).log_probability"], "log p")
    let (_, gradient) = valueWithGradient(at: parameters) { p in
      let (action, logProbability) = TanhGaussian(mean: p.mean, logSigma: p.logSigma).sample(noise: noise)
      return (action * r).sum() + (logProbability * s).sum()
    }
    parameters.check(gradient, name)
  }

  @Test(arguments: [Precision.float32, .float64])
  func tanhGaussianOfGivenActionsAgreesWithPyTorch(_ precision: Precision) {
    let name = "tanh_gaussian_of"
    let parameters = Parameters(name, precision)
    let action = golden("\(name).action", precision)
    let r = golden("\(name).r_log_probability", precision)
    let tolerance = precision == .float32 ? 1e-4 : 1e-11
    let distribution = TanhGaussian(mean: parameters.mean, logSigma: parameters.logSigma)
    expectClose(
      distribution.logProbability(of: action), golden["\(name).log_probability"], "log p", tolerance: tolerance)
    let (_, gradient) = valueWithGradient(at: parameters) { p in
      (TanhGaussian(mean: p.mean, logSigma: p.logSigma).logProbability(of: action) * r).sum()
    }
    parameters.check(gradient, name, tolerance: tolerance)
    #expect(distribution.logProbability(of: Tensor(repeating: 1, [3, 2], precision)).isFinite)
  }

  @Test func gradientsMatchDifferences() {
    var random = Seed(1).stream("differences")
    let parameters = Parameters(
      mean: .normal([3, 2], .float64, using: &random), logSigma: .normal([3, 2], .float64, using: &random))
    let noise = Tensor.normal([3, 2], .float64, using: &random)
    expectGradientMatchesDifferences(parameters) { p in
      let (action, logProbability) = TanhGaussian(mean: p.mean, logSigma: p.logSigma).sample(noise: noise)
      return logProbability.sum() + square(action).sum()
    }
    let output = MultilayerPerceptron(3, hidden: [], 4, using: &random)
    let x = Tensor.normal([2, 3], .float64, using: &random)
    let wide = Tensor.normal([2, 2], .float64, using: &random)
    expectGradientMatchesDifferences(output) { output in
      TanhGaussian(output(x), logSigma: -5...2).sample(noise: wide).logProbability.sum()
    }
    expectGradientMatchesDifferences(output) { output in
      let distribution = Categorical(logits: output(x))
      return distribution.logProbability(of: [3, 0]).sum() + square(distribution.entropy).sum()
    }
  }

  // MARK: Saturated actions

  /// log Φ((9 - artanh(1 - 1e-6)) / 0.6), computed with 40 digits, takes the place of the density. The other dimension of
  /// the action keeps its density.
  @Test(arguments: [Precision.float32, .float64])
  func aSaturatedActionHasTheProbabilityOfItsTail(_ precision: Precision) {
    let exact = -0.0018119537512576443
    func distribution(_ mean: [Double]) -> TanhGaussian {
      TanhGaussian(
        mean: Tensor(mean, [1, mean.count]).converted(to: precision),
        logSigma: Tensor(repeating: Double.log(0.6), [1, mean.count], precision))
    }
    func logProbability(_ mean: [Double], _ action: [Double]) -> Double {
      distribution(mean).logProbability(of: Tensor(action, [1, action.count]).converted(to: precision)).item
    }
    let tolerance = precision == .float32 ? 1e-6 : 1e-12
    for action in [1, 1 - 1e-7] {
      #expect(abs(logProbability([9], [action]) - exact) < tolerance)
      #expect(abs(logProbability([-9], [-action]) - exact) < tolerance)
    }
    let density = logProbability([0.2], [0.3])
    #expect(abs(logProbability([9, 0.2], [1, 0.3]) - exact - density) < tolerance)
    // Rows without a saturated action keep their value to the bit.
    let rows = TanhGaussian(
      mean: Tensor([9, 0.2, 0.2, 0.2], [2, 2]).converted(to: precision),
      logSigma: Tensor(repeating: Double.log(0.6), [2, 2], precision))
    let action = Tensor([1, 0.3, -0.7, 0.3], [2, 2]).converted(to: precision)
    #expect(rows.logProbability(of: action).doubles[1] == logProbability([0.2, 0.2], [-0.7, 0.3]))
  }

  /// E[∇log π] = 0 where many actions are saturated, and where nearly all are.
  @Test(arguments: [-8.0, 7, 8, 9])
  func theScoreOfSaturatedActionsHasMeanZero(_ mean: Double) {
    var random = Seed(10).stream("saturated")
    let count = 100_000
    let parameters = Parameters(
      mean: Tensor(repeating: mean, [count, 1]), logSigma: Tensor(repeating: Double.log(0.6), [count, 1]))
    let action = TanhGaussian(mean: parameters.mean, logSigma: parameters.logSigma).sample(using: &random).action
    let (_, gradient) = valueWithGradient(at: parameters) { p in
      TanhGaussian(mean: p.mean, logSigma: p.logSigma).logProbability(of: action).sum()
    }
    for (parameter, score) in zip(parameters.parameters, gradient.tensors) {
      let scores = score?.doubles ?? []
      let average = scores.reduce(0, +) / Double(count)
      let variance = scores.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(count)
      let error = (variance / Double(count)).squareRoot()
      #expect(error > 0 && abs(average) < 4 * error, "\(parameter.name): \(average) ± \(error)")
    }
  }

  @Test func gradientsOfSaturatedActionsMatchDifferences() {
    var random = Seed(11).stream("differences")
    let parameters = Parameters(
      mean: 4 * .normal([3, 2], .float64, using: &random), logSigma: .normal([3, 2], .float64, using: &random))
    let action = Tensor([1, -0.4, 0.2, -1, -1, 1.0], [3, 2])
    expectGradientMatchesDifferences(parameters) { p in
      square(TanhGaussian(mean: p.mean, logSigma: p.logSigma).logProbability(of: action)).sum()
    }
  }

  @Test func logSigmaStaysInItsRange() {
    let output = Tensor([Float(0.5), -1e4, 0.5, 0, 0.5, 1e4], [3, 2])
    let distribution = TanhGaussian(output, logSigma: -10...2)
    expectClose(distribution.gaussian.logSigma, Tensor([-10.0, -4, 2], [3, 1]), "log σ")
    #expect(distribution.gaussian.mean.array == [0.5, 0.5, 0.5])
  }

  @Test(arguments: [Precision.float32, .float64])
  func categoricalAgreesWithPyTorch(_ precision: Precision) {
    let logits = golden("categorical.logits", precision)
    let choices = golden["categorical.choices"].doubles.map { Int($0) }
    let (r, s) = (golden("categorical.r_log_probability", precision), golden("categorical.r_entropy", precision))
    let distribution = Categorical(logits: logits)
    expectClose(distribution.logProbability(of: choices), golden["categorical.log_probability"], "log p")
    expectClose(distribution.entropy, golden["categorical.entropy"], "entropy")
    expectClose(distribution.probabilities.sum(axis: -1), Tensor(repeating: 1, [3], .float64), "Σ p")
    #expect(distribution.mode.array == logits.argmax().map(Float.init))
    let gradient = Tensors.gradient(at: logits) { logits in
      let distribution = Categorical(logits: logits)
      return (distribution.logProbability(of: choices) * r).sum() + (distribution.entropy * s).sum()
    }
    expectClose(gradient, golden["categorical.gradient_logits"], "logits")
  }

  // MARK: Sampling, with fixed seeds

  @Test func gaussianSamplesAreNormallyDistributed() {
    var random = Seed(7).stream("gaussian")
    let count = 20_000
    let gaussian = Gaussian(mean: Tensor(repeating: 3, [count, 1]), logSigma: Tensor(repeating: -0.5, [count, 1]))
    let standardized = gaussian.sample(using: &random).doubles.map { ($0 - 3) / 0.60653066 }.sorted()
    #expect(abs(standardized.reduce(0, +) / Double(count)) < 0.02)
    // Kolmogorov-Smirnov test at 1 %: 1.63 / √n, with known quantiles of the normal distribution.
    let quantiles: [(z: Double, p: Double)] = [
      (-2.326348, 0.01), (-1.644854, 0.05), (-1.281552, 0.1), (-0.674490, 0.25), (0, 0.5), (0.674490, 0.75),
      (1.281552, 0.9), (1.644854, 0.95), (2.326348, 0.99),
    ]
    for (z, p) in quantiles {
      let below = standardized.count { $0 < z }
      #expect(abs(Double(below) / Double(count) - p) < 1.63 / Double(count).squareRoot(), "below \(z)")
    }
  }

  @Test func tanhGaussianSamplesHaveTheirDensity() {
    var random = Seed(8).stream("tanh")
    let count = 20_000
    let distribution = TanhGaussian(
      mean: Tensor(repeating: 0.4, [count, 1]), logSigma: Tensor(repeating: -0.3, [count, 1]))
    let (action, logProbability) = distribution.sample(using: &random)
    let actions = action.doubles
    #expect(actions.allSatisfy { abs($0) <= 1 })
    // E[1/p(a)] over a ~ p is the length of the support: both halves of (-1, 1) have length 1.
    let inverse = zip(actions, logProbability.doubles).map { ($0, Double.exp(-$1)) }
    let integral = inverse.filter { abs($0.0) < 0.9 }.reduce(0) { $0 + $1.1 } / Double(count)
    #expect(abs(integral - 1.8) < 0.05)
    // Half of the actions are below tanh(μ).
    let median = distribution.mode.doubles[0]
    let below = actions.count { $0 < median }
    #expect(abs(Double(below) / Double(count) - 0.5) < 1.63 / Double(count).squareRoot())
    expectClose(distribution.logProbability(of: action), logProbability, "log p both ways", tolerance: 1e-3)
  }

  @Test func categoricalSamplesHaveTheirFrequencies() {
    var random = Seed(9).stream("categorical")
    let count = 30_000
    let p = [0.5, 0.3, 0.15, 0.05]
    let logits = (0..<count).flatMap { _ in p.map { Double.log($0) + 2 } }
    let choices = Categorical(logits: Tensor(logits, [count, 4])).sample(using: &random)
    for (choice, p) in p.enumerated() {
      let frequency = Double(choices.count { $0 == choice }) / Double(count)
      #expect(abs(frequency - p) < 4 * (p * (1 - p) / Double(count)).squareRoot(), "choice \(choice)")
    }
    let certain = Categorical(logits: Tensor([Float(-1e30), 0, -1e30], [1, 3]))
    #expect((0..<100).allSatisfy { _ in certain.sample(using: &random) == [1] })
  }

  @Test func sameSeedSameSamples() {
    var (a, b) = (Seed(5).stream("s"), Seed(5).stream("s"))
    let distribution = TanhGaussian(mean: .zeros([4, 3]), logSigma: .zeros([4, 3]))
    #expect(distribution.sample(using: &a).action.array == distribution.sample(using: &b).action.array)
  }
}
