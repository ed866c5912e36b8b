/// The function that follows a LayerNorm.
public enum Activation: String, Sendable, Codable {
  case identity
  /// max(x, 0)
  case relu
  /// x, or e^x - 1 below 0 (Clevert, Unterthiner and Hochreiter 2016).
  case elu
}

/// LayerNorm of rows, forward and backward: y = f((x - mean(x)) / sqrt(var(x) + ε) * weight + bias), f an activation
/// (Ba, Kiros and Hinton 2016, eq. 4).
///
/// The passes are separate functions that are never inlined, so that the compiler sees that the spans do not overlap and
/// vectorises them.
struct LayerNormRows {
  let epsilon: Double
  let activation: Activation

  /// - Parameter inputs: x, weight and bias.
  func describe(_ inputs: [Graph.Value], in graph: inout Graph) -> Graph.Value {
    let y = graph.apply("LayerNormalization", inputs, ["axis": .integer(-1), "epsilon": .number(epsilon)])
    return graph.activated(y, by: activation)
  }

  /// Writes y for some rows of x.
  @inline(never)
  func normalize<S: TensorScalar>(
    _ x: Span<S>, _ weight: Span<S>, _ bias: Span<S>, _ y: inout MutableSpan<S>, _ rows: Range<Int>
  ) {
    let columns = weight.count
    let floor: S = activation == .relu ? 0 : -.infinity
    for row in rows {
      let at = row * columns
      let (mean, scale) = statistics(x, at, columns)
      for c in 0..<columns {
        let value = unsafe (x[unchecked: at &+ c] - mean) * scale * weight[unchecked: c] + bias[unchecked: c]
        unsafe y[unchecked: at &+ c] = value < floor ? floor : value
      }
      if activation == .elu { bend(&y, at..<at + columns) }
    }
  }

  /// Applies ELU to some elements: max(x, 0) + e^min(x, 0) - 1.
  @inline(never)
  private func bend<S: TensorScalar>(_ y: inout MutableSpan<S>, _ part: Range<Int>) {
    for i in part {
      let value = unsafe y[unchecked: i]
      // |x| instead of a comparison, so that the compiler vectorises the loop.
      let size = abs(value)
      unsafe y[unchecked: i] = 0.5 * (value + size) + (S.exp(0.5 * (value - size)) - 1)
    }
  }

  /// Multiplies a gradient with the slope of ELU, e^x = y + 1 below 0.
  @inline(never)
  private func bendGradient<S: TensorScalar>(
    _ gradient: inout MutableSpan<S>, by y: Span<S>, _ part: Range<Int>
  ) {
    for i in part {
      let output = unsafe y[unchecked: i]
      unsafe gradient[unchecked: i] *= 0.5 * (output - abs(output)) + 1
    }
  }

  /// Turns the gradient with respect to y into that with respect to x, and sums those with respect to weight and bias,
  /// for some rows. With x̂ the normalised row, g = dy * weight and dy multiplied with the activation's slope:
  ///
  ///     dx = scale (g - mean(g) - x̂ mean(g x̂)),  dweight = Σ dy x̂,  dbias = Σ dy
  ///
  /// - Parameters:
  ///   - gradient: dy before the call and dx after it.
  ///   - dweight, dbias: the sums over these rows.
  @inline(never)
  func backward<S: TensorScalar>(
    _ x: Span<S>, _ y: Span<S>, _ weight: Span<S>, _ gradient: inout MutableSpan<S>, _ dweight: inout MutableSpan<S>,
    _ dbias: inout MutableSpan<S>, _ rows: Range<Int>
  ) {
    let columns = weight.count
    for c in 0..<columns { unsafe dweight[unchecked: c] = 0 }
    for c in 0..<columns { unsafe dbias[unchecked: c] = 0 }
    let floor: S = activation == .relu ? 0 : -.infinity
    for row in rows {
      let at = row * columns
      if activation == .elu { bendGradient(&gradient, by: y, at..<at + columns) }
      let (mean, scale) = statistics(x, at, columns)
      for c in 0..<columns {
        // Both are always loaded: a branch per element costs ten times as much.
        let (above, output) = unsafe (gradient[unchecked: at &+ c], y[unchecked: at &+ c])
        let dy = output > floor ? above : 0
        unsafe gradient[unchecked: at &+ c] = dy
        unsafe dweight[unchecked: c] += dy * (x[unchecked: at &+ c] - mean) * scale
        unsafe dbias[unchecked: c] += dy
      }
      let (sum, product) = moments(gradient.span, weight, x, at, columns, mean)
      let (meanG, meanProduct) = (sum / S(columns), product * scale * scale / S(columns))
      for c in 0..<columns {
        let g = unsafe gradient[unchecked: at &+ c] * weight[unchecked: c]
        unsafe gradient[unchecked: at &+ c] = scale * (g - meanG - (x[unchecked: at &+ c] - mean) * meanProduct)
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

/// The rows of a batch in at most eight blocks, over each of which a gradient is summed. The blocks do not depend on the
/// number of threads, and so neither does the sum.
struct RowBlocks {
  let rows: Int
  var count: Int { min(8, max(rows, 1)) }
  subscript(_ block: Int) -> Range<Int> { rows * block / count..<rows * (block + 1) / count }
}
