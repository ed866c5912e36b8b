import Core
import Networks
import Tensors

/// Predicts the two rewards between three consecutive frames from their latents.
///
/// The reconstruction error treats all pixels alike; this loss makes the encoder represent what the task rewards. It
/// trains the encoder together with the reconstruction, and is discarded after training, like `InverseDynamics`.
///
/// Letters: B batch, Z latent size.
public struct RewardPrediction: Module {
  var network: MultilayerPerceptron

  public init(latentSize: Int, using random: inout Random) {
    network = MultilayerPerceptron(InverseDynamics.frames * latentSize, hidden: [128, 128], 2, using: &random)
  }

  // r̂ = f(z_t+2, κ (z_t+2 - z_t+1), κ (z_t+1 - z_t)),  the two rewards between z_t and z_t+2;  L = mean (r̂ - r)²
  /// Returns the prediction error of the rewards.
  ///
  /// - Parameters:
  ///   - latents: `[3B, Z]`, groups of three consecutive frames.
  ///   - rewards: those after the first frames of the B groups, then those after the second frames.
  /// - Returns: a scalar.
  public func loss(_ latents: Tensor, rewards: [Float]) -> Tensor {
    let predicted = network(InverseDynamics.motion(of: latents))  // [B, 2]
    let batch = predicted.shape[0]
    precondition(rewards.count == 2 * batch, "\(rewards.count) rewards for \(batch) groups of three frames")
    let truth = Tensor((0..<batch).flatMap { [rewards[$0], rewards[batch + $0]] }, [batch, 2])
    return meanSquared(predicted - truth)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("network", &network) }
}
