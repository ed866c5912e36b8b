/// y = Σ x over one axis, which is kept with extent 1 or removed.
private struct AxisSum: Operation {
  let axis: Int

  func forward(_ x: Tensor, keepingAxis: Bool) -> Tensor {
    var shape = x.shape
    shape[axis] = 1
    if !keepingAxis { shape = x.shape.removing(axis) }
    let y = x.precision == .float32 ? sums(x, shape, Float.self) : sums(x, shape, Double.self)
    return y.recorded(
      self, from: x,
      as: { graph, inputs in
        graph.apply(
          "ReduceSum", [inputs[0], graph.constant([axis])], ["keepdims": .integer(keepingAxis ? 1 : 0)])
      })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let shape = step.input(0).shape
    step.add(
      gradient.precision == .float32 ? spread(gradient, shape, Float.self) : spread(gradient, shape, Double.self),
      to: 0)
  }

  private func sums<S: TensorScalar>(_ x: Tensor, _ shape: Shape, _ type: S.Type) -> Tensor {
    let (outer, extent, inner) = (x.shape.outer(axis), x.shape[axis], x.shape.inner(axis))
    let x = x.elements(S.self)
    return Tensor(shape, of: S.self) { y in
      for o in 0..<outer {
        if inner == 1 {
          y[o] = x.sum(from: o * extent, count: extent)
          continue
        }
        for i in 0..<inner { y[o * inner + i] = 0 }
        for e in 0..<extent {
          let row = (o * extent + e) * inner
          for i in 0..<inner { unsafe y[unchecked: o * inner &+ i] += x[unchecked: row &+ i] }
        }
      }
    }
  }

  private func spread<S: TensorScalar>(_ gradient: Tensor, _ shape: Shape, _ type: S.Type) -> Tensor {
    let (outer, extent, inner) = (shape.outer(axis), shape[axis], shape.inner(axis))
    let dy = gradient.elements(S.self)
    return Tensor(shape, of: S.self) { dx in
      for o in 0..<outer {
        for e in 0..<extent {
          let row = (o * extent + e) * inner
          for i in 0..<inner { unsafe dx[unchecked: row + i] = dy[unchecked: o * inner + i] }
        }
      }
    }
  }
}

/// y = scale Σ x over all elements, a scalar.
private struct TotalSum: Operation {
  let scale: Double

  func forward(_ x: Tensor) -> Tensor {
    let total: Double =
      x.precision == .float32 ? total(x.elements(Float.self)) : total(x.elements(Double.self))
    return Tensor(scalar: scale * total, x.precision).recorded(self, from: x)
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let shape = step.input(0).shape
    step.add(Tensor(repeating: scale * gradient.item, shape, gradient.precision), to: 0)
  }

  // Blocks are summed in the element type and their sums in double, so that long sums stay accurate.
  private func total<S: TensorScalar>(_ x: Span<S>) -> Double {
    var total = 0.0
    var start = 0
    while start < x.count {
      let count = min(4096, x.count - start)
      total += Double(x.sum(from: start, count: count))
      start += count
    }
    return total
  }
}

extension Tensor {
  /// The sum of all elements, a scalar.
  public func sum() -> Tensor { TotalSum(scale: 1).forward(self) }

  /// The mean of all elements, a scalar.
  public func mean() -> Tensor {
    precondition(shape.count > 0, "the mean of no elements")
    return TotalSum(scale: 1 / Double(shape.count)).forward(self)
  }

  /// The sum over one axis; negative axes count from the last.
  public func sum(axis: Int, keepingAxis: Bool = false) -> Tensor {
    AxisSum(axis: shape.resolve(axis)).forward(self, keepingAxis: keepingAxis)
  }

  /// The mean over one axis.
  public func mean(axis: Int, keepingAxis: Bool = false) -> Tensor {
    sum(axis: axis, keepingAxis: keepingAxis) / Double(shape[axis])
  }

  /// The index of the largest element of each row, the first if several are equal: one index per row of `[..., C]`. No
  /// gradient.
  public func argmax() -> [Int] {
    precision == .float32 ? argmax(Float.self) : argmax(Double.self)
  }

  private func argmax<S: TensorScalar>(_ type: S.Type) -> [Int] {
    let (rows, columns) = (shape.rows, shape[-1])
    let x = elements(S.self)
    return (0..<rows).map { row in
      var best = 0
      for c in 1..<max(columns, 1) where x[row * columns + c] > x[row * columns + best] { best = c }
      return best
    }
  }

  /// The index of the largest element of each row, as `argmax`, in a tensor: `[B, C]` to `[B, 1]`. No gradient.
  public func indexOfLargest() -> Tensor { IndexOfLargest().forward(self) }

  /// The largest element of each row: `[..., C]` to `[..., 1]`. No gradient.
  public func rowMaximum() -> Tensor {
    precision == .float32 ? rowMaximum(Float.self) : rowMaximum(Double.self)
  }

  private func rowMaximum<S: TensorScalar>(_ type: S.Type) -> Tensor {
    let columns = shape[-1]
    var reduced = shape
    reduced[-1] = 1
    let x = elements(S.self)
    return Tensor(reduced, of: S.self) { y in
      for row in 0..<y.count { y[row] = x.largest(from: row * columns, count: columns) }
    }
  }
}

/// y[b] = argmax x[b, :]
private struct IndexOfLargest: Operation {
  func forward(_ x: Tensor) -> Tensor {
    Tensor(x.argmax().map(Float.init), [x.shape[0], 1]).recorded(
      self, from: x,
      as: { graph, inputs in
        let index = graph.apply("ArgMax", inputs, ["axis": .integer(-1), "keepdims": .integer(1)])
        return graph.apply("Cast", [index], ["to": .integer(1)])  // float32
      })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {}
}

/// y = scale Σ w d² over all elements, a scalar, with w = 1 if there are no weights.
private struct SquareSum: Operation {
  let scale: Double
  let weights: Tensor?

  func forward(_ d: Tensor) -> Tensor {
    let total =
      d.precision == .float32 ? total(d.elements(), Float.self) : total(d.elements(), Double.self)
    return Tensor(scalar: scale * total, d.precision).recorded(self, from: d)
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let d = step.input(0)
    let factor = 2 * scale * gradient.item
    step.add(d.precision == .float32 ? share(d, Float(factor)) : share(d, factor), to: 0)
  }

  // As in `TotalSum`: blocks in the element type, their sums in double.
  private func total<S: TensorScalar>(_ d: Span<S>, _ type: S.Type) -> Double {
    var total = 0.0
    var start = 0
    while start < d.count {
      let count = min(4096, d.count - start)
      total += Double(
        weights.map { d.dot(d, $0.elements(), from: start, count: count) } ?? d.dot(d, from: start, start, count: count)
      )
      start += count
    }
    return total
  }

  private func share<S: TensorScalar>(_ d: Tensor, _ factor: S) -> Tensor {
    let shape = d.shape
    let d = d.elements(S.self)
    return Tensor(shape, of: S.self) { target in
      Threads.divide(target.count, grain: 16, elements: target.count) { part in
        if let weights {
          write(d, weights.elements(), factor, &target, part)
        } else {
          write(d, factor, &target, part)
        }
      }
    }
  }

  @inline(never)
  private func write<S: TensorScalar>(_ d: Span<S>, _ factor: S, _ target: inout MutableSpan<S>, _ part: Range<Int>) {
    for i in part { unsafe target[unchecked: i] = factor * d[unchecked: i] }
  }

  @inline(never)
  private func write<S: TensorScalar>(
    _ d: Span<S>, _ w: Span<S>, _ factor: S, _ target: inout MutableSpan<S>, _ part: Range<Int>
  ) {
    for i in part { unsafe target[unchecked: i] = factor * w[unchecked: i] * d[unchecked: i] }
  }
}

/// Σ d² / n over all elements of a difference.
public func meanSquared(_ difference: Tensor) -> Tensor {
  precondition(difference.shape.count > 0, "the mean of no elements")
  return SquareSum(scale: 1 / Double(difference.shape.count), weights: nil).forward(difference)
}

/// Σ w d² / Σ w over all elements of a difference; the weights are constants of the same shape.
public func meanSquared(_ difference: Tensor, weights: Tensor) -> Tensor {
  precondition(
    weights.shape == difference.shape && weights.precision == difference.precision,
    "a difference of shape \(difference.shape) and weights of \(weights.shape)")
  return SquareSum(scale: 1 / weights.detached.sum().item, weights: weights.detached).forward(difference)
}
