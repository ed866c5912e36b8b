import Tensors

/// Scales each column to mean 0 and deviation 1, with a running mean and deviation: `[B, O]` to `[B, O]`.
///
/// For observations whose numbers differ in size, such as positions and velocities. Without it, LayerNorm in the first
/// hidden layer lets the largest ones cover the others (Lee et al. 2024, arXiv 2410.09754, sec. 4.1).
public struct RunningNorm: Module {
  /// `[O]`
  public private(set) var mean: Tensor
  /// `[O]`
  public private(set) var variance: Tensor
  private var seen = 0
  /// The number of batches that mean and deviation are averaged over.
  private static let memory = 1000
  /// The smallest variance, because constant columns have no scale.
  private static let leastVariance = 1e-4

  public init(_ size: Int) {
    mean = .zeros([size])
    variance = Tensor(repeating: 1, [size])
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    (x - mean) / sqrt(maximum(variance, Tensor(scalar: Self.leastVariance)))
  }

  // m ← m + ρ δ,  v ← (1 - ρ) (v + ρ δ²) + ρ v_B,  δ = m_B - m,  of a batch with mean m_B and variance v_B
  /// Includes a batch `[B, O]` in the mean and the deviation.
  public mutating func adapt(to x: Tensor) {
    seen += 1
    let rate = 1 / Double(min(seen, Self.memory))
    let x = x.detached
    let batchMean = x.mean(axis: 0)
    let difference = batchMean - mean
    // Not E[x²] - m², which is inexact for numbers far from 0.
    let batchVariance = square(x - batchMean).mean(axis: 0)
    variance = (1 - rate) * (variance + rate * square(difference)) + rate * batchVariance
    mean = mean + rate * difference
  }

  /// Goes on from mean and deviation that were read, as if they had been averaged over as many batches as they ever are.
  public mutating func keep() { seen = Self.memory }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("mean", &mean)
    visitor("variance", &variance)
  }
}
