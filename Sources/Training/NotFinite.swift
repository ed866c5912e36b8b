import Core
import Tensors

/// A quantity of learning became NaN or infinite: learning stops before it spreads.
public struct NotFinite: Error, CustomStringConvertible {
  public let step: Int
  /// The metric, or the parameter's name.
  public let quantity: String
  public let value: Double
  /// The first parameter that is not finite, where there is one.
  public let tensor: String?
  /// Where the last good weights are, such as `runs/a/agent.safetensors of step 20000`.
  public var checkpoint: String?

  /// - Parameter module: what was learning; its parameters are searched for the first that is not finite.
  public init(step: Int, quantity: String, value: Double, in module: some Module) {
    self.step = step
    self.quantity = quantity
    self.value = value
    tensor = module.parameters.first { !$0.value.isFinite }?.name
  }

  public var description: String {
    let place = tensor.map { ", with numbers that are not finite in the tensor \($0)" } ?? ""
    let saved = checkpoint.map { "the last good checkpoint is \($0)" } ?? "no checkpoint had been written yet"
    return "\(quantity) is \(value) at step \(step)\(place); \(saved): a smaller learning rate may help"
  }
}

/// Throws `NotFinite` for the first metric that is not finite.
func requireFinite(_ metrics: Metrics, step: Int, in module: some Module) throws {
  for (name, value) in metrics.entries where !value.isFinite {
    throw NotFinite(step: step, quantity: name, value: value, in: module)
  }
}

/// Throws `NotFinite` for the first parameter that is not finite.
func requireFinite(_ module: some Module, step: Int) throws {
  for (name, tensor) in module.parameters where !tensor.isFinite {
    let value = tensor.array.first { !$0.isFinite } ?? .nan
    throw NotFinite(step: step, quantity: "the tensor \(name)", value: Double(value), in: module)
  }
}
