/// A function of one number with its derivative, which an elementwise operation applies to every element.
protocol UnaryFunction: Sendable {
  func value<S: TensorScalar>(_ x: S) -> S
  /// dy/dx, computed from `x` or `y`, whichever is easier.
  func slope<S: TensorScalar>(_ x: S, _ y: S) -> S
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value
}

/// y = f(x) for every element; dx = dy f'(x).
private struct Elementwise: Operation {
  /// Returns dx from dy, x and y. A closure, not a generic parameter: a tape calls `backward` without knowing the type,
  /// so the method of a generic struct would not be specialised, and every element would be a call.
  let slopes: @Sendable (_ gradient: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let (x, y) = (step.input(0), step.output)
    step.add(slopes(gradient, x, y), to: 0)
  }
}

extension UnaryFunction {
  fileprivate func values<S: TensorScalar>(_ x: Tensor, _ type: S.Type) -> Tensor {
    let source = x.elements(S.self)
    return Tensor(x.shape, of: S.self) { target in
      Threads.divide(target.count, grain: 16, elements: target.count) { write(source, &target, $0) }
    }
  }

  // The loops are separate functions, so that the compiler sees that the spans do not overlap and vectorises them.

  @inline(never)
  private func write<S: TensorScalar>(_ source: Span<S>, _ target: inout MutableSpan<S>, _ part: Range<Int>) {
    for i in part { unsafe target[unchecked: i] = value(source[unchecked: i]) }
  }

  fileprivate func slopes<S: TensorScalar>(_ gradient: Tensor, _ x: Tensor, _ y: Tensor, _ type: S.Type) -> Tensor {
    let (dy, x, y) = (gradient.elements(S.self), x.elements(S.self), y.elements(S.self))
    precondition(
      dy.count == x.count && y.count == x.count, "an elementwise gradient needs dy, x and y of the same size")
    return Tensor(gradient.shape, of: S.self) { target in
      Threads.divide(target.count, grain: 16, elements: target.count) { write(dy, x, y, &target, $0) }
    }
  }

  @inline(never)
  private func write<S: TensorScalar>(
    _ dy: Span<S>, _ x: Span<S>, _ y: Span<S>, _ target: inout MutableSpan<S>, _ part: Range<Int>
  ) {
    for i in part { unsafe target[unchecked: i] = dy[unchecked: i] * slope(x[unchecked: i], y[unchecked: i]) }
  }
}

extension Tensor {
  fileprivate func map(_ function: some UnaryFunction) -> Tensor {
    let y = precision == .float32 ? function.values(self, Float.self) : function.values(self, Double.self)
    let operation = Elementwise { gradient, x, y in
      x.precision == .float32
        ? function.slopes(gradient, x, y, Float.self) : function.slopes(gradient, x, y, Double.self)
    }
    return y.recorded(
      operation, from: self, as: { graph, inputs in function.describe(inputs[0], in: &graph) })
  }
}

// MARK: - Functions

private struct Affine: UnaryFunction {
  let scale: Double
  let shift: Double
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { S(scale) * x + S(shift) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { S(scale) }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value {
    let scaled = scale == 1 ? x : graph.apply("Mul", [x, graph.constant(scale)])
    return shift == 0 ? scaled : graph.apply("Add", [scaled, graph.constant(shift)])
  }
}

private struct ReLU: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { x < 0 ? 0 : x }  // NaN stays NaN
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { x > 0 ? 1 : 0 }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Relu", [x]) }
}

private struct ELU: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { max(x, 0) + (S.exp(min(x, 0)) - 1) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { min(y, 0) + 1 }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Elu", [x]) }
}

private struct Exponential: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { S.exp(x) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { y }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Exp", [x]) }
}

private struct Logarithm: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { S.log(x) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { 1 / x }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Log", [x]) }
}

private struct Tanh: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { S.tanh(x) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { 1 - y * y }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Tanh", [x]) }
}

private struct Softplus: UnaryFunction {
  // log(1 + e^x) without overflow
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { max(x, 0) + S.log1p(S.exp(-abs(x))) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { logistic(x) }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Softplus", [x]) }
}

private struct Square: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { x * x }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { 2 * x }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Mul", [x, x]) }
}

private struct SquareRoot: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { x.squareRoot() }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { 1 / (2 * y) }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Sqrt", [x]) }
}

private struct Magnitude: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { abs(x) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { x > 0 ? 1 : (x < 0 ? -1 : 0) }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Abs", [x]) }
}

private struct Sign: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { x > 0 ? 1 : (x < 0 ? -1 : 0) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { 0 }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value { graph.apply("Sign", [x]) }
}

private struct LogNormalCDF: UnaryFunction {
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { S(logNormalCDF(Double(x))) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { S(inverseMillsRatio(Double(x))) }
  // log((1 + erf(x/√2)) / 2). ONNX has no erfc, which would be exact in the far tail too.
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value {
    let erf = graph.apply("Erf", [graph.apply("Mul", [x, graph.constant(0.5.squareRoot())])])
    let probability = graph.apply("Mul", [graph.apply("Add", [erf, graph.constant(1)]), graph.constant(0.5)])
    return graph.apply("Log", [probability])
  }
}

private struct Clamp: UnaryFunction {
  let low: Double
  let high: Double
  @inline(__always) func value<S: TensorScalar>(_ x: S) -> S { min(max(x, S(low)), S(high)) }
  @inline(__always) func slope<S: TensorScalar>(_ x: S, _ y: S) -> S { x >= S(low) && x <= S(high) ? 1 : 0 }
  func describe(_ x: Graph.Value, in graph: inout Graph) -> Graph.Value {
    graph.apply("Clip", [x, graph.constant(low), graph.constant(high)])
  }
}

@inline(__always)
private func logistic<S: TensorScalar>(_ x: S) -> S {
  // The exponent is never positive, so e^x does not overflow.
  let e = S.exp(-abs(x))
  return x >= 0 ? 1 / (1 + e) : e / (1 + e)
}

public func relu(_ x: Tensor) -> Tensor { x.map(ReLU()) }
/// x, or e^x - 1 below 0.
public func elu(_ x: Tensor) -> Tensor { x.map(ELU()) }
public func exp(_ x: Tensor) -> Tensor { x.map(Exponential()) }
public func log(_ x: Tensor) -> Tensor { x.map(Logarithm()) }
public func tanh(_ x: Tensor) -> Tensor { x.map(Tanh()) }
/// log(1 + e^x).
public func softplus(_ x: Tensor) -> Tensor { x.map(Softplus()) }
public func square(_ x: Tensor) -> Tensor { x.map(Square()) }
public func sqrt(_ x: Tensor) -> Tensor { x.map(SquareRoot()) }
/// |x|, with derivative 0 at 0.
public func abs(_ x: Tensor) -> Tensor { x.map(Magnitude()) }
/// 1, -1 or 0, with derivative 0.
public func sign(_ x: Tensor) -> Tensor { x.map(Sign()) }
/// log Φ(x), the log-probability that a standard normal number is at most x. It is exact in the far tail too.
public func logNormalCDF(_ x: Tensor) -> Tensor { x.map(LogNormalCDF()) }
/// x limited to [low, high], with derivative 0 outside.
public func clamp(_ x: Tensor, _ low: Double, _ high: Double) -> Tensor { x.map(Clamp(low: low, high: high)) }

extension Tensor {
  public static func + (x: Tensor, shift: Double) -> Tensor { x.map(Affine(scale: 1, shift: shift)) }
  public static func + (shift: Double, x: Tensor) -> Tensor { x.map(Affine(scale: 1, shift: shift)) }
  public static func - (x: Tensor, shift: Double) -> Tensor { x.map(Affine(scale: 1, shift: -shift)) }
  public static func - (shift: Double, x: Tensor) -> Tensor { x.map(Affine(scale: -1, shift: shift)) }
  public static func * (x: Tensor, scale: Double) -> Tensor { x.map(Affine(scale: scale, shift: 0)) }
  public static func * (scale: Double, x: Tensor) -> Tensor { x.map(Affine(scale: scale, shift: 0)) }
  public static func / (x: Tensor, divisor: Double) -> Tensor { x.map(Affine(scale: 1 / divisor, shift: 0)) }
  public static prefix func - (x: Tensor) -> Tensor { x.map(Affine(scale: -1, shift: 0)) }
}
