/// y = f((x - mean(x)) / sqrt(var(x) + ε) * weight + bias) over the last axis, f an activation (Ba, Kiros and
/// Hinton 2016, eq. 4).
private struct LayerNormalization: Operation {
  let kernel: LayerNormRows

  func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    precondition(
      weight.shape == [x.shape[-1]] && bias.shape == weight.shape,
      "LayerNorm over \(x.shape) needs weight and bias [\(x.shape[-1])], not \(weight.shape) and \(bias.shape)")
    let y =
      x.precision == .float32 ? normalized(x, weight, bias, Float.self) : normalized(x, weight, bias, Double.self)
    return y.recorded(self, from: x, weight, bias, as: { graph, inputs in kernel.describe(inputs, in: &graph) })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let (x, weight) = (step.input(0), step.input(1))
    if x.precision == .float32 {
      backward(gradient, x, weight, &step, Float.self)
    } else {
      backward(gradient, x, weight, &step, Double.self)
    }
  }

  private func normalized<S: TensorScalar>(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ type: S.Type
  ) -> Tensor {
    let shape = x.shape
    let (x, weight, bias) = (x.elements(S.self), weight.elements(S.self), bias.elements(S.self))
    return Tensor(shape, of: S.self) { y in
      Threads.divide(shape.rows, elements: y.count) { rows in kernel.normalize(x, weight, bias, &y, rows) }
    }
  }

  private func backward<S: TensorScalar>(
    _ gradient: Tensor, _ x: Tensor, _ weight: Tensor, _ step: inout BackwardStep, _ type: S.Type
  ) {
    let (rows, columns) = (x.shape.rows, x.shape[-1])
    let blocks = RowBlocks(rows: rows)
    var dweight = Tensor(uninitialized: [blocks.count, columns], x.precision)
    var dbias = Tensor(uninitialized: [blocks.count, columns], x.precision)
    var dx = gradient.rows(0..<gradient.shape[0])
    do {
      let (x, y, weight) = (x.elements(S.self), step.output.elements(S.self), weight.elements(S.self))
      var dweight = dweight.freshElements(S.self)
      var dbias = dbias.freshElements(S.self)
      var dx = dx.freshElements(S.self)
      Threads.divide(blocks.count, elements: x.count) { part in
        for block in part {
          let sums = block * columns..<(block + 1) * columns
          var dweight = dweight._mutatingExtracting(sums)
          var dbias = dbias._mutatingExtracting(sums)
          kernel.backward(x, y, weight, &dx, &dweight, &dbias, blocks[block])
        }
      }
    }
    step.add(dx, to: 0)
    step.add(dweight.sum(axis: 0), to: 1)
    step.add(dbias.sum(axis: 0), to: 2)
  }
}

/// y = e^(x - max x) / Σ e^(x - max x) over the last axis.
private struct Softmax: Operation {
  func forward(_ x: Tensor) -> Tensor {
    (x.precision == .float32 ? values(x, Float.self) : values(x, Double.self)).recorded(
      self, from: x, as: { graph, inputs in graph.apply("Softmax", inputs, ["axis": .integer(-1)]) })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let y = step.output
    step.add(y.precision == .float32 ? share(gradient, y, Float.self) : share(gradient, y, Double.self), to: 0)
  }

  private func values<S: TensorScalar>(_ x: Tensor, _ type: S.Type) -> Tensor {
    let (shape, columns) = (x.shape, x.shape[-1])
    let x = x.elements(S.self)
    return Tensor(shape, of: S.self) { y in
      Threads.divide(shape.rows, elements: y.count) { rows in
        for row in rows {
          let at = row * columns
          let largest = x.largest(from: at, count: columns)
          exponentiate(x, &y, at, columns, minus: largest)
          scale(&y, at, columns, by: 1 / y.span.sum(from: at, count: columns))
        }
      }
    }
  }

  @inline(never)
  private func exponentiate<S: TensorScalar>(
    _ x: Span<S>, _ y: inout MutableSpan<S>, _ start: Int, _ count: Int, minus shift: S
  ) {
    for c in 0..<count { unsafe y[unchecked: start &+ c] = S.exp(x[unchecked: start &+ c] - shift) }
  }

  private func scale<S: TensorScalar>(_ y: inout MutableSpan<S>, _ start: Int, _ count: Int, by factor: S) {
    for c in 0..<count { unsafe y[unchecked: start &+ c] *= factor }
  }

  // dx = y (dy - Σ dy y)
  private func share<S: TensorScalar>(_ gradient: Tensor, _ y: Tensor, _ type: S.Type) -> Tensor {
    let (shape, columns) = (y.shape, y.shape[-1])
    let (dy, y) = (gradient.elements(S.self), y.elements(S.self))
    return Tensor(shape, of: S.self) { dx in
      Threads.divide(shape.rows, elements: dx.count) { rows in share(dy, y, &dx, rows, columns) }
    }
  }

  @inline(never)
  private func share<S: TensorScalar>(
    _ dy: Span<S>, _ y: Span<S>, _ dx: inout MutableSpan<S>, _ rows: Range<Int>, _ columns: Int
  ) {
    for row in rows {
      let at = row * columns
      let mean = dy.dot(y, from: at, at, count: columns)
      for c in 0..<columns {
        unsafe dx[unchecked: at &+ c] = y[unchecked: at &+ c] * (dy[unchecked: at &+ c] - mean)
      }
    }
  }
}

/// y = x - max x - log Σ e^(x - max x) over the last axis.
private struct LogSoftmax: Operation {
  func forward(_ x: Tensor) -> Tensor {
    (x.precision == .float32 ? values(x, Float.self) : values(x, Double.self)).recorded(
      self, from: x, as: { graph, inputs in graph.apply("LogSoftmax", inputs, ["axis": .integer(-1)]) })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let y = step.output
    step.add(y.precision == .float32 ? share(gradient, y, Float.self) : share(gradient, y, Double.self), to: 0)
  }

  private func values<S: TensorScalar>(_ x: Tensor, _ type: S.Type) -> Tensor {
    let (shape, columns) = (x.shape, x.shape[-1])
    let x = x.elements(S.self)
    return Tensor(shape, of: S.self) { y in
      for row in 0..<shape.rows {
        let at = row * columns
        let largest = x.largest(from: at, count: columns)
        var sum: S = 0
        for c in 0..<columns { sum += S.exp(x[at + c] - largest) }
        // In this order: beside a large maximum the logarithm would lose its digits.
        let logSum = S.log(sum)
        for c in 0..<columns { y[at + c] = (x[at + c] - largest) - logSum }
      }
    }
  }

  // dx = dy - e^y Σ dy
  private func share<S: TensorScalar>(_ gradient: Tensor, _ y: Tensor, _ type: S.Type) -> Tensor {
    let (shape, columns) = (y.shape, y.shape[-1])
    let (dy, y) = (gradient.elements(S.self), y.elements(S.self))
    return Tensor(shape, of: S.self) { dx in
      for row in 0..<shape.rows {
        let at = row * columns
        let sum = dy.sum(from: at, count: columns)
        for c in 0..<columns { dx[at + c] = dy[at + c] - S.exp(y[at + c]) * sum }
      }
    }
  }
}

/// LayerNorm over the last axis, with a learned scale and shift of that extent (Ba, Kiros and Hinton 2016).
///
/// - Parameter activation: what follows.
public func layerNormalized(
  _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double = 1e-5, activation: Activation = .identity
) -> Tensor {
  LayerNormalization(kernel: LayerNormRows(epsilon: epsilon, activation: activation)).forward(x, weight, bias)
}

/// Probabilities over the last axis.
public func softmax(_ x: Tensor) -> Tensor { Softmax().forward(x) }

/// Logarithms of the probabilities over the last axis.
public func logSoftmax(_ x: Tensor) -> Tensor { LogSoftmax().forward(x) }
