import Foundation
import Testing

@testable import Tensors

/// Values and gradients computed by PyTorch with `experiments/checks/golden/make_golden.py`.
@Suite struct GoldenTests {
  private struct Numbers: Decodable {
    let shape: [Int]
    let values: [Double]

    func tensor(_ precision: Precision) -> Tensor { Tensor(values, Shape(shape)).converted(to: precision) }
  }

  private struct Golden: Decodable {
    let inputs: [Numbers]
    let output: Numbers
    let projection: Numbers
    let gradients: [Numbers]
  }

  private static func goldens() throws -> [String: Golden] {
    let file = try #require(
      Bundle.module.url(forResource: "operations", withExtension: "json", subdirectory: "Goldens"))
    return try JSONDecoder().decode([String: Golden].self, from: Data(contentsOf: file))
  }

  private static let functions: [String: @Sendable ([Tensor]) -> Tensor] = [
    "relu": { relu($0[0]) },
    "exp": { exp($0[0]) },
    "tanh": { tanh($0[0]) },
    "softplus": { softplus($0[0]) },
    "square": { square($0[0]) },
    "abs": { abs($0[0]) },
    "clamp": { clamp($0[0], -0.5, 0.7) },
    "product": { $0[0] * $0[1] },
    "quotient": { $0[0] / $0[1] },
    "minimum": { minimum($0[0], $0[1]) },
    "maximum": { maximum($0[0], $0[1]) },
    "mean": { $0[0].mean(axis: 1) },
    "permute": { $0[0].permuted(0, 3, 1, 2) },
    "concatenate": { concatenated($0[0], $0[1]) },
    "matrixProduct": { matrixProduct($0[0], transposed: false, $0[1], transposed: true) },
    "linear": { linear($0[0], weight: $0[1], bias: $0[2]) },
    "layerNorm": { layerNormalized($0[0], weight: $0[1], bias: $0[2]) },
    "softmax": { softmax($0[0]) },
    "logSoftmax": { logSoftmax($0[0]) },
    "pixelShuffle": { pixelShuffled($0[0], by: 2) },
    "pixelUnshuffle": { pixelUnshuffled($0[0], by: 2) },
    "chain": {
      convolved(
        $0[0],
        through: [
          Convolution(inputs: 3, outputs: 4, kernel: 3, stride: 2, rectified: true),
          Convolution(.transposed, inputs: 4, outputs: 2, kernel: 3, stride: 2, outputPadding: 1),
        ], weights: [$0[1], $0[3]], biases: [$0[2], $0[4]])
    },
    "paddedChain": {
      convolved(
        $0[0],
        through: [
          Convolution(inputs: 2, outputs: 3, kernel: 3, padding: 1),
          Convolution(.transposed, inputs: 3, outputs: 2, kernel: 4, padding: 1, rectified: true),
        ], weights: [$0[1], $0[3]], biases: [$0[2], $0[4]])
    },
  ]

  @Test(arguments: [Precision.float32, .float64])
  func equalPyTorch(_ precision: Precision) throws {
    let goldens = try Self.goldens()
    #expect(Set(goldens.keys) == Set(Self.functions.keys))
    let tolerance = precision == .float32 ? 3e-6 : 1e-7  // the file has nine digits
    for (name, golden) in goldens {
      let function = try #require(Self.functions[name])
      let model = Inputs(tensors: golden.inputs.map { $0.tensor(precision) })
      let projection = golden.projection.tensor(precision)
      let output = function(model.tensors)
      #expect(output.shape == Shape(golden.output.shape), "\(name)")
      #expect(distance(output.doubles, golden.output.values) < tolerance, "\(name)")
      let (_, gradient) = valueWithGradient(at: model) { (function($0.tensors) * projection).sum() }
      for (i, expected) in golden.gradients.enumerated() {
        let found = try #require(gradient.tensors[i])
        #expect(distance(found.doubles, expected.values) < tolerance, "\(name), gradient \(i)")
      }
    }
  }

  /// Returns the largest difference, relative to the largest expected value (or 1).
  private func distance(_ found: [Double], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    let scale = max(1, expected.map(\.magnitude).max() ?? 1)
    return zip(found, expected).map { ($0 - $1).magnitude }.reduce(0, max) / scale
  }
}
