extension Span where Element: TensorScalar {
  /// The sum of `count` elements from `start`, in eight lanes: a single accumulator would not vectorise.
  @inline(__always)
  func sum(from start: Int, count: Int) -> Element {
    var lanes = SIMD8<Element>(repeating: 0)
    var i = start
    let end = start + count
    while i + 8 <= end {
      lanes += vector(at: i)
      i += 8
    }
    var total = lanes.sum()
    while i < end {
      unsafe total += self[unchecked: i]
      i += 1
    }
    return total
  }

  /// The sum of products of `count` elements of both, from `start` and `otherStart`.
  @inline(__always)
  func dot(_ other: Span<Element>, from start: Int, _ otherStart: Int, count: Int) -> Element {
    var lanes = SIMD8<Element>(repeating: 0)
    var i = 0
    while i + 8 <= count {
      lanes += vector(at: start + i) * other.vector(at: otherStart + i)
      i += 8
    }
    var total = lanes.sum()
    while i < count {
      unsafe total += self[unchecked: start + i] * other[unchecked: otherStart + i]
      i += 1
    }
    return total
  }

  /// The largest of `count` elements from `start`.
  @inline(__always)
  func largest(from start: Int, count: Int) -> Element {
    var best = self[start]
    for i in (start + 1)..<max(start + count, start + 1) { unsafe best = Swift.max(best, self[unchecked: i]) }
    return best
  }
}
