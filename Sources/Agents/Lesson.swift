import Core
import Tensors

/// The result of an agent's update.
public struct Lesson: Sendable {
  /// The name of the metric that every agent reports: the critic's loss, which the training loop displays.
  public static let criticLoss = "critic/loss"

  /// The metrics of the update, including `criticLoss` if it is complete. A value that is not finite means that
  /// learning failed.
  public var metrics: Metrics
  /// The new priorities of the batch's transitions, B values; empty to keep the present ones.
  public var priorities: [Float]
  /// The gradient of the critic's loss with respect to the batch's observations, `[B, O]`, at the parameters before the
  /// update; nil if the batch does not request it. It does not include the actor's loss, in which observations are
  /// constants.
  public var observationGradient: Tensor?

  /// Whether the update is complete. If not, it continues at once with more experience.
  public var isComplete: Bool

  public init(
    metrics: Metrics, priorities: [Float] = [], observationGradient: Tensor? = nil, isComplete: Bool = true
  ) {
    (self.metrics, self.priorities, self.observationGradient) = (metrics, priorities, observationGradient)
    self.isComplete = isComplete
  }
}
