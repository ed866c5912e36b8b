import Core
import Tensors

/// What an agent has to say after an update.
public struct Lesson: Sendable {
  /// The metric that every agent reports, by its name: the critic's loss, by which the loop shows how learning goes.
  public static let criticLoss = "critic/loss"

  /// What it saw, with `criticLoss` among it; all finite as long as learning goes well.
  public var metrics: Metrics
  /// What the transitions of a batch are to be drawn by from now on, B numbers; empty where the agent's settings do not ask
  /// for it.
  public var priorities: [Float]
  /// The gradient of the critic's loss by the batch's observations, `[B, O]`, at the parameters from before the update; nil
  /// where the batch does not want it. What the actor wants is not in it: the actor sees its observation as a constant.
  public var observationGradient: Tensor?

  public init(metrics: Metrics, priorities: [Float] = [], observationGradient: Tensor? = nil) {
    (self.metrics, self.priorities, self.observationGradient) = (metrics, priorities, observationGradient)
  }
}
