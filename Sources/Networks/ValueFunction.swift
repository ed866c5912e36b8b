import Core
import Tensors

/// V̂_φ(o), fitted to normalised targets.
public struct ValueFunction: Module {
  public var trunk: MultilayerPerceptron
  public var scale = TargetScale()
  var optimizer: Adam

  public init(_ observations: Int, hidden: [Int], learningRate: Double, using random: inout Random) {
    trunk = MultilayerPerceptron(observations, hidden: hidden, 1, using: &random)
    optimizer = Adam(of: trunk, learningRate: learningRate)
  }

  public func callAsFunction(_ o: Tensor) -> Tensor { scale.denormalized(trunk(o)) }  // [B, O] -> [B, 1]

  /// Fits the network to targets with the loss L(φ) = E[(V̂_φ(o) − y)²] (1.90), in passes over all rows in minibatches.
  ///
  /// - Parameters:
  ///   - observation: `[M, O]`
  ///   - y: `[M, 1]`
  /// - Returns: the mean loss of the last pass, in units of the targets' variance.
  public mutating func fit(
    _ observation: Tensor, to y: Tensor, passes: Int, batch: Int, using random: inout Random
  ) -> Double {
    scale.adapt(to: y, keeping: &trunk.layers[trunk.layers.count - 1])
    let targets = scale.normalized(y)
    var losses: [Double] = []
    for _ in 0..<passes {
      losses = minibatches(of: y.shape[0], size: batch, using: &random).map { rows in
        let (o, y) = (observation.gatheringRows(rows), targets.gatheringRows(rows))
        let (loss, gradient) = valueWithGradient(at: trunk) { trunk in meanSquared(trunk(o) - y) }
        optimizer.update(&trunk, along: gradient)
        return loss
      }
    }
    return losses.reduce(0, +) / Double(max(losses.count, 1))
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("trunk", &trunk)
    visitor("scale", &scale)
  }
}

/// Divides row indices in random order into minibatches of about equal size.
///
/// - Parameters:
///   - count: the number of rows.
///   - size: the maximum size of a minibatch.
public func minibatches(of count: Int, size: Int, using random: inout Random) -> [[Int]] {
  var rows = Array(0..<count)
  random.shuffle(&rows)
  let parts = (count + size - 1) / size
  return (0..<parts).map { Array(rows[$0 * count / parts..<($0 + 1) * count / parts]) }
}
