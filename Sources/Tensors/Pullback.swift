import Synchronization

/// Returns the value of a function of a model, and a pullback from the value to the model's parameters.
///
/// This is reverse mode with a seed that is given later, such as when one model's output is another model's input and
/// each has its own loss.
///
/// - Parameter f: gets the model with its parameters as variables.
/// - Returns: the value, of any shape and as a constant, and its pullback.
public func valueWithPullback<Model: Module>(
  at model: Model, _ f: (Model) throws -> Tensor
) rethrows -> (value: Tensor, pullback: Pullback) {
  let tape = Tape.borrow()
  do {
    var placer = VariablePlacer(tape: tape)
    var variables = model
    variables.visit(&placer)
    let value = try f(variables)
    return (value.detached, Pullback(tape: tape, value: value, variables: placer.variables))
  } catch {
    tape.release()
    throw error
  }
}

/// Computes ∂y/∂θᵀ g for a value y(θ) that was computed before: turns a gradient g with respect to the value into one
/// with respect to the parameters θ.
///
/// It keeps all intermediate results until it is called or released.
public final class Pullback: Sendable {
  private struct Path {
    let tape: Tape
    let value: Tensor
    let variables: [Tensor]
  }

  /// Nil after the call.
  private let path: Mutex<Path?>

  fileprivate init(tape: Tape, value: Tensor, variables: [Tensor]) {
    path = Mutex(Path(tape: tape, value: value, variables: variables))
  }

  deinit { path.withLock { $0?.tape.release() } }

  /// Returns the gradient with respect to the parameters; nil for those that the value does not depend on. May be
  /// called only once.
  ///
  /// - Parameter gradient: with respect to the value, of its shape and precision.
  public func callAsFunction(_ gradient: Tensor) -> Gradient {
    let taken = path.withLock { path in
      defer { path = nil }
      return path
    }
    guard let taken else {
      preconditionFailure("a pullback can be called only once: its tape is in use for other losses")
    }
    defer { taken.tape.release() }
    precondition(
      gradient.shape == taken.value.shape && gradient.precision == taken.value.precision,
      "a gradient of \(gradient.precision) and shape \(gradient.shape) for a value of \(taken.value.precision) and shape \(taken.value.shape)"
    )
    taken.tape.backpropagate(from: taken.value, seed: gradient.detached)
    return Gradient(tensors: taken.variables.map { taken.tape.gradient(of: $0) })
  }
}

/// Puts the parameters of a module on a tape.
private struct VariablePlacer: ParameterVisitor {
  let tape: Tape
  /// In the order of the visit.
  var variables: [Tensor] = []

  init(tape: Tape) { self.tape = tape }

  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor) {
    parameter = tape.variable(parameter)
    variables.append(parameter)
  }
}
