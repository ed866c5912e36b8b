import Synchronization

/// The value of a function of a model, and the way back from it to the model's parameters: reverse mode whose seed comes
/// later and from outside, as where one model's output is another's input and each has a loss of its own.
///
/// - Parameter f: gets the model with its parameters as variables.
/// - Returns: the value of any shape, a constant for whatever is made of it, and its pullback.
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
    tape.giveBack()
    throw error
  }
}

/// ∂y/∂θᵀ g for a value y of the parameters θ that was computed before: what a gradient g by the value is for the parameters.
///
/// It holds all that was computed on the way to the value until it is called or goes.
public final class Pullback: Sendable {
  private struct Path {
    let tape: Tape
    let value: Tensor
    let variables: [Tensor]
  }

  /// Nil once it was followed.
  private let path: Mutex<Path?>

  fileprivate init(tape: Tape, value: Tensor, variables: [Tensor]) {
    path = Mutex(Path(tape: tape, value: value, variables: variables))
  }

  deinit { path.withLock { $0?.tape.giveBack() } }

  /// The gradient by the parameters, nil where the value does not depend on one. To be called once.
  ///
  /// - Parameter gradient: by the value, of its shape and precision.
  public func callAsFunction(_ gradient: Tensor) -> Gradient {
    let taken = path.withLock { path in
      defer { path = nil }
      return path
    }
    guard let taken else { preconditionFailure("a pullback is called once: its tape serves other losses by now") }
    defer { taken.tape.giveBack() }
    precondition(
      gradient.shape == taken.value.shape && gradient.precision == taken.value.precision,
      "a gradient of \(gradient.precision) and shape \(gradient.shape) by a value of \(taken.value.precision) and shape \(taken.value.shape)"
    )
    taken.tape.follow(back: taken.value, seed: gradient.detached)
    return Gradient(tensors: taken.variables.map { taken.tape.gradient(of: $0) })
  }
}

/// Puts the parameters of a module on a tape.
private struct VariablePlacer: ParameterVisitor {
  let tape: Tape
  /// In their order.
  var variables: [Tensor] = []

  init(tape: Tape) { self.tape = tape }

  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor) {
    parameter = tape.variable(parameter)
    variables.append(parameter)
  }
}
