import Core
import Tensors

extension Safetensors {
  /// Reads the weights of a network, which must be `float32` and finite.
  ///
  /// - Throws: `WorldError` with the path and the tensor that is not.
  public init(weightsAt path: String) throws {
    try self.init(contentsOf: path)
    for (name, value) in tensors {
      guard value.precision == .float32 else {
        throw WorldError(path: path, "the tensor \(name) has the type F64: save weights as F32")
      }
      guard let index = value.array.firstIndex(where: { !$0.isFinite }) else { continue }
      throw WorldError(
        path: path, "the tensor \(name) has values that are not finite: element \(index) is \(value.array[index])")
    }
  }

  /// Returns the tensor with a name. Throws `InputError` if it is missing or has another shape.
  public func tensor(_ name: String, _ shape: Shape) throws -> Tensor {
    guard let tensor = self[name] else { throw InputError("the tensor \(name) is missing") }
    guard tensor.shape == shape else {
      throw InputError("the tensor \(name) has the shape \(tensor.shape), not \(shape)")
    }
    return tensor
  }
}
