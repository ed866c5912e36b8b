// Operations that move elements without changing them.

/// The same elements under another shape.
private struct Reshape: Operation {
  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let shape = step.input(0).shape
    step.add(gradient.viewed(as: shape), to: 0)
  }
}

/// y[..., i_{p(0)}, i_{p(1)}, ...] = x[..., i_0, i_1, ...].
private struct Permute: Operation {
  /// For each axis of the output, the axis of the input.
  let order: SIMD4<UInt8>

  func forward(_ x: Tensor) -> Tensor {
    let rank = x.shape.rank
    return moved(x, order).recorded(
      self, from: x,
      as: { graph, inputs in
        graph.apply("Transpose", inputs, ["perm": .integers((0..<rank).map { Int(order[$0]) })])
      })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    var inverse = SIMD4<UInt8>()
    for axis in 0..<gradient.shape.rank { inverse[Int(order[axis])] = UInt8(axis) }
    step.add(moved(gradient, inverse), to: 0)
  }

  private func moved(_ x: Tensor, _ order: SIMD4<UInt8>) -> Tensor {
    x.precision == .float32 ? moved(x, order, Float.self) : moved(x, order, Double.self)
  }

  private func moved<S: TensorScalar>(_ x: Tensor, _ order: SIMD4<UInt8>, _ type: S.Type) -> Tensor {
    let rank = x.shape.rank
    var shape = x.shape
    // Missing leading axes have extent 1.
    var extents = SIMD4<Int>(repeating: 1)
    var strides = SIMD4<Int>(repeating: 0)
    for axis in 0..<rank {
      let from = Int(order[axis])
      shape[axis] = x.shape[from]
      extents[4 - rank + axis] = x.shape[from]
      strides[4 - rank + axis] = x.shape.inner(from)
    }
    let source = x.elements(S.self)
    return Tensor(shape, of: S.self) { target in
      var at = 0
      for i in 0..<extents[0] {
        for j in 0..<extents[1] {
          for k in 0..<extents[2] {
            let start = i * strides[0] + j * strides[1] + k * strides[2]
            for l in 0..<extents[3] { unsafe target[unchecked: at + l] = source[unchecked: start + l * strides[3]] }
            at += extents[3]
          }
        }
      }
    }
  }
}

/// Joins tensors along the last axis.
private struct Concatenate: Operation {
  /// The columns from the first part that is a variable to the last.
  let neededColumns: Range<Int>?

  static func forward(_ parts: [Tensor]) -> Tensor {
    let rows = parts[0].shape.rows
    for part in parts {
      precondition(
        part.shape.rows == rows && part.precision == parts[0].precision,
        "cannot concatenate \(parts[0].shape) \(parts[0].precision) and \(part.shape) \(part.precision)")
    }
    var shape = parts[0].shape
    shape[-1] = parts.reduce(0) { $0 + $1.shape[-1] }
    let y =
      parts[0].precision == .float32 ? joined(parts, shape, Float.self) : joined(parts, shape, Double.self)
    return y.recorded(
      Concatenate(neededColumns: variableColumns(of: parts)), from: parts,
      as: { graph, inputs in graph.apply("Concat", inputs, ["axis": .integer(-1)]) })
  }

  private static func variableColumns(of parts: [Tensor]) -> Range<Int> {
    var (lower, upper, start) = (Int.max, 0, 0)
    for part in parts {
      let end = start + part.shape[-1]
      if part.isVariable { (lower, upper) = (min(lower, start), end) }
      start = end
    }
    return min(lower, upper)..<upper
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    var start = 0
    for i in 0..<step.inputCount {
      let width = step.input(i).shape[-1]
      step.add(gradient.columns(start..<start + width), to: i)
      start += width
    }
  }

  private static func joined<S: TensorScalar>(_ parts: [Tensor], _ shape: Shape, _ type: S.Type) -> Tensor {
    var result = Tensor(uninitialized: shape, parts[0].precision)
    let size = MemoryLayout<S>.stride
    var start = 0
    for part in parts {
      let width = part.shape[-1]
      for row in 0..<shape.rows {
        result.copyBytes(
          of: part, from: row * width * size, to: (row * shape[-1] + start) * size, count: width * size)
      }
      start += width
    }
    return result
  }
}

/// A range of the last axis.
private struct Columns: Operation {
  let start: Int
  let width: Int

  func forward(_ x: Tensor) -> Tensor {
    (x.precision == .float32 ? cut(x, Float.self) : cut(x, Double.self)).recorded(
      self, from: x, as: { graph, inputs in graph.columns(inputs[0], start..<start + width) })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let shape = step.input(0).shape
    step.add(
      gradient.precision == .float32 ? padded(gradient, shape, Float.self) : padded(gradient, shape, Double.self),
      to: 0)
  }

  private func cut<S: TensorScalar>(_ x: Tensor, _ type: S.Type) -> Tensor {
    var shape = x.shape
    shape[-1] = width
    let columns = x.shape[-1]
    let source = x.elements(S.self)
    return Tensor(shape, of: S.self) { target in
      for row in 0..<shape.rows {
        let from = row * columns + start
        for c in 0..<width { unsafe target[unchecked: row * width + c] = source[unchecked: from + c] }
      }
    }
  }

  fileprivate func padded<S: TensorScalar>(_ gradient: Tensor, _ shape: Shape, _ type: S.Type) -> Tensor {
    let columns = shape[-1]
    let source = gradient.elements(S.self)
    return Tensor(shape, of: S.self) { target in
      for i in 0..<target.count { unsafe target[unchecked: i] = 0 }
      for row in 0..<shape.rows {
        let at = row * columns + start
        for c in 0..<width { unsafe target[unchecked: at + c] = source[unchecked: row * width + c] }
      }
    }
  }
}

/// One element of each row: y[b] = x[b, index[b]].
private struct Pick: Operation {
  let indices: [Int]

  func forward(_ x: Tensor) -> Tensor {
    precondition(
      x.shape.rank == 2 && indices.count == x.shape[0], "\(indices.count) indices for a tensor of shape \(x.shape)")
    precondition(
      indices.allSatisfy { $0 >= 0 && $0 < x.shape[1] }, "an index is outside the \(x.shape[1]) columns")
    return (x.precision == .float32 ? picked(x, Float.self) : picked(x, Double.self)).recorded(self, from: x)
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let shape = step.input(0).shape
    step.add(
      gradient.precision == .float32 ? placed(gradient, shape, Float.self) : placed(gradient, shape, Double.self),
      to: 0)
  }

  private func picked<S: TensorScalar>(_ x: Tensor, _ type: S.Type) -> Tensor {
    let columns = x.shape[1]
    let source = x.elements(S.self)
    return Tensor([indices.count, 1], of: S.self) { target in
      for row in 0..<indices.count { target[row] = source[row * columns + indices[row]] }
    }
  }

  private func placed<S: TensorScalar>(_ gradient: Tensor, _ shape: Shape, _ type: S.Type) -> Tensor {
    let source = gradient.elements(S.self)
    return Tensor(shape, of: S.self) { target in
      for i in 0..<target.count { unsafe target[unchecked: i] = 0 }
      for row in 0..<indices.count { target[row * shape[1] + indices[row]] = source[row] }
    }
  }
}

extension Tensor {
  /// The same elements under another shape of equal count. One extent may be -1: it is computed from the others.
  public func reshaped(_ extents: Int...) -> Tensor {
    var extents = extents
    if let free = extents.firstIndex(of: -1) {
      let known = extents.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
      extents[free] = known == 0 ? 0 : shape.count / known
    }
    return reshaped(Shape(extents))
  }

  public func reshaped(_ target: Shape) -> Tensor {
    precondition(target.count == shape.count, "cannot reshape a tensor of shape \(shape) to \(target)")
    return viewed(as: target).recorded(
      Reshape(), from: self,
      as: { graph, inputs in graph.reshape(inputs[0], (1..<max(target.rank, 1)).map { target[$0] }) })
  }

  /// Reorders the axes: axis `i` of the result is axis `order[i]` of this tensor.
  public func permuted(_ order: Int...) -> Tensor {
    precondition(
      order.sorted() == Array(0..<shape.rank), "\(order) is not a permutation of the axes of a tensor of shape \(shape)"
    )
    var packed = SIMD4<UInt8>()
    for (axis, from) in order.enumerated() { packed[axis] = UInt8(from) }
    return Permute(order: packed).forward(self)
  }

  /// The transpose of a matrix.
  public var transposed: Tensor { permuted(1, 0) }

  /// A range of the last axis.
  public func columns(_ range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= shape[-1], "columns \(range) of a tensor of shape \(shape)")
    return Columns(start: range.lowerBound, width: range.count).forward(self)
  }

  /// A range of the first axis, as a constant copy.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of a tensor of shape \(shape)")
    var target = shape
    target[0] = range.count
    let width = shape.inner(0)
    var result = Tensor(uninitialized: target, precision)
    let (from, count) = (range.lowerBound * width * precision.byteCount, range.count * width * precision.byteCount)
    result.copyBytes(of: self, from: from, count: count)
    return result
  }

  /// Rows of a matrix by their indices, as a constant copy: `[N, C]` and B indices to `[B, C]`.
  public func gatheringRows(_ indices: [Int]) -> Tensor {
    precondition(shape.rank == 2, "rows are gathered from a matrix, not from a tensor of shape \(shape)")
    let width = shape[1] * precision.byteCount
    var result = Tensor(uninitialized: Shape(indices.count, shape[1]), precision)
    for (row, index) in indices.enumerated() {
      precondition(index >= 0 && index < shape[0], "row \(index) of a tensor of shape \(shape)")
      result.copyBytes(of: self, from: index * width, to: row * width, count: width)
    }
    return result
  }

  /// Copies the rows of a matrix to the given rows of a taller one, whose other rows are zero. The result is a
  /// constant. The inverse of `gatheringRows`.
  func scatteringRows(to indices: [Int], of rows: Int) -> Tensor {
    let width = shape[1] * precision.byteCount
    var result = Tensor.zeros(Shape(rows, shape[1]), precision)
    for (row, index) in indices.enumerated() {
      result.copyBytes(of: self, from: row * width, to: index * width, count: width)
    }
    return result
  }

  /// Copies a matrix to columns of a wider one, whose other columns are zero. The result is a constant.
  func placed(at start: Int, ofColumns columns: Int) -> Tensor {
    let operation = Columns(start: start, width: shape[-1])
    return precision == .float32
      ? operation.padded(self, [shape[0], columns], Float.self)
      : operation.padded(self, [shape[0], columns], Double.self)
  }

  /// Returns the indices of a matrix's rows that are not all zero, and of some zero rows to make their number a
  /// multiple of `group`.
  ///
  /// - Returns: nil if there are more than `limit`; then no list is allocated.
  func nonzeroRows(multipleOf group: Int, atMost limit: Int) -> [Int]? {
    precision == .float32 ? nonzeroRows(group, limit, Float.self) : nonzeroRows(group, limit, Double.self)
  }

  private func nonzeroRows<S: TensorScalar>(_ group: Int, _ limit: Int, _ type: S.Type) -> [Int]? {
    let (rows, columns) = (shape[0], shape[1])
    let x = elements(S.self)
    func isZero(_ row: Int) -> Bool {
      var c = row * columns
      let end = c + columns
      while c < end, unsafe x[unchecked: c] == 0 { c += 1 }
      return c == end
    }
    var count = 0
    for row in 0..<rows where !isZero(row) { count += 1 }
    var spare = min((group - count % group) % group, rows - count)
    guard count + spare <= limit else { return nil }
    var found: [Int] = []
    found.reserveCapacity(count + spare)
    for row in 0..<rows {
      if isZero(row) {
        guard spare > 0 else { continue }
        spare -= 1
      }
      found.append(row)
    }
    return found
  }

  fileprivate mutating func copyBytes(of source: Tensor, from offset: Int, to target: Int = 0, count: Int) {
    unsafe (storage.base + target).copyMemory(from: source.storage.base + offset, byteCount: count)
  }

  /// One element of each row of a matrix: `[B, C]` and B indices to `[B, 1]`.
  public func picking(_ indices: [Int]) -> Tensor { Pick(indices: indices).forward(self) }
}

/// Joins tensors along the last axis: `[B, M]` and `[B, N]` to `[B, M + N]`.
public func concatenated(_ parts: Tensor...) -> Tensor { concatenated(parts) }

public func concatenated(_ parts: [Tensor]) -> Tensor {
  precondition(!parts.isEmpty, "nothing to concatenate")
  return Concatenate.forward(parts)
}
