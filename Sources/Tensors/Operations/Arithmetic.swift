/// A function of two numbers, with its partial derivatives.
protocol BinaryFunction: Sendable {
  static func value<S: TensorScalar>(_ a: S, _ b: S) -> S
  /// dy/da and dy/db.
  static func partials<S: TensorScalar>(_ a: S, _ b: S) -> (S, S)
  /// The name in a graph.
  static var graphOperation: String { get }
}

/// y = f(a, b) for every pair of elements. Axes of extent 1, and missing leading ones, are repeated to fit the other
/// operand; their gradient is the sum over the repetitions.
private struct Pairwise: Operation {
  /// Returns the gradient of one operand. A closure, not a generic parameter: a tape calls `backward` without knowing
  /// the type, so the method of a generic struct would not be specialised, and every element would be a call.
  let partial: @Sendable (_ side: Int, _ gradient: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor

  func backward(_ gradient: Tensor, _ step: inout BackwardStep) {
    let (a, b) = (step.input(0), step.input(1))
    for side in 0..<2 where step.needs(side) { step.add(partial(side, gradient, a, b), to: side) }
  }
}

extension BinaryFunction {
  fileprivate static func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.precision == b.precision, "operands are \(a.precision) and \(b.precision): convert one")
    let pairing = Pairing(a.shape, b.shape)
    let y = a.precision == .float32 ? values(a, b, pairing, Float.self) : values(a, b, pairing, Double.self)
    let operation = Pairwise { side, gradient, a, b in
      let pairing = Pairing(a.shape, b.shape)
      return a.precision == .float32
        ? partial(side, gradient, a, b, pairing, Float.self) : partial(side, gradient, a, b, pairing, Double.self)
    }
    return y.recorded(operation, from: a, b, as: { graph, inputs in graph.apply(graphOperation, inputs) })
  }

  private static func values<S: TensorScalar>(_ a: Tensor, _ b: Tensor, _ pairing: Pairing, _ type: S.Type) -> Tensor {
    let (a, b) = (a.elements(S.self), b.elements(S.self))
    return Tensor(pairing.shape, of: S.self) { y in
      pairing.forEachRun { at, i, j, count in
        write(a, b, &y, at, i, j, count, pairing.innerStep)
      }
    }
  }

  // The runs are separate functions, so that the compiler sees that the spans do not overlap and vectorises the loops.

  @inline(never)
  private static func write<S: TensorScalar>(
    _ a: Span<S>, _ b: Span<S>, _ y: inout MutableSpan<S>, _ at: Int, _ i: Int, _ j: Int, _ count: Int,
    _ step: (a: Int, b: Int)
  ) {
    switch (step.a, step.b) {
    case (1, 1):
      for k in 0..<count { unsafe y[unchecked: at &+ k] = value(a[unchecked: i &+ k], b[unchecked: j &+ k]) }
    case (1, _):
      let right = b[j]
      for k in 0..<count { unsafe y[unchecked: at &+ k] = value(a[unchecked: i &+ k], right) }
    case (_, 1):
      let left = a[i]
      for k in 0..<count { unsafe y[unchecked: at &+ k] = value(left, b[unchecked: j &+ k]) }
    default:
      let both = value(a[i], b[j])
      for k in 0..<count { unsafe y[unchecked: at &+ k] = both }
    }
  }

  private static func partial<S: TensorScalar>(
    _ side: Int, _ gradient: Tensor, _ a: Tensor, _ b: Tensor, _ pairing: Pairing, _ type: S.Type
  ) -> Tensor {
    let shape = side == 0 ? a.shape : b.shape
    let (dy, a, b) = (gradient.elements(S.self), a.elements(S.self), b.elements(S.self))
    let step = pairing.innerStep
    let isWhole = shape.count == pairing.shape.count
    return Tensor(shape, of: S.self) { share in
      if !isWhole { for k in 0..<share.count { share[k] = 0 } }
      pairing.forEachRun { at, i, j, count in
        let target = side == 0 ? i : j
        switch (step.a, step.b) {
        case (1, 1): add(side, dy, a, b, &share, target, at, i, j, count, 1, 1, overwriting: isWhole)
        case (1, _): add(side, dy, a, b, &share, target, at, i, j, count, 1, 0, overwriting: isWhole)
        case (_, 1): add(side, dy, a, b, &share, target, at, i, j, count, 0, 1, overwriting: isWhole)
        default: add(side, dy, a, b, &share, target, at, i, j, count, 0, 0, overwriting: isWhole)
        }
      }
    }
  }

  /// Adds the gradient of one run. The steps are constants once this is inlined.
  @inline(__always)
  private static func add<S: TensorScalar>(
    _ side: Int, _ dy: Span<S>, _ a: Span<S>, _ b: Span<S>, _ share: inout MutableSpan<S>, _ target: Int, _ at: Int,
    _ i: Int, _ j: Int, _ count: Int, _ stepA: Int, _ stepB: Int, overwriting: Bool
  ) {
    func run(_ share: inout MutableSpan<S>, _ left: Bool) {
      if (left ? stepA : stepB) == 0 {
        var lanes = SIMD8<S>(repeating: 0)
        var k = 0
        while k + 8 <= count {
          for lane in 0..<8 { lanes[lane] += part(left, k + lane) }
          k += 8
        }
        var sum = lanes.sum()
        while k < count {
          sum += part(left, k)
          k += 1
        }
        share[target] = overwriting ? sum : share[target] + sum
      } else if overwriting {
        for k in 0..<count { unsafe share[unchecked: target &+ k] = part(left, k) }
      } else {
        for k in 0..<count { unsafe share[unchecked: target &+ k] += part(left, k) }
      }
    }
    @inline(__always) func part(_ left: Bool, _ k: Int) -> S {
      let partials = unsafe partials(a[unchecked: i &+ k &* stepA], b[unchecked: j &+ k &* stepB])
      return unsafe dy[unchecked: at &+ k] * (left ? partials.0 : partials.1)
    }
    if side == 0 { run(&share, true) } else { run(&share, false) }
  }
}

/// How the elements of two operands are paired: the shape of the result, and each operand's steps along its axes.
private struct Pairing {
  let shape: Shape
  private var extents = SIMD4<Int>(repeating: 1)
  private var stepsA = SIMD4<Int>(repeating: 0)
  private var stepsB = SIMD4<Int>(repeating: 0)

  init(_ a: Shape, _ b: Shape) {
    // Equal shapes are one run.
    if a == b {
      shape = a
      extents[3] = a.count
      (stepsA[3], stepsB[3]) = (1, 1)
      return
    }
    var result = a.rank >= b.rank ? a : b
    var (strideA, strideB) = (1, 1)
    for back in 1...max(a.rank, b.rank, 1) {
      let (m, n) = (back <= a.rank ? a[-back] : 1, back <= b.rank ? b[-back] : 1)
      precondition(
        m == n || m == 1 || n == 1, "shapes \(a) and \(b) cannot be broadcast: axis \(-back) is \(m) and \(n)")
      if result.rank > 0 { result[-back] = m == 1 ? n : m }
      extents[4 - back] = m == 1 ? n : m
      stepsA[4 - back] = m == 1 ? 0 : strideA
      stepsB[4 - back] = n == 1 ? 0 : strideB
      strideA *= m
      strideB *= n
    }
    shape = result
    mergeInnerAxes()
  }

  /// Makes the runs longer: merges an axis with the next inner one if its steps continue those of that axis.
  private mutating func mergeInnerAxes() {
    for _ in 0..<3 {
      let continuesA = stepsA[2] == stepsA[3] * extents[3]
      let continuesB = stepsB[2] == stepsB[3] * extents[3]
      guard extents[2] == 1 || (continuesA && continuesB) || extents[3] == 1 else { return }
      if extents[3] == 1 {
        (extents[3], stepsA[3], stepsB[3]) = (extents[2], stepsA[2], stepsB[2])
      } else if extents[2] != 1 {
        extents[3] *= extents[2]
      }
      (extents[2], stepsA[2], stepsB[2]) = (extents[1], stepsA[1], stepsB[1])
      (extents[1], stepsA[1], stepsB[1]) = (extents[0], stepsA[0], stepsB[0])
      (extents[0], stepsA[0], stepsB[0]) = (1, 0, 0)
    }
  }

  var innerStep: (a: Int, b: Int) { (stepsA[3], stepsB[3]) }

  /// Calls `body` with the indices in the result and in each operand where a run starts, and its length.
  @inline(__always)
  func forEachRun(_ body: (_ at: Int, _ a: Int, _ b: Int, _ count: Int) -> Void) {
    var at = 0
    for i in 0..<extents[0] {
      for j in 0..<extents[1] {
        for k in 0..<extents[2] {
          let a = i * stepsA[0] + j * stepsA[1] + k * stepsA[2]
          let b = i * stepsB[0] + j * stepsB[1] + k * stepsB[2]
          body(at, a, b, extents[3])
          at += extents[3]
        }
      }
    }
  }
}

// MARK: - Functions

private enum Sum: BinaryFunction {
  static let graphOperation = "Add"
  @inline(__always) static func value<S: TensorScalar>(_ a: S, _ b: S) -> S { a + b }
  @inline(__always) static func partials<S: TensorScalar>(_ a: S, _ b: S) -> (S, S) { (1, 1) }
}

private enum Difference: BinaryFunction {
  static let graphOperation = "Sub"
  @inline(__always) static func value<S: TensorScalar>(_ a: S, _ b: S) -> S { a - b }
  @inline(__always) static func partials<S: TensorScalar>(_ a: S, _ b: S) -> (S, S) { (1, -1) }
}

private enum Product: BinaryFunction {
  static let graphOperation = "Mul"
  @inline(__always) static func value<S: TensorScalar>(_ a: S, _ b: S) -> S { a * b }
  @inline(__always) static func partials<S: TensorScalar>(_ a: S, _ b: S) -> (S, S) { (b, a) }
}

private enum Quotient: BinaryFunction {
  static let graphOperation = "Div"
  @inline(__always) static func value<S: TensorScalar>(_ a: S, _ b: S) -> S { a / b }
  @inline(__always) static func partials<S: TensorScalar>(_ a: S, _ b: S) -> (S, S) { (1 / b, -a / (b * b)) }
}

private enum Minimum: BinaryFunction {
  static let graphOperation = "Min"
  @inline(__always) static func value<S: TensorScalar>(_ a: S, _ b: S) -> S { a < b || a.isNaN ? a : b }
  @inline(__always) static func partials<S: TensorScalar>(_ a: S, _ b: S) -> (S, S) {
    a < b ? (1, 0) : (b < a ? (0, 1) : (0.5, 0.5))
  }
}

private enum Maximum: BinaryFunction {
  static let graphOperation = "Max"
  @inline(__always) static func value<S: TensorScalar>(_ a: S, _ b: S) -> S { a > b || a.isNaN ? a : b }
  @inline(__always) static func partials<S: TensorScalar>(_ a: S, _ b: S) -> (S, S) {
    a > b ? (1, 0) : (b > a ? (0, 1) : (0.5, 0.5))
  }
}

extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor { Sum.forward(a, b) }
  public static func - (a: Tensor, b: Tensor) -> Tensor { Difference.forward(a, b) }
  public static func * (a: Tensor, b: Tensor) -> Tensor { Product.forward(a, b) }
  public static func / (a: Tensor, b: Tensor) -> Tensor { Quotient.forward(a, b) }
}

/// The smaller element of each pair, NaN if either is NaN. Equal elements get half of the gradient each.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { Minimum.forward(a, b) }
/// The larger element of each pair. Equal elements get half of the gradient each.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { Maximum.forward(a, b) }
