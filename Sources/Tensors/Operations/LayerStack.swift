/// Linear layers with an activation between them, as one operation. The output is linear.
///
/// Each thread takes its own rows through all layers, and on the way back again. So the threads wait for each other once
/// for a network instead of once for each layer, and the values between two layers stay in the core's cache.
///
/// With h_0 = x, z_i = h_{i-1} W_iᵀ + b_i and h_i = ReLU(z_i), or f(LayerNorm(z_i)):
///
///     dz_i = dh_i f'(h_i) (through LayerNorm),  dh_{i-1} = dz_i W_i,  dW_i = dz_iᵀ h_{i-1},  db_i = Σ dz_i
private struct LayerStack: Operation {
  /// B
  let rows: Int
  /// The number of layers, the output layer included.
  let depth: Int
  let x: Tensor
  /// W_1, b_1, W_2, b_2, ..., then weight and bias of each LayerNorm.
  let parameters: [Tensor]
  let norm: LayerNormRows?
  /// z_i, if there is a LayerNorm, and h_i of each hidden layer, end to end.
  let hidden: Tensor

  static func forward(_ x: Tensor, _ parameters: [Tensor], depth: Int, norm: LayerNormRows?) -> Tensor {
    var (width, hiddenCount) = (x.shape[-1], 0)
    for layer in 0..<depth {
      let (weight, bias) = (parameters[2 * layer].shape, parameters[2 * layer + 1].shape)
      precondition(
        x.shape.rank == 2 && weight.rank == 2 && weight[1] == width && weight[1] > 0 && bias == [weight[0]],
        "layer \(layer) of \(x.shape) with weight \(weight) and bias \(bias) after a width of \(width)")
      width = weight[0]
      if layer < depth - 1 { hiddenCount += x.shape[0] * width * (norm == nil ? 1 : 2) }
    }
    let stack = LayerStack(
      rows: x.shape[0], depth: depth, x: x.detached, parameters: parameters, norm: norm,
      hidden: Tensor(uninitialized: Shape(hiddenCount), x.precision))
    let y = Tensor(uninitialized: Shape(x.shape[0], width), x.precision)
    if x.precision == .float32 { stack.fill(y, Float.self) } else { stack.fill(y, Double.self) }
    return y.recorded(stack, from: x, parameters, as: { graph, inputs in stack.describe(inputs, in: &graph) })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    if gradient.precision == .float32 {
      backward(gradient, &step, Float.self)
    } else {
      backward(gradient, &step, Double.self)
    }
  }

  private func backward<S: TensorScalar>(_ gradient: Tensor, _ step: inout BackwardStep, _ type: S.Type) {
    let columns = step.needs(0) ? step.neededColumns(of: 0) : 0..<0
    guard (1..<step.inputCount).contains(where: { step.needs($0) }) else {
      // With the minimum of two critics' values, the gradient of the larger one is zero: those rows are left out. In
      // groups, so that only a few sizes of memory are requested.
      if let others = gradient.nonzeroRows(multipleOf: 32, atMost: rows - rows / 4 - 1) {
        let part = selecting(others)
        step.add(
          part.gradients(gradient.gatheringRows(others), columns, S.self).x.scatteringRows(to: others, of: rows), to: 0)
      } else {
        step.add(gradients(gradient, columns, S.self).x, to: 0)
      }
      return
    }
    let (dx, slopes, sums) = gradients(gradient, columns, S.self)
    if step.needs(0) { step.add(dx, to: 0) }
    let shares = parameterGradients(gradient, slopes, sums, S.self)
    for i in shares.indices { step.add(shares[i], to: 1 + i) }
  }

  private func describe(_ inputs: [Graph.Value], in graph: inout Graph) -> Graph.Value {
    let parameters = inputs[1...]
    var h = inputs[0]
    for layer in 1...depth {
      let weights = parameters.dropFirst(2 * layer - 2).prefix(2)
      h = graph.apply("Gemm", [h] + weights, ["transB": .integer(1)])
      if layer == depth { break }
      if let norm {
        h = norm.describe([h] + parameters.dropFirst(2 * (depth + layer) - 2).prefix(2), in: &graph)
      } else {
        h = graph.activated(h, by: .relu)
      }
    }
    return h
  }

  // MARK: - Passes

  /// Writes y and `hidden`.
  private func fill<S: TensorScalar>(_ y: Tensor, _ type: S.Type) {
    Threads.divide(rows, grain: 16, elements: passElements) { part in
      for layer in 1...depth {
        let isLast = layer == depth
        let z = unsafe isLast ? y.matrix(S.self, columns: width(layer)) : linearOutput(layer, S.self)
        unsafe multiplyPart(
          output(layer - 1, S.self).from(row: part.lowerBound), weight(layer, S.self, isTransposed: true),
          into: z.from(row: part.lowerBound), m: part.count, n: width(layer), k: width(layer - 1))
        var values = unsafe z.elements(rows: rows)
        addBias(&values, part, bias(layer).elements(S.self), floor: isLast || norm != nil ? -.infinity : 0)
        guard let norm, !isLast else { continue }
        var normalized = unsafe output(layer, S.self).elements(rows: rows)
        norm.normalize(values.span, scale(layer).elements(S.self), shift(layer).elements(S.self), &normalized, part)
      }
    }
  }

  /// The gradients with respect to x and to the outputs z_i of the hidden layers' products.
  ///
  /// - Parameter columns: those of the gradient of x that are needed; the others become 0.
  /// - Returns: `slopes` has dz_i of each hidden layer, end to end, and `sums` the gradients of each LayerNorm's weight
  ///   and bias, summed over blocks of rows.
  private func gradients<S: TensorScalar>(
    _ gradient: Tensor, _ columns: Range<Int>, _ type: S.Type
  ) -> (x: Tensor, slopes: Tensor, sums: Tensor) {
    let blocks = RowBlocks(rows: rows)
    let hiddenWidth = (1..<depth).reduce(0) { $0 + width($1) }
    let slopes = Tensor(uninitialized: Shape(rows * hiddenWidth), gradient.precision)
    let sums = Tensor(uninitialized: Shape(norm == nil ? 0 : 2 * blocks.count * hiddenWidth), gradient.precision)
    let dx = Tensor(uninitialized: columns.isEmpty ? Shape(0, 0) : Shape(rows, width(0)), gradient.precision)
    Threads.divide(blocks.count, elements: passElements) { part in
      let rows = blocks[part.lowerBound].lowerBound..<blocks[part.upperBound - 1].upperBound
      for layer in stride(from: depth, through: 2, by: -1) {
        let above = unsafe slope(layer, gradient, slopes, S.self)
        let below = unsafe slope(layer - 1, gradient, slopes, S.self)
        unsafe multiplyPart(
          above.from(row: rows.lowerBound), weight(layer, S.self), into: below.from(row: rows.lowerBound),
          m: rows.count, n: width(layer - 1), k: width(layer))
        var values = unsafe below.elements(rows: self.rows)
        let y = unsafe output(layer - 1, S.self).elements(rows: self.rows)
        guard let norm else {
          cutGradient(&values, by: y.span, rows.lowerBound * width(layer - 1)..<rows.upperBound * width(layer - 1))
          continue
        }
        let x = unsafe linearOutput(layer - 1, S.self).elements(rows: self.rows)
        for block in part {
          var dweight = unsafe blockSums(sums, layer - 1, block, S.self)
          var dbias = unsafe blockSums(sums, layer - 1, blocks.count + block, S.self)
          norm.backward(
            x.span, y.span, scale(layer - 1).elements(S.self), &values, &dweight, &dbias, blocks[block])
        }
      }
      guard !columns.isEmpty else { return }
      let target = unsafe dx.matrix(S.self, columns: width(0))
      if columns.count < width(0) {
        var values = unsafe target.elements(rows: self.rows)
        for i in rows.lowerBound * width(0)..<rows.upperBound * width(0) { unsafe values[unchecked: i] = 0 }
      }
      unsafe multiplyPart(
        slope(1, gradient, slopes, S.self).from(row: rows.lowerBound),
        weight(1, S.self).from(row: 0, column: columns.lowerBound),
        into: target.from(row: rows.lowerBound, column: columns.lowerBound), m: rows.count, n: columns.count,
        k: width(1))
    }
    return (dx, slopes, sums)
  }

  /// The gradients with respect to the parameters, in their order.
  private func parameterGradients<S: TensorScalar>(
    _ gradient: Tensor, _ slopes: Tensor, _ sums: Tensor, _ type: S.Type
  ) -> [Tensor] {
    let results = parameters.map { Tensor(uninitialized: $0.shape, $0.precision) }
    let blocks = RowBlocks(rows: rows)
    let shares = 16  // of each layer's outputs; each thread takes some of them
    Threads.divide(shares, elements: passElements) { part in
      for layer in 1...depth {
        let outputs = width(layer)
        let part = outputs * part.lowerBound / shares..<outputs * part.upperBound / shares
        if part.isEmpty { continue }
        var slope = unsafe slope(layer, gradient, slopes, S.self)
        var sum = unsafe results[2 * layer - 1].matrix(S.self, columns: outputs).elements(rows: 1)
        let values = unsafe slope.elements(rows: rows)
        sumColumns(values.span, into: &sum, part)
        unsafe slope.isTransposed = true
        unsafe multiplyPart(
          slope.from(row: 0, column: part.lowerBound), output(layer - 1, S.self),
          into: results[2 * layer - 2].matrix(S.self, columns: width(layer - 1)).from(row: part.lowerBound),
          m: part.count, n: width(layer - 1), k: rows)
        guard norm != nil, layer < depth else { continue }
        for i in 0..<2 {
          let all = unsafe blockSums(sums, layer, i * blocks.count, count: blocks.count, S.self)
          var sum = unsafe results[2 * (depth + layer - 1) + i].matrix(S.self, columns: outputs).elements(rows: 1)
          sumColumns(all.span, into: &sum, part)
        }
      }
    }
    return results
  }

  /// The passes over some of the rows only. Without x, so that there are no gradients of the parameters.
  private func selecting(_ chosen: [Int]) -> LayerStack {
    let part = LayerStack(
      rows: chosen.count, depth: depth, x: x, parameters: parameters, norm: norm,
      hidden: Tensor(uninitialized: Shape(hidden.shape.count / rows * chosen.count), hidden.precision))
    let bytes = hidden.precision.byteCount
    var column = 0
    for layer in 1..<depth {
      for _ in 0..<(norm == nil ? 1 : 2) {
        let size = width(layer) * bytes
        for (row, index) in chosen.enumerated() {
          unsafe (part.hidden.storage.base + (chosen.count * column * bytes + row * size)).copyMemory(
            from: hidden.storage.base + (rows * column * bytes + index * size), byteCount: size)
        }
        column += width(layer)
      }
    }
    return part
  }

  // MARK: - Where the values are

  /// The elements of a pass through memory that takes about as long as the products of the forward pass.
  private var passElements: Int {
    Tensors.passElements(ofMultiplications: (1...depth).reduce(0) { $0 + rows * width($1 - 1) * width($1) })
  }

  /// The size of layer 1, 2, ...; 0 is the input.
  private func width(_ layer: Int) -> Int { layer == 0 ? x.shape[1] : parameters[2 * layer - 2].shape[0] }
  private func bias(_ layer: Int) -> Tensor { parameters[2 * layer - 1] }
  private func scale(_ layer: Int) -> Tensor { parameters[2 * (depth + layer) - 2] }
  private func shift(_ layer: Int) -> Tensor { parameters[2 * (depth + layer) - 1] }

  @unsafe private func weight<S: TensorScalar>(
    _ layer: Int, _ type: S.Type, isTransposed: Bool = false
  ) -> MatrixPart<S> {
    var weight = unsafe parameters[2 * layer - 2].matrix(S.self, columns: width(layer - 1))
    unsafe weight.isTransposed = isTransposed
    return unsafe weight
  }

  /// h_i, `[B, width]`.
  @unsafe private func output<S: TensorScalar>(_ layer: Int, _ type: S.Type) -> MatrixPart<S> {
    layer == 0
      ? unsafe x.matrix(S.self, columns: width(0))
      : unsafe linearOutput(layer, S.self).from(row: norm == nil ? 0 : rows)
  }

  /// z_i of a hidden layer, `[B, width]`; without a LayerNorm h_i, because ReLU is computed in place.
  @unsafe private func linearOutput<S: TensorScalar>(_ layer: Int, _ type: S.Type) -> MatrixPart<S> {
    unsafe hidden.matrix(
      S.self, columns: width(layer), at: rows * columnsBefore(layer) * (norm == nil ? 1 : 2))
  }

  /// dz_i, `[B, width]`.
  @unsafe private func slope<S: TensorScalar>(
    _ layer: Int, _ gradient: Tensor, _ slopes: Tensor, _ type: S.Type
  ) -> MatrixPart<S> {
    layer == depth
      ? unsafe gradient.matrix(S.self, columns: width(layer))
      : unsafe slopes.matrix(S.self, columns: width(layer), at: rows * columnsBefore(layer))
  }

  /// The sums of a LayerNorm's gradients over `count` blocks of rows: `[count, width]`.
  @_lifetime(borrow sums)
  @unsafe private func blockSums<S: TensorScalar>(
    _ sums: Tensor, _ layer: Int, _ block: Int, count: Int = 1, _ type: S.Type
  ) -> MutableSpan<S> {
    let start = 2 * RowBlocks(rows: rows).count * columnsBefore(layer)
    let span = unsafe sums.matrix(S.self, columns: width(layer), at: start).from(row: block).elements(rows: count)
    return unsafe _overrideLifetime(span, borrowing: sums)
  }

  /// The sum of the hidden layers' widths before a layer.
  private func columnsBefore(_ layer: Int) -> Int { (1..<layer).reduce(0) { $0 + width($1) } }
}

extension Tensor {
  /// The elements from an offset as a matrix. The caller keeps the tensor alive, and writes only to a tensor that it has
  /// just created.
  @unsafe fileprivate func matrix<S: TensorScalar>(
    _ type: S.Type, columns: Int, at offset: Int = 0
  ) -> MatrixPart<S> {
    precondition(S.precision == precision, "a \(precision) tensor cannot be read as \(S.self)")
    return unsafe MatrixPart(base: storage.base.assumingMemoryBound(to: S.self) + offset, stride: columns)
  }
}

extension MatrixPart {
  /// The elements of a whole matrix.
  @_lifetime(immortal)
  fileprivate func elements(rows: Int) -> MutableSpan<S> {
    let span = unsafe MutableSpan(_unsafeStart: base, count: rows * stride)
    return unsafe _overrideLifetime(span, copying: ())
  }
}

/// Linear layers with ReLU between them, or a LayerNorm and an activation if it is given: `[B, I]` to `[B, O]`.
///
/// - Parameters:
///   - parameters: weight `[O, I]` and bias `[O]` of each layer, in turns, then weight and bias of the LayerNorm of each
///     hidden layer, or nothing more.
///   - layers: the number of layers, the output layer included.
///   - activation: what follows each LayerNorm; ReLU without one.
public func layerStack(
  _ x: Tensor, _ parameters: [Tensor], layers: Int, activation: Activation = .relu, epsilon: Double = 1e-5
) -> Tensor {
  precondition(
    layers >= 1 && [2 * layers, 4 * layers - 2].contains(parameters.count),
    "a stack of \(layers) layers with \(parameters.count) parameters")
  precondition(
    activation == .relu || parameters.count > 2 * layers || layers == 1, "without a LayerNorm only ReLU follows")
  return LayerStack.forward(
    x, parameters, depth: layers,
    norm: parameters.count == 2 * layers ? nil : LayerNormRows(epsilon: epsilon, activation: activation))
}
