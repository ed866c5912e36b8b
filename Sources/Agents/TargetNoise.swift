import Core
import Tensors

/// ε = clip(N(0, σ), -c, c): the noise on the action of a target policy, so that critics are smooth in the action
/// (Fujimoto, van Hoof and Meger 2018, sec. 5.3). No gradient.
///
/// - Parameters:
///   - deviation: σ.
///   - limit: c.
func targetNoise(_ shape: Shape, deviation: Double, limit: Double, using random: inout Random) -> Tensor {
  clamp(deviation * .normal(shape, using: &random), -limit, limit)
}
