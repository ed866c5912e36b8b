/// y_i = x_{index(i)}: rows of a matrix. The same row may be selected several times.
struct RowSelection: Operation {
  let indices: [Int]
  let rows: Int

  func forward(_ x: Tensor) -> Tensor { x.detached.gatheringRows(indices).recorded(self, from: x) }

  // dx_j = Σ dy_i over the i with index(i) = j
  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    step.add(
      gradient.precision == .float32 ? scattered(gradient, Float.self) : scattered(gradient, Double.self), to: 0)
  }

  private func scattered<S: TensorScalar>(_ gradient: Tensor, _ type: S.Type) -> Tensor {
    let columns = gradient.shape[1]
    var result = Tensor.zeros([rows, columns], gradient.precision)
    let from = gradient.elements(S.self)
    var into = result.mutableElements(S.self)
    for (i, row) in indices.enumerated() {
      for c in 0..<columns { into[row * columns + c] += from[i * columns + c] }
    }
    return result
  }
}

extension Tensor {
  /// Selects rows of a matrix by their indices, with gradients: `[N, C]` and B indices to `[B, C]`.
  public func selectingRows(_ indices: [Int]) -> Tensor {
    RowSelection(indices: indices, rows: shape[0]).forward(self)
  }
}
