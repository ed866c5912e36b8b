/// y = f((x - mean(x)) / sqrt(var(x) + ε) * weight + bias) over the last axis, f the identity or ReLU (Ba, Kiros and
/// Hinton 2016, eq. 4).
private struct LayerNormalization: Operation {
  let epsilon: Double
  let rectified: Bool

  func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    precondition(
      weight.shape == [x.shape[-1]] && bias.shape == weight.shape,
      "LayerNorm over \(x.shape) needs weight and bias [\(x.shape[-1])], not \(weight.shape) and \(bias.shape)")
    let y =
      x.precision == .float32 ? normalized(x, weight, bias, Float.self) : normalized(x, weight, bias, Double.self)
    return y.recorded(self, from: x, weight, bias)
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
    let columns = x.shape[-1]
    let shape = x.shape
    let (x, weight, bias) = (x.elements(S.self), weight.elements(S.self), bias.elements(S.self))
    return Tensor(shape, of: S.self) { y in
      Threads.divide(shape.rows, elements: y.count) { rows in
        normalize(x, weight, bias, &y, rows, columns)
      }
    }
  }

  // The passes are separate functions, so that the compiler sees that the spans do not overlap and vectorises them.

  @inline(never)
  private func normalize<S: TensorScalar>(
    _ x: Span<S>, _ weight: Span<S>, _ bias: Span<S>, _ y: inout MutableSpan<S>, _ rows: Range<Int>, _ columns: Int
  ) {
    let floor: S = rectified ? 0 : -.infinity
    for row in rows {
      let at = row * columns
      let (mean, scale) = statistics(x, at, columns)
      for c in 0..<columns {
        let value = unsafe (x[unchecked: at &+ c] - mean) * scale * weight[unchecked: c] + bias[unchecked: c]
        unsafe y[unchecked: at &+ c] = value < floor ? floor : value
      }
    }
  }

  /// Returns the mean and inverse standard deviation of one row.
  @inline(__always)
  private func statistics<S: TensorScalar>(_ x: Span<S>, _ at: Int, _ count: Int) -> (mean: S, scale: S) {
    let mean = x.sum(from: at, count: count) / S(count)
    var lanes = SIMD8<S>(repeating: 0)
    var i = 0
    while i + 8 <= count {
      let d = x.vector(at: at + i) - mean
      lanes += d * d
      i += 8
    }
    var squares = lanes.sum()
    while i < count {
      let d = x[at + i] - mean
      squares += d * d
      i += 1
    }
    return (mean, 1 / (squares / S(count) + S(epsilon)).squareRoot())
  }

  // With x̂ the normalised row, g = dy * weight and dy = 0 where ReLU cut off:
  // dx = scale (g - mean(g) - x̂ mean(g x̂)),  dweight = Σ dy x̂,  dbias = Σ dy
  private func backward<S: TensorScalar>(
    _ gradient: Tensor, _ x: Tensor, _ weight: Tensor, _ step: inout BackwardStep, _ type: S.Type
  ) {
    let (shape, rows, columns) = (x.shape, x.shape.rows, x.shape[-1])
    // One sum per block of rows. The number of blocks is independent of the number of threads, and so is the result.
    let blocks = min(8, max(rows, 1))
    var dweight = Tensor(uninitialized: [blocks, columns], x.precision)
    var dbias = Tensor(uninitialized: [blocks, columns], x.precision)
    var dx = Tensor(uninitialized: shape, x.precision)
    do {
      let (gradient, x, y) = (gradient.elements(S.self), x.elements(S.self), step.output.elements(S.self))
      let weight = weight.elements(S.self)
      var dweight = dweight.freshElements(S.self)
      var dbias = dbias.freshElements(S.self)
      var dx = dx.freshElements(S.self)
      Threads.divide(blocks, elements: x.count) { part in
        for block in part {
          let blockRows = rows * block / blocks..<rows * (block + 1) / blocks
          share(gradient, x, y, weight, &dx, &dweight, &dbias, blockRows, columns, block * columns)
        }
      }
    }
    step.add(dx, to: 0)
    step.add(dweight.sum(axis: 0), to: 1)
    step.add(dbias.sum(axis: 0), to: 2)
  }

  @inline(never)
  private func share<S: TensorScalar>(
    _ gradient: Span<S>, _ x: Span<S>, _ y: Span<S>, _ weight: Span<S>, _ dx: inout MutableSpan<S>,
    _ dweight: inout MutableSpan<S>, _ dbias: inout MutableSpan<S>, _ rows: Range<Int>, _ columns: Int, _ sums: Int
  ) {
    for c in sums..<sums + columns { unsafe dweight[unchecked: c] = 0 }
    for c in sums..<sums + columns { unsafe dbias[unchecked: c] = 0 }
    let floor: S = rectified ? 0 : -.infinity
    for row in rows {
      let at = row * columns
      let (mean, scale) = statistics(x, at, columns)
      for c in 0..<columns {
        // dy. Both are always loaded: a branch per element costs ten times as much.
        let (above, output) = unsafe (gradient[unchecked: at &+ c], y[unchecked: at &+ c])
        unsafe dx[unchecked: at &+ c] = output > floor ? above : 0
      }
      for c in 0..<columns {
        let dy = unsafe dx[unchecked: at &+ c]
        unsafe dweight[unchecked: sums &+ c] += dy * (x[unchecked: at &+ c] - mean) * scale
        unsafe dbias[unchecked: sums &+ c] += dy
      }
      let (sum, product) = moments(dx.span, weight, x, at, columns, mean)
      let (meanG, meanProduct) = (sum / S(columns), product * scale * scale / S(columns))
      for c in 0..<columns {
        let g = unsafe dx[unchecked: at &+ c] * weight[unchecked: c]
        unsafe dx[unchecked: at &+ c] = scale * (g - meanG - (x[unchecked: at &+ c] - mean) * meanProduct)
      }
    }
  }

  /// Σ g and Σ g (x - mean) of one row, with g = dy * weight.
  @inline(__always)
  private func moments<S: TensorScalar>(
    _ dy: Span<S>, _ weight: Span<S>, _ x: Span<S>, _ at: Int, _ count: Int, _ mean: S
  ) -> (S, S) {
    var (sums, products) = (SIMD8<S>(repeating: 0), SIMD8<S>(repeating: 0))
    var c = 0
    while c + 8 <= count {
      let g = dy.vector(at: at + c) * weight.vector(at: c)
      sums += g
      products += g * (x.vector(at: at + c) - mean)
      c += 8
    }
    var (sum, product) = (sums.sum(), products.sum())
    while c < count {
      let g = dy[at + c] * weight[c]
      sum += g
      product += g * (x[at + c] - mean)
      c += 1
    }
    return (sum, product)
  }
}

/// y = e^(x - max x) / Σ e^(x - max x) over the last axis.
private struct Softmax: Operation {
  func forward(_ x: Tensor) -> Tensor {
    (x.precision == .float32 ? values(x, Float.self) : values(x, Double.self)).recorded(self, from: x)
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
    (x.precision == .float32 ? values(x, Float.self) : values(x, Double.self)).recorded(self, from: x)
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
        let shift = largest + S.log(sum)
        for c in 0..<columns { y[at + c] = x[at + c] - shift }
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
/// - Parameter rectified: whether ReLU follows.
public func layerNormalized(
  _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double = 1e-5, rectified: Bool = false
) -> Tensor {
  LayerNormalization(epsilon: epsilon, rectified: rectified).forward(x, weight, bias)
}

/// Probabilities over the last axis.
public func softmax(_ x: Tensor) -> Tensor { Softmax().forward(x) }

/// Logarithms of the probabilities over the last axis.
public func logSoftmax(_ x: Tensor) -> Tensor { LogSoftmax().forward(x) }
