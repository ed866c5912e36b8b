import Core
import Tensors

/// B transitions to learn from.
public struct Batch: Sendable {
  /// `[B, O]`
  public var observation: Tensor
  /// `[B, A]` in the policy's units, or `[B, 1]` indices.
  public var action: Tensor
  /// `[B, 1]`
  public var reward: Tensor
  /// `[B, 1]`: the environment's discount, 0 where the task ended; never "done".
  public var discount: Tensor
  /// `[B, O]`
  public var nextObservation: Tensor
  /// Where in the buffer each was drawn from, B of them; empty for a batch of elsewhere.
  public var slots: [Int] = []
  /// `[B, 1]`: how often each is drawn in units of a uniform draw, N P(i), where they are drawn by priority.
  public var frequency: Tensor?
  /// The moments that transitions of n steps pass over; nil where n is 1 or nobody asked.
  public var between: Between?

  /// Whether the gradient of the critics' loss by `observation` is asked for.
  public var wantsObservationGradient = false
  /// `[B, O]`: the next observation as target networks see it; nil: as everybody.
  public var targetObservation: Tensor?

  public var nextObservationOfTarget: Tensor { targetObservation ?? nextObservation }

  /// The n - 1 moments between the first and the last of each transition: that of step k of transition b is in row
  /// (k - 1) B + b.
  public struct Between: Sendable {
    /// `[(n - 1) B, O]`; where the transition has no such step its first observation, of weight 0.
    public var observation: Tensor
    /// `[(n - 1) B, 1]`: γ^k d_t ⋯ d_{t+k-1}, what a reward at that moment weighs in the transition's own.
    public var weight: Tensor

    public init(observation: Tensor, weight: Tensor) {
      self.observation = observation
      self.weight = weight
    }
  }

  public init(observation: Tensor, action: Tensor, reward: Tensor, discount: Tensor, nextObservation: Tensor) {
    self.observation = observation
    self.action = action
    self.reward = reward
    self.discount = discount
    self.nextObservation = nextObservation
  }
}
