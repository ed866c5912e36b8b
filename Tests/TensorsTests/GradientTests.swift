import Core
import Testing

@testable import Tensors

/// Several tensors as one model, to differentiate a function of several variables.
struct Inputs: Module {
  var tensors: [Tensor]
  mutating func visit(_ visitor: inout some ParameterVisitor) {
    for i in tensors.indices { visitor("input", &tensors[i]) }
  }
}

/// Returns the largest difference between the gradients of a random projection of a function and central differences in
/// double precision, relative to the largest gradient.
func gradientError(_ shapes: [Shape], seed: UInt64 = 1, positive: Bool = false, _ function: ([Tensor]) -> Tensor)
  -> Double
{
  var random = Seed(seed).stream("gradient")
  let inputs = shapes.map { shape in
    let x = Tensor.normal(shape, .float64, using: &random)
    return (positive ? abs(x) + 0.5 : x).detached
  }
  let projection = Tensor.normal(function(inputs).shape, .float64, using: &random)
  func value(_ inputs: [Tensor]) -> Double { (function(inputs) * projection).sum().item }
  let (_, gradient) = valueWithGradient(at: Inputs(tensors: inputs)) { (function($0.tensors) * projection).sum() }
  var (error, scale) = (0.0, 1e-3)
  for (i, input) in inputs.enumerated() {
    guard let analytic = gradient.tensors[i]?.doubles else { return .infinity }
    for j in analytic.indices {
      let h = 1e-5
      func shifted(_ by: Double) -> Double {
        var values = input.doubles
        values[j] += by
        var changed = inputs
        changed[i] = Tensor(values, input.shape)
        return value(changed)
      }
      let numeric = (shifted(h) - shifted(-h)) / (2 * h)
      error = max(error, (numeric - analytic[j]).magnitude)
      scale = max(scale, numeric.magnitude)
    }
  }
  return error / scale
}

@Suite struct GradientTests {
  typealias Case = (name: String, shapes: [Shape], positive: Bool, function: @Sendable ([Tensor]) -> Tensor)

  static let cases: [Case] = [
    ("relu", [[3, 5]], false, { relu($0[0]) }),
    ("exp", [[3, 5]], false, { exp($0[0]) }),
    ("log", [[3, 5]], true, { log($0[0]) }),
    ("tanh", [[3, 5]], false, { tanh($0[0]) }),
    ("softplus", [[3, 5]], false, { softplus($0[0]) }),
    ("square", [[3, 5]], false, { square($0[0]) }),
    ("sqrt", [[3, 5]], true, { sqrt($0[0]) }),
    ("abs", [[3, 5]], false, { abs($0[0]) }),
    ("clamp", [[3, 5]], false, { clamp($0[0], -0.5, 0.7) }),
    ("log Φ", [[3, 5]], false, { logNormalCDF(3 * $0[0]) }),
    ("log Φ in the far tail", [[3, 5]], false, { logNormalCDF(20 * $0[0] - 30) }),
    ("affine", [[7]], false, { 2 - (3 * $0[0] - 1) / 4 + 0.5 }),
    ("negate", [[7]], false, { -$0[0] }),
    ("sum of pairs", [[3, 5], [3, 5]], false, { $0[0] + $0[1] }),
    ("difference", [[3, 5], [5]], false, { $0[0] - $0[1] }),
    ("product by row", [[3, 5], [5]], false, { $0[0] * $0[1] }),
    ("product by column", [[3, 5], [3, 1]], false, { $0[0] * $0[1] }),
    ("product of column and row", [[3, 1], [1, 5]], false, { $0[0] * $0[1] }),
    ("product with a scalar", [[2, 3, 4], []], false, { $0[0] * $0[1] }),
    ("product of ranks", [[4, 1], [2, 3, 1, 5]], false, { $0[0] * $0[1] }),
    ("product by channel", [[2, 3, 2, 2], [1, 3, 1, 1]], false, { $0[0] * $0[1] }),
    ("quotient", [[2, 3, 2, 2], [2, 1, 2, 1]], true, { $0[0] / $0[1] }),
    ("minimum", [[3, 5], [3, 5]], false, { minimum($0[0], $0[1]) }),
    ("maximum", [[3, 5], [5]], false, { maximum($0[0], $0[1]) }),
    ("total sum", [[3, 5]], false, { square($0[0]).sum() }),
    ("mean", [[3, 5]], false, { square($0[0]).mean() }),
    ("sum over the first axis", [[3, 4, 5]], false, { $0[0].sum(axis: 0) }),
    ("sum over a middle axis", [[3, 4, 5]], false, { square($0[0]).sum(axis: 1, keepingAxis: true) }),
    ("mean over the last axis", [[3, 4, 11]], false, { square($0[0]).mean(axis: -1) }),
    ("mean squared", [[3, 5]], false, { meanSquared($0[0]) }),
    ("reshape", [[3, 4]], false, { square($0[0]).reshaped(2, -1) }),
    ("permute", [[2, 3, 4, 5]], false, { square($0[0]).permuted(3, 1, 0, 2) }),
    ("transpose", [[3, 4]], false, { square($0[0]).transposed }),
    ("columns", [[3, 6]], false, { square($0[0]).columns(1..<4) }),
    ("concatenate", [[3, 2], [3, 4], [3, 1]], false, { concatenated($0.map(square)) }),
    ("pick", [[4, 3]], false, { square($0[0]).picking([2, 0, 1, 2]) }),
    ("rows, one of them twice and one not", [[4, 3]], false, { square($0[0]).selectingRows([2, 0, 2, 3, 2]) }),
    ("matrix product", [[3, 4], [4, 5]], false, { matrixProduct($0[0], $0[1]) }),
    ("matrix product, left transposed", [[4, 3], [4, 5]], false, { matrixProduct($0[0], transposed: true, $0[1]) }),
    (
      "matrix product, right transposed", [[3, 4], [5, 4]], false,
      { matrixProduct($0[0], transposed: false, $0[1], transposed: true) }
    ),
    (
      "matrix product, both transposed", [[4, 3], [5, 4]], false,
      { matrixProduct($0[0], transposed: true, $0[1], transposed: true) }
    ),
    ("linear", [[3, 4], [5, 4], [5]], false, { linear($0[0], weight: $0[1], bias: $0[2]) }),
    (
      "linear, rectified", [[3, 4], [5, 4], [5]], false, { linear($0[0], weight: $0[1], bias: $0[2], rectified: true) }
    ),
    ("layer norm", [[3, 11], [11], [11]], false, { layerNormalized($0[0], weight: $0[1], bias: $0[2]) }),
    ("softmax", [[3, 5]], false, { softmax($0[0]) }),
    ("log softmax", [[3, 5]], false, { logSoftmax($0[0]) }),
    ("pixel shuffle", [[2, 8, 2, 3]], false, { pixelShuffled(square($0[0]), by: 2) }),
    ("pixel unshuffle", [[2, 2, 6, 3]], false, { pixelUnshuffled(square($0[0]), by: 3) }),
    (
      "convolution", [[2, 3, 6, 7], [4, 3, 3, 3], [4]], false,
      { input in
        convolved(
          input[0], through: [Convolution(inputs: 3, outputs: 4, kernel: 3, stride: 2, padding: 1)],
          weights: [input[1]],
          biases: [input[2]])
      }
    ),
    (
      "chain of convolutions", [[2, 2, 5, 6], [3, 2, 3, 3], [3, 2, 4, 4], [3], [2]], false,
      { input in
        convolved(
          input[0],
          through: [
            Convolution(inputs: 2, outputs: 3, kernel: 3, rectified: true),
            Convolution(.transposed, inputs: 3, outputs: 2, kernel: 4, stride: 3, padding: 1, outputPadding: 2),
          ], weights: [input[1], input[2]], biases: [input[3], input[4]])
      }
    ),
  ]

  @Test(arguments: 0..<cases.count)
  func equalsCentralDifferences(_ index: Int) {
    let (name, shapes, positive, function) = Self.cases[index]
    #expect(gradientError(shapes, positive: positive, function) < 1e-6, "\(name)")
  }

  /// The values were computed with 40 digits.
  @Test func logNormalCDFIsExactInBothTails() {
    let x = [-1000, -40, -30, -29.9, -10, -1, 0, 1, 5, 9]
    let expected = [
      -500007.8266948122, -804.6084420137538, -454.3212439563432, -451.3229124585286, -53.23128515051247,
      -1.841021645009264, -0.6931471805599453, -0.1727537790234499, -2.866516129637636e-7, -1.128588405953841e-19,
    ]
    for (found, exact) in zip(logNormalCDF(Tensor(x, [10])).doubles, expected) {
      #expect(abs(found / exact - 1) < 1e-9, "\(found) is not \(exact)")
    }
    for (found, exact) in zip(logNormalCDF(Tensor(x.map(Float.init), [10])).array, expected) {
      #expect(abs(found / Float(exact) - 1) < 1e-6, "\(found) is not \(exact)")
    }
  }

  @Test func gradientErrorDetectsAWrongGradient() {
    // The second use is detached, so its part of the gradient is missing.
    #expect(gradientError([[3]]) { $0[0] * $0[0].detached } > 0.1)
  }
}
