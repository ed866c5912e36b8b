#if OneDNN
  import CDNNL
#endif

/// C = A B (+ C), row-major; a transposed operand is read with rows and columns exchanged.
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
  #if OneDNN
    if S.self == Float.self {
      multiplyFast(a, transposedA, b, transposedB, &c, m, n, k, accumulate)
      return
    }
  #endif
  multiplyPortable(a, transposedA, b, transposedB, &c, m, n, k, accumulate)
}

/// The portable reference: adds rows of B, scaled by the elements of A, to the rows of C.
func multiplyPortable<S: TensorScalar>(
  _ a: Span<S>, _ transposedA: Bool, _ b: Span<S>, _ transposedB: Bool, _ c: inout MutableSpan<S>,
  _ m: Int, _ n: Int, _ k: Int, _ accumulate: Bool
) {
  if transposedB {
    // Both are read along k, as dot products. A column of a transposed A is gathered once.
    var row = [S](repeating: 0, count: k)
    for i in 0..<m {
      for p in 0..<k { row[p] = transposedA ? a[p * m + i] : a[i * k + p] }
      let row = row.span
      for j in 0..<n {
        let dot = row.dot(b, from: 0, j * k, count: k)
        c[i * n + j] = accumulate ? c[i * n + j] + dot : dot
      }
    }
    return
  }
  for i in 0..<m {
    if !accumulate { for j in 0..<n { unsafe c[unchecked: i * n + j] = 0 } }
    for p in 0..<k {
      let scale = transposedA ? a[p * m + i] : a[i * k + p]
      for j in 0..<n { unsafe c[unchecked: i * n + j] += scale * b[unchecked: p * n + j] }
    }
  }
}

#if OneDNN
  /// Each thread computes its own rows or columns of C, whichever there are more of, with a product of one thread: for the
  /// sizes of a batch that is faster than oneDNN's own division.
  private func multiplyFast<S: TensorScalar>(
    _ a: Span<S>, _ transposedA: Bool, _ b: Span<S>, _ transposedB: Bool, _ c: inout MutableSpan<S>,
    _ m: Int, _ n: Int, _ k: Int, _ accumulate: Bool
  ) {
    func letter(_ transposed: Bool) -> CChar { CChar(UInt8(ascii: transposed ? "T" : "N")) }
    unsafe a.withUnsafeBytes { a in
      unsafe b.withUnsafeBytes { b in
        unsafe c.withUnsafeMutableBytes { c in
          let a = unsafe a.baseAddress!.assumingMemoryBound(to: Float.self)
          let b = unsafe b.baseAddress!.assumingMemoryBound(to: Float.self)
          let c = unsafe c.baseAddress!.assumingMemoryBound(to: Float.self)
          let (byRows, work) = (m >= n, m * n * k / multiplicationsPerElement)
          Threads.divide(byRows ? m : n, grain: 16, elements: work) { part in
            let (start, count) = (part.lowerBound, part.count)
            let a = unsafe byRows ? a + (transposedA ? start : start * k) : a
            let b = unsafe byRows ? b : b + (transposedB ? start * k : start)
            let c = unsafe c + (byRows ? start * n : start)
            let status = unsafe dnnl_sgemm(
              letter(transposedA), letter(transposedB), dnnl_dim_t(byRows ? count : m),
              dnnl_dim_t(byRows ? n : count), dnnl_dim_t(k), 1, a, dnnl_dim_t(transposedA ? m : k), b,
              dnnl_dim_t(transposedB ? k : n), accumulate ? 1 : 0, c, dnnl_dim_t(n))
            precondition(
              status == dnnl_success, "oneDNN failed to compute a product [\(m), \(k)] [\(k), \(n)]: status \(status)")
          }
        }
      }
    }
  }

  /// How many multiplications take as long as one element of a pass through memory, about.
  private let multiplicationsPerElement = 32
#endif
