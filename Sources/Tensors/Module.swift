/// A model or a part of one: a value with parameters, whose copy is an independent model.
///
/// A module names its parameters and parts in `visit`, as a PyTorch `state_dict` would, and is done:
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
/// What it stores is `Codable`, so that a checkpoint holds all of it without a line in the module.
public protocol Module: Sendable, Codable {
  mutating func visit(_ visitor: inout some ParameterVisitor)
}

/// What goes through the parameters of a module in their order.
public protocol ParameterVisitor {
  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor)
  /// Told before and after the parameters of a part.
  mutating func enter(_ name: StaticString, index: Int?)
  mutating func leave()
}

extension ParameterVisitor {
  public mutating func enter(_ name: StaticString, index: Int?) {}
  public mutating func leave() {}

  /// Visits a part.
  public mutating func callAsFunction(_ name: StaticString, _ part: inout some Module) {
    enter(name, index: nil)
    part.visit(&self)
    leave()
  }

  /// Visits parts that are numbered: `layers.0`, `layers.1`.
  public mutating func callAsFunction<Part: Module>(_ name: StaticString, _ parts: inout [Part]) {
    for index in parts.indices {
      enter(name, index: index)
      parts[index].visit(&self)
      leave()
    }
  }
}

extension Module {
  /// Name and value of every parameter: `encoder.layers.0.weight`.
  public var parameters: [(name: String, value: Tensor)] {
    var lister = ParameterLister()
    var copy = self
    copy.visit(&lister)
    return lister.found
  }

  /// The number of all parameters' elements.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.shape.count } }

  /// Replaces every parameter by what `body` makes of its name and value.
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

/// The gradient of a loss by the parameters of a module, in their order; nil where the loss does not depend on one.
public struct Gradient: Sendable {
  public var tensors: [Tensor?]

  public init(tensors: [Tensor?]) { self.tensors = tensors }
}

extension Gradient {
  /// Of the sum of two losses.
  public static func + (a: Gradient, b: Gradient) -> Gradient {
    precondition(
      a.tensors.count == b.tensors.count, "gradients of \(a.tensors.count) and \(b.tensors.count) parameters are added")
    return Gradient(
      tensors: zip(a.tensors, b.tensors).map { a, b in
        guard let a, let b else { return a ?? b }
        return a + b
      })
  }

  /// Of a loss times a number.
  public static func * (gradient: Gradient, scale: Double) -> Gradient {
    Gradient(tensors: gradient.tensors.map { $0.map { $0 * scale } })
  }

  public static func * (scale: Double, gradient: Gradient) -> Gradient { gradient * scale }
}

/// The value of a scalar loss and its gradient by the model's parameters.
///
/// `loss` gets the model with its parameters as variables. What it returns must be a single number.
public func valueWithGradient<Model: Module>(
  at model: Model, _ loss: (Model) throws -> Tensor
) rethrows -> (value: Double, gradient: Gradient) {
  let (value, pullback) = try valueWithPullback(at: model, loss)
  precondition(value.shape.count == 1, "a loss is a single number, not a tensor of shape \(value.shape)")
  return (value.item, pullback(Tensor(repeating: 1, value.shape, value.precision)))
}

/// The value of a scalar loss and its gradients by the model's parameters and, where it is wanted, by a tensor that the loss
/// looks at.
///
/// - Parameters:
///   - point: of any shape.
///   - isWanted: whether the gradient by `point` is asked for. If not, `point` is a constant, and all is computed as by
///     `valueWithGradient(at:_:)`.
///   - loss: gets both as variables. What it returns must be a single number.
/// - Returns: `pointGradient` has the shape of `point`, zeros where the loss does not depend on it; nil where it is not
///   wanted.
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

/// The gradient of a scalar function by a tensor.
public func gradient(at point: Tensor, of function: (Tensor) throws -> Tensor) rethrows -> Tensor {
  let (_, gradient) = try valueWithGradient(at: Point(value: point)) { try function($0.value) }
  return gradient.tensors[0] ?? .zeros(point.shape, point.precision)
}

private struct Point: Module {
  var value: Tensor
  mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("value", &value) }
}
