import Tensors

/// Scales each column to mean 0 and deviation 1, with a running mean and deviation: `[B, O]` to `[B, O]`.
///
/// For observations whose numbers differ in size, such as positions and velocities. Without it, LayerNorm in the first
/// hidden layer lets the largest ones cover the others (Lee et al. 2024, arXiv 2410.09754, sec. 4.1).
public struct RunningNorm: Module {
  /// `[O]`
  public private(set) var mean: Tensor
  /// `[O]`
  public private(set) var meanSquare: Tensor
  private var seen = 0
  /// The number of batches that mean and deviation are averaged over.
  private static let memory = 1000
  /// The smallest variance, because constant columns have no scale.
  private static let leastVariance = 1e-4

  public init(_ size: Int) {
    mean = .zeros([size])
    meanSquare = Tensor(repeating: 1, [size])
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let variance = maximum(meanSquare - mean * mean, Tensor(scalar: Self.leastVariance))
    return (x - mean) / sqrt(variance)
  }

  /// Includes a batch `[B, O]` in the mean and the deviation.
  public mutating func adapt(to x: Tensor) {
    seen += 1
    let rate = 1 / Double(min(seen, Self.memory))
    let x = x.detached
    mean = mean + rate * (x.mean(axis: 0) - mean)
    meanSquare = meanSquare + rate * ((x * x).mean(axis: 0) - meanSquare)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("mean", &mean)
    visitor("mean_square", &meanSquare)
  }
}
