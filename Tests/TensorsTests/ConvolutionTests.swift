import Core
import Testing

@testable import Tensors

@Suite struct ConvolutionTests {
  /// Returns the value of a chain and all gradients of a random projection of it, with one of the two implementations.
  private func results(
    _ x: Tensor, _ chain: [Convolution], _ weights: [Tensor], _ biases: [Tensor], fast: Bool
  ) -> (value: Tensor, gradients: [Tensor]) {
    struct Parts: Module {
      var x: [Tensor]
      mutating func visit(_ visitor: inout some ParameterVisitor) {
        for i in x.indices { visitor("x", &x[i]) }
      }
    }
    var value = x
    let (_, gradient) = valueWithGradient(at: Parts(x: [x] + weights + biases)) { parts in
      let n = chain.count
      let (w, b) = (Array(parts.x[1...n]), Array(parts.x[(n + 1)...]))
      let y =
        fast
        ? convolved(parts.x[0], through: chain, weights: w, biases: b)
        : PortableConvolutions.forward(parts.x[0], chain, w, b)
      value = y.detached
      var random = Seed(9).stream("projection")
      return (y * Tensor.normal(y.shape, y.precision, using: &random)).sum()
    }
    return (value, gradient.tensors.map { $0! })
  }

  private func distance(_ a: Tensor, _ b: Tensor) -> Double {
    let (a, b) = (a.doubles, b.doubles)
    let scale = max(b.map(\.magnitude).max() ?? 0, 1e-3)
    return zip(a, b).map { ($0 - $1).magnitude }.reduce(0, max) / scale
  }

  #if OneDNN
    /// oneDNN divides the work of a plan among the threads of the thread that makes it.
    @Test func eachNumberOfThreadsHasItsOwnPlan() {
      let before = Threads.count
      defer { Threads.set(before) }
      let chain = [Convolution(inputs: 3, outputs: 8, kernel: 3)]
      func plan(_ threads: Int) -> ChainPlan {
        Threads.set(threads)
        return .cached(for: chain, [2, 3, 13, 17])
      }
      let one = plan(1)
      #expect(plan(2) !== one && plan(1) === one)
    }
  #endif

  static let chains: [(chain: [Convolution], size: (Int, Int, Int))] = [
    ([Convolution(inputs: 3, outputs: 5, kernel: 3)], (1, 7, 9)),
    ([Convolution(inputs: 9, outputs: 32, kernel: 3, stride: 2, rectified: true)], (2, 12, 11)),
    ([Convolution(inputs: 4, outputs: 6, kernel: 4, stride: 3, padding: 2, rectified: true)], (3, 11, 8)),
    ([Convolution(inputs: 17, outputs: 20, kernel: 1)], (2, 5, 5)),
    ([Convolution(.transposed, inputs: 6, outputs: 4, kernel: 3, rectified: true)], (2, 5, 6)),
    ([Convolution(.transposed, inputs: 6, outputs: 4, kernel: 3, padding: 1)], (1, 5, 6)),
    ([Convolution(.transposed, inputs: 32, outputs: 9, kernel: 3, stride: 2, outputPadding: 1)], (2, 6, 7)),
    (
      [Convolution(.transposed, inputs: 5, outputs: 7, kernel: 4, stride: 2, padding: 1, rectified: true)], (2, 5, 4)
    ),
    (
      [
        Convolution(inputs: 12, outputs: 32, kernel: 3, stride: 2, padding: 1, rectified: true),
        Convolution(inputs: 32, outputs: 32, kernel: 3, padding: 1, rectified: true),
        Convolution(inputs: 32, outputs: 16, kernel: 3, padding: 1),
        Convolution(.transposed, inputs: 16, outputs: 33, kernel: 3, rectified: true),
        Convolution(.transposed, inputs: 33, outputs: 3, kernel: 3, stride: 2, outputPadding: 1, rectified: true),
      ], (2, 13, 16)
    ),
    // Sizes at which Winograd's algorithm is used, which has larger rounding errors.
    (
      [
        Convolution(inputs: 9, outputs: 16, kernel: 3, stride: 2, rectified: true),
        Convolution(inputs: 16, outputs: 16, kernel: 3, rectified: true),
        Convolution(inputs: 16, outputs: 12, kernel: 3, padding: 1),
      ], (2, 67, 74)
    ),
    (
      [
        Convolution(.transposed, inputs: 16, outputs: 16, kernel: 3, rectified: true),
        Convolution(.transposed, inputs: 16, outputs: 9, kernel: 3, stride: 2, outputPadding: 1),
      ], (3, 26, 27)
    ),
  ]

  @Test(arguments: 0..<chains.count)
  func fastEqualsPortable(_ index: Int) {
    let (chain, size) = Self.chains[index]
    var random = Seed(UInt64(index)).stream("convolution")
    // Memory from the pool contains old values. The result must not depend on them.
    for byteCount in 1..<400 {
      let block = StoragePool.borrow(byteCount: byteCount * 64)
      unsafe block.base.initializeMemory(as: Float.self, repeating: .nan, count: byteCount * 16)
    }
    let x = Tensor.normal([size.0, chain[0].inputs, size.1, size.2], using: &random)
    let weights = chain.map { Tensor.normal($0.weightShape, using: &random) * 0.1 }
    let biases = chain.map { Tensor.normal([$0.outputs], using: &random) }
    let fast = results(x, chain, weights, biases, fast: true)
    let portable = results(
      x.converted(to: .float64), chain, weights.map { $0.converted(to: .float64) },
      biases.map { $0.converted(to: .float64) }, fast: false)
    #expect(fast.value.shape == portable.value.shape)
    #expect(distance(fast.value, portable.value) < 1e-5)
    for (i, (a, b)) in zip(fast.gradients, portable.gradients).enumerated() {
      #expect(a.shape == b.shape)
      #expect(distance(a, b) < 2e-5, "gradient \(i)")
    }
  }

  #if OneDNN
    /// oneDNN's reference kernels are a hundred times slower than the others and must not be used.
    @Test(.enabled(if: BlockedCorrelation.isSupported), arguments: Sizes.all)
    func usesNoReferenceKernel(_ chain: [Convolution], shape: Shape) {
      let kernels = ChainPlan.cached(for: chain, shape).kernels
      #expect(kernels.count >= 3 * chain.count)
      #expect(kernels.filter { $0.contains("ref") }.isEmpty, "\(kernels.joined(separator: " "))")
    }
  #endif
}

/// The chains that the autoencoders use.
enum Sizes {
  static let all: [(chain: [Convolution], shape: Shape)] = [
    (pixelEncoder, [128, 9, 84, 84]), (pixelDecoder, [128, 32, 35, 35]), (keypointEncoder, [32, 12, 32, 32]),
    (keypointDecoder, [32, 16, 16, 16]), (keypointEncoder, [1, 12, 32, 32]),
  ]
  static let pixelEncoder =
    [Convolution(inputs: 9, outputs: 32, kernel: 3, stride: 2, rectified: true)]
    + [Convolution](repeating: Convolution(inputs: 32, outputs: 32, kernel: 3, rectified: true), count: 3)
  static let pixelDecoder =
    [Convolution](
      repeating: Convolution(.transposed, inputs: 32, outputs: 32, kernel: 3, rectified: true), count: 3)
    + [Convolution(.transposed, inputs: 32, outputs: 9, kernel: 3, stride: 2, outputPadding: 1)]
  static let keypointEncoder = [
    Convolution(inputs: 12, outputs: 32, kernel: 3, stride: 2, padding: 1, rectified: true),
    Convolution(inputs: 32, outputs: 32, kernel: 3, padding: 1, rectified: true),
    Convolution(inputs: 32, outputs: 16, kernel: 3, padding: 1),
  ]
  static let keypointDecoder = [
    Convolution(inputs: 16, outputs: 32, kernel: 3, padding: 1, rectified: true),
    Convolution(inputs: 32, outputs: 32, kernel: 3, padding: 1, rectified: true),
    Convolution(inputs: 32, outputs: 48, kernel: 3, padding: 1),
  ]
}
