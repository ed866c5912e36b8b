/// Y = A B for matrices, either of them transposed.
private struct MatrixProduct: Operation {
  let transposedA: Bool
  let transposedB: Bool

  func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
    product(a, transposedA, b, transposedB).recorded(
      self, from: a, b,
      as: { graph, factors in
        let a = transposedA ? graph.apply("Transpose", [factors[0]]) : factors[0]
        let b = transposedB ? graph.apply("Transpose", [factors[1]]) : factors[1]
        return graph.apply("MatMul", [a, b])
      })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let (a, b) = (step.input(0), step.input(1))
    // With A' and B' the factors after transposition: dA' = dY B'^T and dB' = A'^T dY.
    step.add(
      transposedA
        ? product(b, transposedB, gradient, true) : product(gradient, false, b, !transposedB), to: 0)
    step.add(
      transposedB
        ? product(gradient, true, a, transposedA) : product(a, !transposedA, gradient, false), to: 1)
  }
}

/// The product as a constant.
func product(_ a: Tensor, _ transposedA: Bool, _ b: Tensor, _ transposedB: Bool) -> Tensor {
  precondition(
    a.shape.rank == 2 && b.shape.rank == 2 && a.precision == b.precision,
    "a matrix product of \(a.shape) \(a.precision) and \(b.shape) \(b.precision)")
  let (m, k) = transposedA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
  let (inner, n) = transposedB ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
  precondition(
    k == inner,
    "a matrix product of \(a.shape)\(transposedA ? " transposed" : "") and \(b.shape)\(transposedB ? " transposed" : "")"
  )
  func multiplied<S: TensorScalar>(_ type: S.Type) -> Tensor {
    let (a, b) = (a.elements(S.self), b.elements(S.self))
    return Tensor(Shape(m, n), of: S.self) { c in
      multiply(a, transposed: transposedA, b, transposed: transposedB, into: &c, m: m, n: n, k: k)
    }
  }
  return a.precision == .float32 ? multiplied(Float.self) : multiplied(Double.self)
}

/// Y = f(X W^T + b) with `X [B, I]`, `W [O, I]`, `b [O]` and f the identity or ReLU.
private struct LinearMap: Operation {
  let rectified: Bool

  func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    precondition(
      x.shape.rank == 2 && weight.shape.rank == 2 && weight.shape[1] == x.shape[1] && bias.shape == [weight.shape[0]],
      "a linear map of \(x.shape) by weight \(weight.shape) and bias \(bias.shape)")
    let y = x.precision == .float32 ? values(x, weight, bias, Float.self) : values(x, weight, bias, Double.self)
    return y.recorded(
      self, from: x, weight, bias,
      as: { graph, inputs in
        graph.activated(graph.apply("Gemm", inputs, ["transB": .integer(1)]), by: rectified ? .relu : .identity)
      })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let (x, weight) = (step.input(0), step.input(1))
    let (dy, biasGradient) = cut(gradient, by: step.output)
    if step.needs(0) {
      // In a concatenation with constants, only some columns need a gradient.
      let (columns, needed) = (x.shape[1], step.neededColumns(of: 0))
      step.add(
        needed.count == columns
          ? rowwiseProduct(dy, weight)
          : rowwiseProduct(dy, weight.columns(needed)).placed(at: needed.lowerBound, ofColumns: columns), to: 0)
    }
    step.add(product(dy, true, x, false), to: 1)
    step.add(biasGradient, to: 2)
  }

  private func values<S: TensorScalar>(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ type: S.Type) -> Tensor {
    let (rows, inputs, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
    let (x, weight, bias) = (x.elements(S.self), weight.elements(S.self), bias.elements(S.self))
    return Tensor(Shape(rows, outputs), of: S.self) { y in
      multiply(x, transposed: false, weight, transposed: true, into: &y, m: rows, n: outputs, k: inputs)
      Threads.divide(rows, elements: y.count) { part in addBias(&y, part, bias, floor: rectified ? 0 : -.infinity) }
    }
  }

  /// Computes in one pass the gradient before the ReLU and its sum over the batch, which is the gradient of the bias.
  private func cut(_ gradient: Tensor, by y: Tensor) -> (dy: Tensor, bias: Tensor) {
    y.precision == .float32 ? cut(gradient, by: y, Float.self) : cut(gradient, by: y, Double.self)
  }

  private func cut<S: TensorScalar>(_ gradient: Tensor, by y: Tensor, _ type: S.Type) -> (dy: Tensor, bias: Tensor) {
    let (rows, columns) = (y.shape[0], y.shape[1])
    precondition(gradient.shape == y.shape, "a gradient of shape \(gradient.shape) for an output \(y.shape)")
    guard rectified else { return (gradient, gradient.sum(axis: 0)) }
    var dy = Tensor(uninitialized: y.shape, y.precision)
    var bias = Tensor(uninitialized: Shape(columns), y.precision)
    do {
      let (gradient, y) = (gradient.elements(S.self), y.elements(S.self))
      var dy = dy.freshElements(S.self)
      var bias = bias.freshElements(S.self)
      Threads.divide(columns, grain: 16, elements: y.count) { part in
        cut(gradient, y, &dy, &bias, part, rows: rows, columns: columns)
      }
    }
    return (dy, bias)
  }

  @inline(never)
  private func cut<S: TensorScalar>(
    _ gradient: Span<S>, _ y: Span<S>, _ dy: inout MutableSpan<S>, _ bias: inout MutableSpan<S>, _ part: Range<Int>,
    rows: Int, columns: Int
  ) {
    for c in part { unsafe bias[unchecked: c] = 0 }
    for row in 0..<rows {
      let at = row * columns
      for c in part {
        // Both are always loaded: a branch per element costs ten times as much.
        let (above, output) = unsafe (gradient[unchecked: at &+ c], y[unchecked: at &+ c])
        let share = output > 0 ? above : 0
        unsafe dy[unchecked: at &+ c] = share
        unsafe bias[unchecked: c] += share
      }
    }
  }
}

/// Y = A B as a constant. Skips rows of A that are zero: with the minimum of two critics' values, the gradient of the
/// larger one is zero.
func rowwiseProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
  let rows = a.shape[0]
  // In groups, so that only a few sizes of memory are requested.
  guard b.shape[1] >= 32, let others = a.nonzeroRows(multipleOf: 32, atMost: rows - rows / 4 - 1) else {
    return product(a, false, b, false)
  }
  return product(a.gatheringRows(others), false, b, false).scatteringRows(to: others, of: rows)
}

/// The matrix product: `[M, K]` and `[K, N]` to `[M, N]`, either factor optionally transposed.
public func matrixProduct(
  _ a: Tensor, transposed transposedA: Bool = false, _ b: Tensor, transposed transposedB: Bool = false
) -> Tensor {
  MatrixProduct(transposedA: transposedA, transposedB: transposedB).forward(a, b)
}

/// x W^T + b, optionally with ReLU: `[B, I]`, `[O, I]` and `[O]` to `[B, O]`.
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor, rectified: Bool = false) -> Tensor {
  LinearMap(rectified: rectified).forward(x, weight, bias)
}
