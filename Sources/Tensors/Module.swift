/// A model or a part of one: a value with parameters. A copy is an independent model.
///
/// A module only has to name its parameters and submodules in `visit`, as in a PyTorch `state_dict`:
///
/// ```swift
/// struct Linear: Module {
///   var weight: Tensor, bias: Tensor
///   mutating func visit(_ visitor: inout some ParameterVisitor) {
///     visitor("weight", &weight)
///     visitor("bias", &bias)
///   }
/// }
/// ```
///
/// Its stored properties are `Codable`, so that a checkpoint contains all of them without further code.
public protocol Module: Sendable, Codable {
  mutating func visit(_ visitor: inout some ParameterVisitor)
}

/// Visits the parameters of a module in order.
public protocol ParameterVisitor {
  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor)
  /// Called before the parameters of a submodule, as `leave` is called after them.
  mutating func enter(_ name: StaticString, index: Int?)
  mutating func leave()
}

extension ParameterVisitor {
  public mutating func enter(_ name: StaticString, index: Int?) {}
  public mutating func leave() {}

  /// Visits a submodule.
  public mutating func callAsFunction(_ name: StaticString, _ part: inout some Module) {
    enter(name, index: nil)
    part.visit(&self)
    leave()
  }

  /// Visits a submodule that a module may lack.
  public mutating func callAsFunction<Part: Module>(_ name: StaticString, _ part: inout Part?) {
    guard var present = part else { return }
    part = nil  // so that its parameters are not copied
    self(name, &present)
    part = present
  }

  /// Visits numbered submodules: `layers.0`, `layers.1`.
  public mutating func callAsFunction<Part: Module>(_ name: StaticString, _ parts: inout [Part]) {
    for index in parts.indices {
      enter(name, index: index)
      parts[index].visit(&self)
      leave()
    }
  }
}

extension Module {
  /// The name and value of every parameter, such as `encoder.layers.0.weight`.
  public var parameters: [(name: String, value: Tensor)] {
    var lister = ParameterLister()
    var copy = self
    copy.visit(&lister)
    return lister.found
  }

  /// The number of elements of all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.shape.count } }

  /// Replaces every parameter with the result of `body` for its name and value.
  public mutating func replaceParameters(_ body: (String, Tensor) throws -> Tensor) rethrows {
    let values = try parameters.map { try body($0.name, $0.value) }
    var setter = ParameterSetter(values: values)
    visit(&setter)
  }
}

private struct ParameterLister: ParameterVisitor {
  var found: [(name: String, value: Tensor)] = []
  private var path: [String] = []

  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor) {
    found.append(((path + ["\(name)"]).joined(separator: "."), parameter.detached))
  }
  mutating func enter(_ name: StaticString, index: Int?) { path.append(index.map { "\(name).\($0)" } ?? "\(name)") }
  mutating func leave() { path.removeLast() }
}

private struct ParameterSetter: ParameterVisitor {
  var values: [Tensor]
  var next = 0

  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor) {
    precondition(
      values[next].shape == parameter.shape, "\(name) has shape \(parameter.shape), not \(values[next].shape)")
    parameter = values[next]
    next += 1
  }
}

// MARK: - Gradients

/// The gradient of a loss with respect to a module's parameters, in order; nil for those it does not depend on.
public struct Gradient: Sendable {
  public var tensors: [Tensor?]

  public init(tensors: [Tensor?]) { self.tensors = tensors }
}

extension Gradient {
  /// The gradient of the sum of two losses.
  public static func + (a: Gradient, b: Gradient) -> Gradient {
    precondition(
      a.tensors.count == b.tensors.count, "cannot add gradients of \(a.tensors.count) and \(b.tensors.count) parameters"
    )
    return Gradient(
      tensors: zip(a.tensors, b.tensors).map { a, b in
        guard let a, let b else { return a ?? b }
        return a + b
      })
  }

  /// The gradient of a loss times a number.
  public static func * (gradient: Gradient, scale: Double) -> Gradient {
    Gradient(tensors: gradient.tensors.map { $0.map { $0 * scale } })
  }

  public static func * (scale: Double, gradient: Gradient) -> Gradient { gradient * scale }
}

/// Returns the value of a scalar loss and its gradient with respect to the model's parameters.
///
/// - Parameter loss: gets the model with its parameters as variables, and returns a single number.
public func valueWithGradient<Model: Module>(
  at model: Model, _ loss: (Model) throws -> Tensor
) rethrows -> (value: Double, gradient: Gradient) {
  let (value, pullback) = try valueWithPullback(at: model, loss)
  precondition(value.shape.count == 1, "a loss is a single number, not a tensor of shape \(value.shape)")
  return (value.item, pullback(Tensor(repeating: 1, value.shape, value.precision)))
}

/// Returns the value of a scalar loss and its gradients with respect to the model's parameters and, if requested, to a
/// tensor that the loss depends on.
///
/// - Parameters:
///   - point: a tensor of any shape.
///   - isWanted: whether to compute the gradient with respect to `point`. If not, `point` is a constant, and the result
///     is that of `valueWithGradient(at:_:)`.
///   - loss: gets both as variables, and returns a single number.
/// - Returns: `pointGradient` has the shape of `point`, with zeros if the loss does not depend on it; nil if it was not
///   requested.
public func valueWithGradient<Model: Module>(
  at model: Model, and point: Tensor, isWanted: Bool, _ loss: (Model, Tensor) throws -> Tensor
) rethrows -> (value: Double, gradient: Gradient, pointGradient: Tensor?) {
  guard isWanted else {
    let point = point.detached
    let (value, gradient) = try valueWithGradient(at: model) { try loss($0, point) }
    return (value, gradient, nil)
  }
  let both = ModelAndPoint(model: model, point: point)
  var (value, gradient) = try valueWithGradient(at: both) { try loss($0.model, $0.point) }
  let pointGradient = gradient.tensors.removeLast()
  return (value, gradient, pointGradient ?? .zeros(point.shape, point.precision))
}

private struct ModelAndPoint<Model: Module>: Module {
  var model: Model
  var point: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("model", &model)
    visitor("point", &point)
  }
}

/// Returns the gradient of a scalar function with respect to a tensor.
public func gradient(at point: Tensor, of function: (Tensor) throws -> Tensor) rethrows -> Tensor {
  let (_, gradient) = try valueWithGradient(at: Point(value: point)) { try function($0.value) }
  return gradient.tensors[0] ?? .zeros(point.shape, point.precision)
}

private struct Point: Module {
  var value: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("value", &value) }
}
