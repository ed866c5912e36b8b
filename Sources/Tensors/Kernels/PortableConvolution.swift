/// The portable reference of a chain of convolutions: every link is a matrix product over unfolded patches.
///
/// With U(x) the patches of an image `[C, H, W]` as columns `[C k k, H' W']`, and U' its adjoint:
/// a convolution is y = W U(x), a transposed one y = U'(W' x), each plus bias.
struct PortableConvolutions: Operation {
  let chain: [Convolution]
  /// The input of every link.
  let activations: [Tensor]

  static func forward(_ x: Tensor, _ chain: [Convolution], _ weights: [Tensor], _ biases: [Tensor]) -> Tensor {
    var activations: [Tensor] = []
    var y = x.detached
    for (i, link) in chain.enumerated() {
      activations.append(y)
      y =
        x.precision == .float32
        ? link.values(y, weights[i], biases[i], Float.self) : link.values(y, weights[i], biases[i], Double.self)
    }
    return y.recorded(
      Self(chain: chain, activations: activations), from: [x] + weights + biases,
      as: { graph, inputs in chain.describe(inputs, in: &graph) })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    var dy = gradient
    var y = step.output
    for (i, link) in chain.enumerated().reversed() {
      let (x, weight) = (activations[i], step.input(1 + i))
      if link.rectified { dy = dy * y.positive }
      let needsInput = i > 0 || step.needs(0)
      let (dx, dweight) =
        x.precision == .float32
        ? link.gradients(dy, x, weight, needsInput: needsInput, Float.self)
        : link.gradients(dy, x, weight, needsInput: needsInput, Double.self)
      step.add(dweight, to: 1 + i)
      step.add(dy.sum(axis: 3).sum(axis: 2).sum(axis: 0), to: 1 + chain.count + i)
      if let dx { dy = dx }
      y = x
    }
    if step.needs(0) { step.add(dy, to: 0) }
  }
}

extension Convolution {
  /// The patches of the input of a convolution, or of the output of a transposed one.
  private func patches(_ input: Shape, _ output: Shape) -> Patches {
    let (wide, narrow) = kind == .forward ? (input, output) : (output, input)
    return Patches(
      channels: wide[1], height: wide[2], width: wide[3], rows: narrow[2], columns: narrow[3], kernel: kernel,
      stride: stride, padding: padding)
  }

  fileprivate func values<S: TensorScalar>(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ type: S.Type) -> Tensor {
    let (height, width) = outputSize(height: x.shape[2], width: x.shape[3])
    let shape: Shape = [x.shape[0], outputs, height, width]
    let patches = patches(x.shape, shape)
    let (inputSize, outputSize) = (x.shape.inner(0), shape.inner(0))
    let (weight, bias) = (weight.elements(S.self), bias.elements(S.self))
    let batch = x.shape[0]
    let x = x.elements(S.self)
    var columns = [S](repeating: 0, count: patches.unfoldedCount)
    return Tensor(shape, of: S.self) { y in
      var columns = columns.mutableSpan
      for b in 0..<batch {
        let image = x.extracting(b * inputSize..<(b + 1) * inputSize)
        var result = y._mutatingExtracting(b * outputSize..<(b + 1) * outputSize)
        switch kind {
        case .forward:
          patches.unfold(image, into: &columns)
          multiply(
            weight, transposed: false, columns.span, transposed: false, into: &result,
            m: outputs, n: patches.positions, k: patches.depth)
        case .transposed:
          multiply(
            weight, transposed: true, image, transposed: false, into: &columns,
            m: patches.depth, n: patches.positions, k: inputs)
          patches.fold(columns.span, into: &result)
        }
        let area = height * width
        for c in 0..<outputs {
          for i in c * area..<(c + 1) * area {
            let value = result[i] + bias[c]
            result[i] = rectified ? max(value, 0) : value
          }
        }
      }
    }
  }

  /// - Parameter gradient: with respect to the output before its ReLU.
  fileprivate func gradients<S: TensorScalar>(
    _ gradient: Tensor, _ x: Tensor, _ weight: Tensor, needsInput: Bool, _ type: S.Type
  ) -> (input: Tensor?, weight: Tensor) {
    let patches = patches(x.shape, gradient.shape)
    let (inputSize, outputSize) = (x.shape.inner(0), gradient.shape.inner(0))
    var dx = needsInput ? Tensor(uninitialized: x.shape, S.precision) : nil
    var dweight = Tensor.zeros(weightShape, S.precision)
    var unfolded = [S](repeating: 0, count: patches.unfoldedCount)
    let batch = x.shape[0]
    let (dy, x, weight) = (gradient.elements(S.self), x.elements(S.self), weight.elements(S.self))
    do {
      var columns = unfolded.mutableSpan
      for b in 0..<batch {
        let image = x.extracting(b * inputSize..<(b + 1) * inputSize)
        let dimage = dy.extracting(b * outputSize..<(b + 1) * outputSize)
        var dweight = dweight.freshElements(S.self)
        // dW = dY U(x)', or x U(dY)' if transposed
        patches.unfold(kind == .forward ? image : dimage, into: &columns)
        multiply(
          kind == .forward ? dimage : image, transposed: false, columns.span, transposed: true, into: &dweight,
          m: kind == .forward ? outputs : inputs, n: patches.depth, k: patches.positions, accumulate: true)
        guard dx != nil else { continue }
        // dx = U'(W' dY), or W U(dY) if transposed
        var all = dx!.freshElements(S.self)
        var target = all._mutatingExtracting(b * inputSize..<(b + 1) * inputSize)
        switch kind {
        case .forward:
          multiply(
            weight, transposed: true, dimage, transposed: false, into: &columns,
            m: patches.depth, n: patches.positions, k: outputs)
          patches.fold(columns.span, into: &target)
        case .transposed:
          multiply(
            weight, transposed: false, columns.span, transposed: false, into: &target,
            m: inputs, n: patches.positions, k: patches.depth)
        }
      }
    }
    return (dx, dweight)
  }
}

/// The square patches of an image, unfolded into the columns of a matrix and folded back.
private struct Patches {
  let channels: Int
  let height: Int
  let width: Int
  /// The numbers of patches along height and width.
  let rows: Int
  let columns: Int
  let kernel: Int
  let stride: Int
  let padding: Int

  /// Elements of one patch.
  var depth: Int { channels * kernel * kernel }
  var positions: Int { rows * columns }
  var unfoldedCount: Int { depth * positions }

  func unfold<S: TensorScalar>(_ image: Span<S>, into target: inout MutableSpan<S>) {
    precondition(image.count == channels * height * width && target.count == unfoldedCount, "patches of another image")
    forEachRow { at, from, inside, step in
      for i in 0..<columns { unsafe target[unchecked: at + i] = 0 }
      for i in inside { unsafe target[unchecked: at + i] = image[unchecked: from + i * step] }
    }
  }

  /// Adds every element of the columns to the pixel it was taken from.
  func fold<S: TensorScalar>(_ unfolded: Span<S>, into image: inout MutableSpan<S>) {
    precondition(
      image.count == channels * height * width && unfolded.count == unfoldedCount, "patches of another image")
    for i in 0..<image.count { image[i] = 0 }
    forEachRow { at, from, inside, step in
      for i in inside { unsafe image[unchecked: from + i * step] += unfolded[unchecked: at + i] }
    }
  }

  /// Calls `body` for each row of patches and each element of a patch, with the index where the row starts in the
  /// columns, the index of its first element in the image, the patches whose element is inside the image, and the step
  /// to the element of the next patch.
  @inline(__always)
  private func forEachRow(_ body: (_ at: Int, _ from: Int, _ inside: Range<Int>, _ step: Int) -> Void) {
    for depth in 0..<depth {
      let (c, ky, kx) = (depth / (kernel * kernel), depth / kernel % kernel, depth % kernel)
      // 0 <= column * stride + kx - padding < width
      let first = max(0, (padding - kx + stride - 1) / stride)
      let end = max(first, min(columns, (width - 1 + padding - kx + stride) / stride))
      for row in 0..<rows {
        let y = row * stride + ky - padding
        body(
          (depth * rows + row) * columns, (c * height + y) * width + kx - padding,
          y >= 0 && y < height ? first..<end : first..<first, stride)
      }
    }
  }
}

extension Tensor {
  /// 1 where an element is positive, else 0.
  var positive: Tensor {
    func steps<S: TensorScalar>(_ type: S.Type) -> Tensor {
      let x = elements(S.self)
      return Tensor(shape, of: S.self) { y in for i in 0..<y.count { y[i] = x[i] > 0 ? 1 : 0 } }
    }
    return precision == .float32 ? steps(Float.self) : steps(Double.self)
  }
}
