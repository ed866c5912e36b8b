import Tensors

/// A model's parameters as one vector θ, for methods that work on vectors.
extension Module {
  /// All elements of all parameters, in order.
  public var parameterVector: [Double] { parameters.flatMap { $0.value.doubles } }

  /// - Parameter vector: the elements of all parameters, in order.
  public mutating func setParameters(to vector: [Double]) {
    precondition(vector.count == parameterCount, "\(vector.count) values for \(parameterCount) parameters")
    var start = 0
    replaceParameters { _, tensor in
      defer { start += tensor.shape.count }
      let part = Array(vector[start..<start + tensor.shape.count])
      return Tensor(part, tensor.shape).converted(to: tensor.precision)
    }
  }
}

extension Gradient {
  /// - Parameter vector: the elements of all the model's parameters, in order.
  public init(_ vector: [Double], of model: some Module) {
    var shaped = model
    shaped.setParameters(to: vector)
    self.init(tensors: shaped.parameters.map(\.value))
  }

  /// Returns all elements in the order of the model's parameters; zeros for those that the loss does not depend on.
  public func vector(of model: some Module) -> [Double] {
    zip(tensors, model.parameters).flatMap { gradient, parameter in
      gradient?.doubles ?? [Double](repeating: 0, count: parameter.value.shape.count)
    }
  }
}

/// Σ xᵢ yᵢ
public func dot(_ x: [Double], _ y: [Double]) -> Double {
  precondition(x.count == y.count, "a dot product of \(x.count) and \(y.count) elements")
  var sum = 0.0
  for i in x.indices { sum += x[i] * y[i] }
  return sum
}

/// x + a y
public func sum(_ x: [Double], _ a: Double, times y: [Double]) -> [Double] {
  precondition(x.count == y.count, "a sum of \(x.count) and \(y.count) elements")
  return x.indices.map { x[$0] + a * y[$0] }
}
