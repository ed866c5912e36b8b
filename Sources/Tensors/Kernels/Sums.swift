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

  /// The sum of products of `count` elements of all three, from `start`.
  @inline(__always)
  func dot(_ second: Span<Element>, _ third: Span<Element>, from start: Int, count: Int) -> Element {
    var lanes = SIMD8<Element>(repeating: 0)
    var i = start
    while i + 8 <= start + count {
      lanes += vector(at: i) * second.vector(at: i) * third.vector(at: i)
      i += 8
    }
    var total = lanes.sum()
    while i < start + count {
      unsafe total += self[unchecked: i] * second[unchecked: i] * third[unchecked: i]
      i += 1
    }
    return total
  }

  /// The largest of `count` elements from `start`.
  @inline(__always)
  func largest(from start: Int, count: Int) -> Element {
    // Four at once, because each comparison depends on the one before.
    var (a, b, c, d) = (self[start], self[start], self[start], self[start])
    var i = start
    while i + 4 <= start + count {
      unsafe a = self[unchecked: i] > a ? self[unchecked: i] : a
      unsafe b = self[unchecked: i + 1] > b ? self[unchecked: i + 1] : b
      unsafe c = self[unchecked: i + 2] > c ? self[unchecked: i + 2] : c
      unsafe d = self[unchecked: i + 3] > d ? self[unchecked: i + 3] : d
      i += 4
    }
    while i < start + count {
      unsafe a = Swift.max(a, self[unchecked: i])
      i += 1
    }
    return Swift.max(Swift.max(a, b), Swift.max(c, d))
  }
}
