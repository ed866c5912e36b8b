import Core
import Tensors

extension Safetensors {
  /// Reads the weights of a network: `float32`, and every number finite.
  ///
  /// - Throws: `WorldError` with the path and the tensor that is not so.
  public init(weightsAt path: String) throws {
    try self.init(contentsOf: path)
    for (name, value) in tensors {
      guard value.precision == .float32 else {
        throw WorldError(path: path, "the tensor \(name) is of the type F64: weights are saved as F32")
      }
      guard let wrong = value.array.firstIndex(where: { !$0.isFinite }) else { continue }
      throw WorldError(
        path: path, "the tensor \(name) has numbers that are not finite: number \(wrong) is \(value.array[wrong])")
    }
  }

  /// A tensor of a given shape. Throws `InputError` where it is missing or has another.
  public func tensor(_ name: String, _ shape: Shape) throws -> Tensor {
    guard let tensor = self[name] else { throw InputError("the tensor \(name) is missing") }
    guard tensor.shape == shape else {
      throw InputError("the tensor \(name) has the shape \(tensor.shape), not \(shape)")
    }
    return tensor
  }
}
