import Core
import Networks
import Tensors

/// Reads from the latents of three frames in a row which rewards came between them.
///
/// A reconstruction's error counts pixels; this one asks for what the task pays for. It teaches the encoder beside the
/// reconstruction and is thrown away after the last lesson, as `InverseDynamics` is.
///
/// Letters: B batch, Z latent size.
public struct RewardReading: Module {
  var network: MultilayerPerceptron

  public init(latentSize: Int, using random: inout Random) {
    network = MultilayerPerceptron(InverseDynamics.frames * latentSize, hidden: [128, 128], 2, using: &random)
  }

  // r̂ = f(z_t+2, κ (z_t+2 - z_t+1), κ (z_t+1 - z_t)),  the two rewards between z_t and z_t+2;  L = mean (r̂ - r)²
  /// How badly the rewards are read.
  ///
  /// - Parameters:
  ///   - latents: `[3B, Z]`, three frames in a row one after the other.
  ///   - rewards: those that followed the B first frames, then those that followed their successors.
  /// - Returns: a scalar.
  public func loss(_ latents: Tensor, rewards: [Float]) -> Tensor {
    let read = network(InverseDynamics.motion(of: latents))  // [B, 2]
    let batch = read.shape[0]
    precondition(rewards.count == 2 * batch, "\(rewards.count) rewards for \(batch) threes of frames")
    let truth = Tensor((0..<batch).flatMap { [rewards[$0], rewards[batch + $0]] }, [batch, 2])
    return meanSquared(read - truth)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("network", &network) }
}
