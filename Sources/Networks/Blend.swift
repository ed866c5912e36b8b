import Tensors

extension Module {
  /// Moves the parameters toward those of another module in place, as a target network: θ ← (1 - τ) θ + τ θ′.
  ///
  /// - Parameters:
  ///   - other: a `float32` model of the same shape.
  ///   - rate: τ in [0, 1]; at 1 the parameters become equal.
  public mutating func blend(toward other: Self, rate: Double) {
    precondition(rate >= 0 && rate <= 1, "the rate of a blend must be in [0, 1], not \(rate)")
    var collector = ParameterCollector()
    var copy = other
    copy.visit(&collector)
    var blender = Blender(others: collector.parameters, rate: Float(rate))
    visit(&blender)
  }
}

/// The parameters of a module without their names.
private struct ParameterCollector: ParameterVisitor {
  var parameters: [Tensor] = []
  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor) { parameters.append(parameter) }
}

private struct Blender: ParameterVisitor {
  let others: [Tensor]
  let rate: Float
  private var next = 0

  init(others: [Tensor], rate: Float) {
    self.others = others
    self.rate = rate
  }

  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor) {
    let other = others[next]
    next += 1
    precondition(
      parameter.shape == other.shape, "\(name) of shape \(parameter.shape) cannot blend toward \(other.shape)")
    parameter.withMutableElements { theta in
      other.withElements { target in
        Threads.divide(theta.count, grain: 16, elements: theta.count) { mix(&theta, target, $0) }
      }
    }
  }

  /// The equation above for some elements. A separate function, so that the compiler vectorises the loop.
  @inline(never)
  private func mix(_ theta: inout MutableSpan<Float>, _ target: Span<Float>, _ part: Range<Int>) {
    let (rate, keep) = (rate, 1 - rate)
    for i in part { unsafe theta[unchecked: i] = keep * theta[unchecked: i] + rate * target[unchecked: i] }
  }
}
