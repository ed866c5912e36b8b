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
  /// `[B, 1]`: the environment's discount, 0 if the task terminated. There is no "done" flag.
  public var discount: Tensor
  /// `[B, O]`
  public var nextObservation: Tensor
  /// `[B]`: the slot in the buffer that each transition was drawn from; empty if the batch is not from a buffer.
  public var slots: [Int] = []
  /// `[B, 1]`: N P(i), how often each transition is drawn relative to a uniform draw; nil if drawn uniformly.
  public var frequency: Tensor?
  /// The moments inside transitions of n steps; nil if n is 1 or they were not requested.
  public var between: Between?

  /// Whether the gradient of the critics' loss with respect to `observation` is requested.
  public var needsObservationGradient = false
  /// `[B, O]`: the next observation for target networks; nil: the same as `nextObservation`.
  public var targetObservation: Tensor?

  public var nextObservationOfTarget: Tensor { targetObservation ?? nextObservation }

  /// The n - 1 moments between the first and the last of each transition. Row (k - 1) B + b is step k of transition b.
  public struct Between: Sendable {
    /// `[(n - 1) B, O]`; if the transition has no such step, its first observation with weight 0.
    public var observation: Tensor
    /// `[(n - 1) B, 1]`: γ^k d_t ⋯ d_{t+k-1}, the weight of a reward at that moment in the transition's reward.
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
