import Core
import Foundation
import Testing

@testable import Networks
@testable import Tensors

/// Values computed by PyTorch: see experiments/checks/golden/networks.py.
let golden: Golden = {
  do { return try Golden() } catch { preconditionFailure("the golden values cannot be read: \(error)") }
}()

struct Golden: Sendable {
  private let tensors: [String: Tensor]

  init() throws {
    let read = try Safetensors(contentsOf: Bundle.module.bundlePath + "/Golden/networks.safetensors")
    tensors = Dictionary(uniqueKeysWithValues: read.tensors.map { ($0.name, $0.value) })
  }

  subscript(name: String) -> Tensor {
    guard let tensor = tensors[name] else { preconditionFailure("there is no golden value \(name)") }
    return tensor
  }

  func callAsFunction(_ name: String, _ precision: Precision) -> Tensor { self[name].converted(to: precision) }

  /// Returns the module with the parameters of a test case.
  func module<M: Module>(_ module: M, _ name: String, _ precision: Precision) throws -> M {
    var module = module.converted(to: precision)
    let prefix = "\(name).parameters."
    try module.load(
      tensors.filter { $0.key.hasPrefix(prefix) }.map { ($0.key, $0.value.converted(to: precision)) }, prefix: prefix)
    return module
  }
}

extension Module {
  func converted(to precision: Precision) -> Self {
    var copy = self
    copy.replaceParameters { $1.converted(to: precision) }
    return copy
  }
}

extension Precision {
  /// The allowed difference of two computations of the same value, relative to 1 or the value.
  var tolerance: Double { self == .float32 ? 2e-5 : 1e-11 }
}

/// Records an issue if any pair of elements differs by more than the tolerance of the precision.
func expectClose(
  _ found: Tensor?, _ expected: Tensor, _ name: String, tolerance: Double? = nil,
  at location: SourceLocation = #_sourceLocation
) {
  guard let found else {
    Issue.record("\(name) has no value", sourceLocation: location)
    return
  }
  #expect(found.shape == expected.shape, "\(name)", sourceLocation: location)
  let tolerance = tolerance ?? found.precision.tolerance
  for (index, (a, b)) in zip(found.doubles, expected.doubles).enumerated()
  where !(abs(a - b) <= tolerance * max(1, abs(b))) {
    Issue.record("\(name)[\(index)] is \(a), not \(b)", sourceLocation: location)
    return
  }
}

/// Compares the gradient of a module with central differences in double precision.
func expectGradientMatchesDifferences<M: Module>(
  _ module: M, step: Double = 1e-5, tolerance: Double = 1e-7, at location: SourceLocation = #_sourceLocation,
  _ loss: (M) -> Tensor
) {
  let module = module.converted(to: .float64)
  let (_, gradient) = valueWithGradient(at: module, loss)
  for (index, (name, value)) in module.parameters.enumerated() {
    let found = gradient.tensors[index]?.doubles ?? [Double](repeating: 0, count: value.shape.count)
    for element in 0..<value.shape.count {
      func moved(_ distance: Double) -> Double {
        var copy = module
        copy.replaceParameters { parameter, tensor in
          guard parameter == name else { return tensor }
          var elements = tensor.doubles
          elements[element] += distance
          return Tensor(elements, tensor.shape)
        }
        return loss(copy).item
      }
      let difference = (moved(step) - moved(-step)) / (2 * step)
      #expect(
        abs(found[element] - difference) <= tolerance * max(1, abs(difference)), "\(name)[\(element)]",
        sourceLocation: location)
    }
  }
}
