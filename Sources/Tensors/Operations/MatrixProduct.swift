/// Y = A B for matrices, either of them transposed.
private struct MatrixProduct: Operation {
  let transposedA: Bool
  let transposedB: Bool

  func forward(_ a: Tensor, _ b: Tensor) -> Tensor { product(a, transposedA, b, transposedB).noted(self, from: a, b) }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let (a, b) = (step.input(0), step.input(1))
    // With A' and B' the factors as they are multiplied: dA' = dY B'^T and dB' = A'^T dY.
    step.add(
      transposedA
        ? product(b, transposedB, gradient, true) : product(gradient, false, b, !transposedB), to: 0)
    step.add(
      transposedB
        ? product(gradient, true, a, transposedA) : product(a, !transposedA, gradient, false), to: 1)
  }
}

/// The product as a constant.
private func product(_ a: Tensor, _ transposedA: Bool, _ b: Tensor, _ transposedB: Bool) -> Tensor {
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
    return Tensor([m, n], of: S.self) { c in
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
    return y.noted(self, from: x, weight, bias)
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let (x, weight) = (step.input(0), step.input(1))
    let dy = rectified ? gradient.masked(byPositive: step.output) : gradient
    step.add(product(dy, false, weight, false), to: 0)
    step.add(product(dy, true, x, false), to: 1)
    step.add(dy.sum(axis: 0), to: 2)
  }

  private func values<S: TensorScalar>(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ type: S.Type) -> Tensor {
    let (rows, inputs, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
    let (x, weight, bias) = (x.elements(S.self), weight.elements(S.self), bias.elements(S.self))
    return Tensor([rows, outputs], of: S.self) { y in
      multiply(x, transposed: false, weight, transposed: true, into: &y, m: rows, n: outputs, k: inputs)
      for row in 0..<rows {
        let at = row * outputs
        if rectified {
          for c in 0..<outputs { unsafe y[unchecked: at + c] = max(y[unchecked: at + c] + bias[unchecked: c], 0) }
        } else {
          for c in 0..<outputs { unsafe y[unchecked: at + c] += bias[unchecked: c] }
        }
      }
    }
  }
}

extension Tensor {
  /// The gradient that a fused ReLU lets through, given its output; a constant.
  func masked(byPositive y: Tensor) -> Tensor {
    precision == .float32 ? masked(byPositive: y, Float.self) : masked(byPositive: y, Double.self)
  }

  private func masked<S: TensorScalar>(byPositive y: Tensor, _ type: S.Type) -> Tensor {
    let (dy, y) = (elements(S.self), y.elements(S.self))
    precondition(dy.count == y.count, "a ReLU's gradient has the size of its output")
    return Tensor(shape, of: S.self) { target in
      for i in 0..<target.count {
        // Both are read, whatever the comparison says: a select vectorises, a branch does not.
        let (dy, y) = unsafe (dy[unchecked: i], y[unchecked: i])
        unsafe target[unchecked: i] = y > 0 ? dy : 0
      }
    }
  }
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
