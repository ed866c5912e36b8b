import Core
import Tensors

extension Adam {
  /// Returns the moments for a checkpoint, named after the model's parameters: `NAME.exp_avg` and `NAME.exp_avg_sq` for
  /// m and v, as in PyTorch, and `NAME.step` for t in double precision. Empty before the first update.
  public func state(of model: some Module, prefix: String = "") -> [(name: String, value: Tensor)] {
    zip(model.parameters, moments).flatMap { parameter, moments in
      let name = prefix + parameter.name
      return [
        (name + ".exp_avg", moments.first), (name + ".exp_avg_sq", moments.second),
        (name + ".step", Tensor(scalar: Double(moments.steps), .float64)),
      ]
    }
  }

  /// Loads the moments from a checkpoint's tensors, so that training continues as if it had not stopped.
  ///
  /// - Throws: `InputError` with the name that is missing or does not fit. The optimiser is then unchanged.
  public mutating func load(
    _ tensors: [(name: String, value: Tensor)], of model: some Module, prefix: String = ""
  ) throws {
    let given = Dictionary(tensors.lazy.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    func find(_ name: String, _ shape: Shape, _ precision: Precision) throws -> Tensor {
      guard let found = given[name] else { throw InputError("the optimiser's state has no \(name)") }
      guard found.shape == shape, found.precision == precision else {
        throw InputError("\(name) is \(found.shape) \(found.precision), not \(shape) \(precision)")
      }
      return found
    }
    moments = try model.parameters.map { name, value in
      let name = prefix + name
      let first = try find(name + ".exp_avg", value.shape, .float32)
      let second = try find(name + ".exp_avg_sq", value.shape, .float32)
      guard let steps = Int(exactly: try find(name + ".step", .scalar, .float64).item), steps >= 0 else {
        throw InputError("\(name).step is not a number of steps")
      }
      return Moments(first: first, second: second, steps: steps)
    }
  }
}
