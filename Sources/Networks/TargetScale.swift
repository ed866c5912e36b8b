import Core
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Normalises a critic's targets, so that returns of 1 and of 1000 are learned at the same rate: y = m + s ŷ (PopArt,
/// van Hasselt 2016).
public struct TargetScale: Module {
  /// m, `[1]`
  public private(set) var mean = Tensor(repeating: 0, [1])
  /// s, `[1]`
  public private(set) var deviation = Tensor(repeating: 1, [1])
  private var seen = 0.0
  /// The number of targets that m and s are averaged over.
  private static let memory = 10_000.0
  /// The smallest s, because constant targets have no scale.
  private static let leastDeviation = 0.01

  public init() {}

  /// m + s ŷ
  public func denormalized(_ normalized: Tensor) -> Tensor { normalized * deviation.detached + mean.detached }

  /// (y − m) / s
  public func normalized(_ y: Tensor) -> Tensor { (y - mean) / deviation }

  /// Updates m and s with targets `[B, 1]`, and corrects the layer that outputs ŷ so that y does not change.
  public mutating func adapt(to y: Tensor, keeping layer: inout Linear) {
    let targets = y.doubles
    let count = Double(y.shape.count)
    seen += count
    let rate = min(1, count / min(seen, Self.memory))
    let (m, s) = (mean.doubles[0], deviation.doubles[0])
    let difference = targets.mean - m
    let variance = (1 - rate) * (s * s + rate * difference * difference) + rate * targets.deviation * targets.deviation
    let (newMean, newDeviation) = (m + rate * difference, max(variance.squareRoot(), Self.leastDeviation))
    layer.weight = (layer.weight * (s / newDeviation)).detached
    layer.bias = ((layer.bias * s + (m - newMean)) / newDeviation).detached
    mean = Tensor(repeating: newMean, [1])
    deviation = Tensor(repeating: newDeviation, [1])
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("mean", &mean)
    visitor("deviation", &deviation)
  }
}
