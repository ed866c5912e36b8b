// What surrounds the products of linear layers. Each pass is a function that is never inlined, so that the compiler sees
// that the spans do not overlap and vectorises it.

/// y ← max(y + b, floor) for some rows.
@inline(never)
func addBias<S: TensorScalar>(_ y: inout MutableSpan<S>, _ rows: Range<Int>, _ bias: Span<S>, floor: S) {
  let columns = bias.count
  for row in rows {
    let at = row * columns
    for c in 0..<columns {
      let value = unsafe y[unchecked: at &+ c] + bias[unchecked: c]
      unsafe y[unchecked: at &+ c] = value < floor ? floor : value
    }
  }
}

/// dy ← 0 where the output of the ReLU is 0, for some elements.
@inline(never)
func cutGradient<S: TensorScalar>(_ gradient: inout MutableSpan<S>, by y: Span<S>, _ part: Range<Int>) {
  for i in part {
    // A product, because of a choice between two values the compiler makes a branch, which costs thirty times as much.
    let isKept: S = unsafe y[unchecked: i] > 0 ? 1 : 0
    unsafe gradient[unchecked: i] *= isKept
  }
}

/// The sums over all rows, for some columns.
@inline(never)
func sumColumns<S: TensorScalar>(_ x: Span<S>, into sums: inout MutableSpan<S>, _ part: Range<Int>) {
  let columns = sums.count
  for c in part { unsafe sums[unchecked: c] = 0 }
  for row in 0..<(columns == 0 ? 0 : x.count / columns) {
    let at = row * columns
    for c in part { unsafe sums[unchecked: c] += x[unchecked: at &+ c] }
  }
}
