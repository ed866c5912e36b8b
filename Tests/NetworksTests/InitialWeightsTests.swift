import Core
import Testing

@testable import Networks
@testable import Tensors

@Suite struct InitialWeightsTests {
  /// W Wᵀ (or Wᵀ W of a tall matrix) is gain² times the identity.
  private func expectOrthogonal(_ weight: Tensor, gain: Double) {
    let rows = weight.shape[0]
    let matrix = weight.reshaped(rows, -1).converted(to: .float64)
    let isTall = rows > matrix.shape[1]
    let gram = matrixProduct(matrix, transposed: isTall, matrix, transposed: !isTall)
    let size = gram.shape[0]
    let identity = (0..<size * size).map { $0 / size == $0 % size ? gain * gain : 0 }
    expectClose(gram, Tensor(identity, [size, size]), "Gram matrix of \(weight.shape)", tolerance: 1e-6)
  }

  @Test(arguments: [[4, 4], [3, 20], [20, 3], [1, 7], [7, 1], [40, 33], [8, 3, 3, 3]])
  func orthogonalIsOrthogonal(_ extents: [Int]) {
    var random = Seed(1).stream("orthogonal")
    for gain in [1, 2.0.squareRoot()] {
      expectOrthogonal(orthogonal(Shape(extents), gain: gain, using: &random), gain: gain)
    }
  }

  /// For uniformly drawn rotations every entry has mean 0 and variance 1/n. A sign convention would bias the diagonal.
  @Test func orthogonalIsUniform() {
    var random = Seed(2).stream("haar")
    let draws = 4000
    var (sum, squares) = ([Double](repeating: 0, count: 9), [Double](repeating: 0, count: 9))
    for _ in 0..<draws {
      for (i, w) in orthogonal([3, 3], using: &random).doubles.enumerated() {
        sum[i] += w
        squares[i] += w * w
      }
    }
    for i in 0..<9 {
      #expect(abs(sum[i] / Double(draws)) < 0.04)
      #expect(abs(squares[i] / Double(draws) - 1.0 / 3) < 0.03)
    }
  }

  @Test func sameSeedSameWeights() {
    var (a, b) = (Seed(5).stream("w"), Seed(5).stream("w"))
    #expect(orthogonal([5, 6], using: &a).array == orthogonal([5, 6], using: &b).array)
    #expect(orthogonal([5, 6], using: &a).array != orthogonal([5, 6], using: &b).array.reversed())
  }
}
