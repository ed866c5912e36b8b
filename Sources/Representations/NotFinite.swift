import Core
import Environments
import Tensors

/// The error if a metric, parameter, reward or observation is NaN or infinite. Training stops before it spreads.
public struct NotFinite: Error, CustomStringConvertible {
  public let step: Int
  /// The metric, or the name of the parameter.
  public let quantity: String
  public let value: Double
  /// The first parameter that is not finite, if any.
  public let tensor: String?
  /// The moment of the episode in which the environment returned it; nil if it is a result of learning.
  public let moment: String?
  /// Where the last good weights are, such as `runs/a/agent.safetensors of step 20000`.
  public var checkpoint: String?

  /// - Parameters:
  ///   - moment: the moment of the episode in which the environment returned it.
  ///   - module: the module that was trained. Its parameters are searched for the first that is not finite.
  public init(step: Int, quantity: String, value: Double, moment: String? = nil, in module: some Module) {
    self.step = step
    self.moment = moment
    self.quantity = quantity
    self.value = value
    tensor = module.parameters.first { !$0.value.isFinite }?.name
  }

  public var description: String {
    let location = tensor.map { ", with values that are not finite in the tensor \($0)" } ?? ""
    let saved = checkpoint.map { "the last good checkpoint is \($0)" } ?? "no checkpoint had been written yet"
    guard let moment else {
      return "\(quantity) is \(value) at step \(step)\(location); \(saved): a smaller learning rate may help"
    }
    return "\(quantity) is \(value) at step \(step), \(moment), as returned by the environment; \(saved)"
  }
}

extension Episode {
  /// Returns the first reward or observation of the environment that is not finite; nil if all are finite.
  ///
  /// - Parameter outcome: the result of the last step; nil at the start of an episode.
  public func spoiled(after outcome: Step?) throws(E.Failure) -> (quantity: String, value: Double)? {
    // Learning is in single precision.
    if let reward = outcome?.reward, !Float(reward).isFinite { return ("the reward of \(spec.id)", reward) }
    let observation = try observation
    let index = observation.firstIndex { !Float($0).isFinite }
    return index.map { ("the observation '\(spec.observationNames[$0])' of \(spec.id)", observation[$0]) }
  }

  /// Checks that the environment's reward and observation are finite.
  ///
  /// - Parameter name: the name of the episode, such as `episode 3`.
  /// - Throws: `WorldError` if they are not, and the environment's errors.
  public func requireFinite(after outcome: Step?, in name: String) throws {
    guard let (quantity, value) = try spoiled(after: outcome) else { return }
    throw WorldError("\(quantity) is \(value) at step \(steps) of \(name): rewards and observations must be finite")
  }

  /// `step 3 of its episode`, in simulator steps from 1; 0 is the start.
  public var moment: String { "step \(steps) of its episode" }
}

/// Throws `NotFinite` for the first metric that is not finite.
public func requireFinite(_ metrics: Metrics, step: Int, in module: some Module) throws {
  for (name, value) in metrics.entries where !value.isFinite {
    throw NotFinite(step: step, quantity: name, value: value, in: module)
  }
}

/// Throws `NotFinite` for the first parameter that is not finite.
public func requireFinite(_ module: some Module, step: Int) throws {
  for (name, tensor) in module.parameters where !tensor.isFinite {
    let value = tensor.array.first { !$0.isFinite } ?? .nan
    throw NotFinite(step: step, quantity: "the tensor \(name)", value: Double(value), in: module)
  }
}
