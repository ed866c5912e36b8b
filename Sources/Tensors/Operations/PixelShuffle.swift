/// Moves channels into space, or back: with factor r, y[b, c, h r + i, w r + j] = x[b, c r r + i r + j, h, w] (Shi et
/// al. 2016, eq. 4).
private struct PixelShuffle: Operation {
  let factor: Int
  /// Whether space moves into channels.
  let isInverse: Bool

  func forward(_ x: Tensor) -> Tensor {
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    return moved(x, isInverse: isInverse).recorded(
      self, from: x,
      as: { graph, inputs in
        let r = factor
        let (apart, order, together) =
          isInverse
          ? ([channels, height / r, r, width / r, r], [0, 1, 3, 5, 2, 4], [channels * r * r, height / r, width / r])
          : (
            [channels / (r * r), r, r, height, width], [0, 1, 4, 2, 5, 3], [channels / (r * r), height * r, width * r]
          )
        let moved = graph.apply("Transpose", [graph.reshape(inputs[0], apart)], ["perm": .integers(order)])
        return graph.reshape(moved, together)
      })
  }

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    step.add(moved(gradient, isInverse: !isInverse), to: 0)
  }

  private func moved(_ x: Tensor, isInverse: Bool) -> Tensor {
    x.precision == .float32 ? moved(x, isInverse, Float.self) : moved(x, isInverse, Double.self)
  }

  private func moved<S: TensorScalar>(_ x: Tensor, _ isInverse: Bool, _ type: S.Type) -> Tensor {
    let r = factor
    let s = x.shape
    let target: Shape =
      isInverse ? [s[0], s[1] * r * r, s[2] / r, s[3] / r] : [s[0], s[1] / (r * r), s[2] * r, s[3] * r]
    let (deep, wide) = isInverse ? (target, s) : (s, target)
    let (height, width) = (deep[2], deep[3])
    let source = x.elements(S.self)
    return Tensor(target, of: S.self) { y in
      Threads.divide(deep[0] * deep[1], elements: source.count) { planes in
        for plane in planes {
          let (image, tap) = (plane / (r * r), plane % (r * r))
          move(
            source, &y, isInverse, rows: height, columns: width, narrow: plane * height * width,
            spread: (image * wide[2] + tap / r) * wide[3] + tap % r)
        }
      }
    }
  }

  /// Moves one channel of the deep side, which is every r-th element of every r-th row of the wide side.
  @inline(never)
  private func move<S: TensorScalar>(
    _ source: Span<S>, _ y: inout MutableSpan<S>, _ isInverse: Bool, rows: Int, columns: Int, narrow: Int, spread: Int
  ) {
    let r = factor
    for row in 0..<rows {
      let deep = narrow + row * columns
      var wide = spread + row * r * r * columns
      if isInverse {
        for c in 0..<columns {
          unsafe y[unchecked: deep &+ c] = source[unchecked: wide]
          wide &+= r
        }
      } else {
        for c in 0..<columns {
          unsafe y[unchecked: wide] = source[unchecked: deep &+ c]
          wide &+= r
        }
      }
    }
  }
}

/// Moves channels into space: `[B, C r r, H, W]` to `[B, C, H r, W r]`, as PyTorch's `pixel_shuffle`.
public func pixelShuffled(_ x: Tensor, by factor: Int) -> Tensor {
  precondition(
    factor > 0 && x.shape.rank == 4 && x.shape[1].isMultiple(of: factor * factor),
    "the channels of \(x.shape) are not a multiple of \(factor) x \(factor)")
  return PixelShuffle(factor: factor, isInverse: false).forward(x)
}

/// Moves space into channels: `[B, C, H r, W r]` to `[B, C r r, H, W]`, as PyTorch's `pixel_unshuffle`.
public func pixelUnshuffled(_ x: Tensor, by factor: Int) -> Tensor {
  precondition(
    factor > 0 && x.shape.rank == 4 && x.shape[2].isMultiple(of: factor) && x.shape[3].isMultiple(of: factor),
    "height and width of \(x.shape) are not multiples of \(factor)")
  return PixelShuffle(factor: factor, isInverse: true).forward(x)
}
