#if OneDNN
  import CDNNL
#endif

/// A matrix or a part of one, at an address: its rows are `stride` elements apart.
@unsafe struct MatrixPart<S: TensorScalar> {
  let base: UnsafeMutablePointer<S>
  let stride: Int
  /// Whether a product reads it with rows and columns exchanged.
  var isTransposed = false

  /// The matrix from this row and column on, which it counts as it is stored.
  func from(row: Int, column: Int = 0) -> MatrixPart {
    unsafe MatrixPart(base: base + (row * stride + column), stride: stride, isTransposed: isTransposed)
  }
}

/// C = A B (+ C), row-major; a transposed operand is read with rows and columns exchanged.
///
/// Each thread computes its own rows or columns of C, whichever there are more of, with a product of one thread: for the
/// sizes of a batch that is faster than oneDNN's own division.
///
/// - Parameters:
///   - m, n, k: C is `[m, n]`, A `[m, k]` (or `[k, m]` if transposed), B `[k, n]` (or `[n, k]` if transposed).
///   - accumulate: whether the product is added to C.
func multiply<S: TensorScalar>(
  _ a: Span<S>, transposed transposedA: Bool, _ b: Span<S>, transposed transposedB: Bool, into c: inout MutableSpan<S>,
  m: Int, n: Int, k: Int, accumulate: Bool = false
) {
  precondition(
    a.count == m * k && b.count == k * n && c.count == m * n,
    "a product [\(m), \(k)] [\(k), \(n)] does not fit \(a.count), \(b.count) and \(c.count) elements")
  guard m > 0 && n > 0 else { return }
  guard k > 0 else {
    if !accumulate { for i in 0..<c.count { c[i] = 0 } }
    return
  }
  unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      unsafe c.withUnsafeMutableBufferPointer { c in
        let a = unsafe MatrixPart(
          base: UnsafeMutablePointer(mutating: a.baseAddress!), stride: transposedA ? m : k, isTransposed: transposedA)
        let b = unsafe MatrixPart(
          base: UnsafeMutablePointer(mutating: b.baseAddress!), stride: transposedB ? k : n, isTransposed: transposedB)
        let c = unsafe MatrixPart(base: c.baseAddress!, stride: n)
        let byRows = m >= n
        Threads.divide(byRows ? m : n, grain: 16, elements: passElements(ofMultiplications: m * n * k)) { part in
          let start = part.lowerBound
          if byRows {
            unsafe multiplyPart(
              transposedA ? a.from(row: 0, column: start) : a.from(row: start), b, into: c.from(row: start),
              m: part.count, n: n, k: k, accumulate: accumulate)
          } else {
            unsafe multiplyPart(
              a, transposedB ? b.from(row: start) : b.from(row: 0, column: start), into: c.from(row: 0, column: start),
              m: m, n: part.count, k: k, accumulate: accumulate)
          }
        }
      }
    }
  }
}

/// Returns the number of elements of a pass through memory that takes about as long as a product.
func passElements(ofMultiplications count: Int) -> Int { count / 32 }

/// C = A B (+ C) on the current thread, which must be one of several parts if there are other threads.
///
/// - Parameters:
///   - m, n, k: as those of `multiply`, all positive.
func multiplyPart<S: TensorScalar>(
  _ a: MatrixPart<S>, _ b: MatrixPart<S>, into c: MatrixPart<S>, m: Int, n: Int, k: Int, accumulate: Bool = false
) {
  #if OneDNN
    if S.self == Float.self {
      func letter(_ isTransposed: Bool) -> CChar { CChar(UInt8(ascii: isTransposed ? "T" : "N")) }
      func floats(_ part: MatrixPart<S>) -> UnsafeMutablePointer<Float> {
        unsafe UnsafeMutableRawPointer(part.base).assumingMemoryBound(to: Float.self)
      }
      let status = unsafe dnnl_sgemm(
        letter(a.isTransposed), letter(b.isTransposed), dnnl_dim_t(m), dnnl_dim_t(n), dnnl_dim_t(k), 1, floats(a),
        dnnl_dim_t(a.stride), floats(b), dnnl_dim_t(b.stride), accumulate ? 1 : 0, floats(c), dnnl_dim_t(c.stride))
      precondition(
        status == dnnl_success, "oneDNN failed to compute a product [\(m), \(k)] [\(k), \(n)]: status \(status)")
      return
    }
  #endif
  unsafe multiplyPortable(a, b, into: c, m: m, n: n, k: k, accumulate: accumulate)
}

/// The portable reference: adds rows of B, scaled by the elements of A, to the rows of C.
func multiplyPortable<S: TensorScalar>(
  _ a: MatrixPart<S>, _ b: MatrixPart<S>, into c: MatrixPart<S>, m: Int, n: Int, k: Int, accumulate: Bool
) {
  func element(_ i: Int, _ p: Int) -> S {
    unsafe a.isTransposed ? a.base[p * a.stride + i] : a.base[i * a.stride + p]
  }
  if unsafe b.isTransposed {
    // Both are read along k, as dot products. A column of a transposed A is gathered once.
    var row = [S](repeating: 0, count: k)
    for i in 0..<m {
      for p in 0..<k { row[p] = element(i, p) }
      let row = row.span
      for j in 0..<n {
        let dot = unsafe row.dot(Span(_unsafeStart: b.base + j * b.stride, count: k), from: 0, 0, count: k)
        let target = unsafe c.base + (i * c.stride + j)
        unsafe target.pointee = accumulate ? target.pointee + dot : dot
      }
    }
    return
  }
  for i in 0..<m {
    let target = unsafe c.base + i * c.stride
    if !accumulate { for j in 0..<n { unsafe target[j] = 0 } }
    for p in 0..<k {
      let (scale, source) = unsafe (element(i, p), b.base + p * b.stride)
      for j in 0..<n { unsafe target[j] += scale * source[j] }
    }
  }
}
