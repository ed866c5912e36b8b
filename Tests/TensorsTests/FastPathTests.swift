import Core
import Foundation
import Synchronization
import Testing

@testable import Tensors

/// Optimisations that skip or divide work do not change results.
@Suite struct FastPathTests {
  private func normal(_ shape: Shape, _ name: String) -> Tensor {
    var random = Seed(3).stream(name)
    return .normal(shape, using: &random)
  }

  private func distance(_ a: Tensor, _ b: Tensor) -> Float {
    guard a.shape == b.shape else { return .infinity }
    return zip(a.array, b.array).map { abs($0 - $1) }.max() ?? 0
  }

  @Test(arguments: [(1, 1), (7, 16), (100, 16), (1000, 3)])
  func dividedPartsCoverEachIndexOnce(_ count: Int, _ grain: Int) {
    let visits = Mutex([Int](repeating: 0, count: count))
    Threads.divide(count, grain: grain, elements: .max) { part in
      #expect(part.lowerBound % grain == 0)
      visits.withLock { visits in for i in part { visits[i] += 1 } }
    }
    #expect(visits.withLock { $0 } == [Int](repeating: 1, count: count))
  }

  /// Each part is computed once and before the pass ends, also with more threads than cores, with callers that find the
  /// helpers busy, and with passes that begin while a helper is late.
  @Test func workersComputeEachPartOnce() async {
    await withTaskGroup(of: Int.self) { group in
      for caller in 0..<4 {
        group.addTask {
          var faults = 0
          for pass in 0..<500 {
            let parts = 1 + (pass * 7 + caller) % 13
            let counts = (0..<parts).map { _ in Counter() }
            Workers.shared.run(parts, helpers: 3) { index in counts[index].value.add(1, ordering: .relaxed) }
            faults += counts.count { $0.value.load(ordering: .relaxed) != 1 }
          }
          return faults
        }
      }
      for await faults in group { #expect(faults == 0) }
    }
  }

  private final class Counter: Sendable { let value = Atomic<Int>(0) }

  /// A caller that finds the helpers busy with another pass computes its parts alone.
  @Test func aPassDoesNotWaitForAnotherOne() {
    let workers = Workers()
    let (isDone, isHeld) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let held = Thread {
      // Holds the helper and itself until the other pass has ended.
      workers.run(2, helpers: 1) { index in
        isHeld.signal()
        isDone.wait()
      }
    }
    held.start()
    isHeld.wait()
    isHeld.wait()
    let count = Mutex(0)
    workers.run(8, helpers: 1) { _ in count.withLock { $0 += 1 } }
    #expect(count.withLock { $0 } == 8)
    isDone.signal()
    isDone.signal()
  }

  /// Compares the fused passes with separate operations, on sizes that use several threads and do not fill a cache
  /// line.
  @Test(arguments: [(5, 3), (200, 203)])
  func linearEqualsItsParts(_ rows: Int, _ outputs: Int) {
    let model = Inputs(tensors: [normal([rows, 9], "x"), normal([outputs, 9], "weight"), normal([outputs], "bias")])
    let projection = normal([rows, outputs], "projection")
    let (fused, fusedGradient) = valueWithGradient(at: model) { model in
      let m = model.tensors
      return (linear(m[0], weight: m[1], bias: m[2], rectified: true) * projection).sum()
    }
    let (value, gradient) = valueWithGradient(at: model) { model in
      let m = model.tensors
      return (relu(matrixProduct(m[0], m[1].transposed) + m[2]) * projection).sum()
    }
    #expect(abs(fused - value) < 1e-5 * Double(rows * outputs))
    for (a, b) in zip(fusedGradient.tensors, gradient.tensors) {
      #expect(distance(a ?? .zeros([0]), b ?? .zeros([1])) < 1e-3)
    }
  }

  /// NaN stays NaN in both, so that a check of finite values finds it.
  @Test func reluOfSpecialValuesEqualsTheFusedOne() {
    let x: [Float] = [.nan, -1, -0.0, 0, 2, .infinity, -.infinity]
    let (weight, bias) = (Tensor([Float(1)], [1, 1]), Tensor([Float(-0.0)], [1]))
    let input = Inputs(tensors: [Tensor(x, [7, 1])])
    let (_, gradient) = valueWithGradient(at: input) { relu($0.tensors[0]).sum() }
    let (_, fusedGradient) = valueWithGradient(at: input) {
      linear($0.tensors[0], weight: weight, bias: bias, rectified: true).sum()
    }
    let expected: [Float] = [.nan, 0, 0, 0, 2, .infinity, 0]
    let plain = relu(matrixProduct(input.tensors[0], weight) + bias).array
    let fused = linear(input.tensors[0], weight: weight, bias: bias, rectified: true).array
    for values in [relu(input.tensors[0]).array, plain, fused] {
      #expect(zip(values, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }, "\(values)")
    }
    #expect(zip(plain, fused).allSatisfy { $0.sign == $1.sign || $0.isNaN })
    let slopes: [Float] = [0, 0, 0, 0, 1, 1, 0]
    #expect(gradient.tensors[0]?.array == slopes && fusedGradient.tensors[0]?.array == slopes)
  }

  @Test(arguments: [(5, 3), (200, 203)])
  func layerNormEqualsItsParts(_ rows: Int, _ columns: Int) {
    let model = Inputs(tensors: [normal([rows, columns], "x"), normal([columns], "weight"), normal([columns], "bias")])
    let projection = normal([rows, columns], "projection")
    let (_, fused) = valueWithGradient(at: model) { model in
      let m = model.tensors
      return (layerNormalized(m[0], weight: m[1], bias: m[2], activation: .relu) * projection).sum()
    }
    let (_, parts) = valueWithGradient(at: model) { model in
      let m = model.tensors
      let centered = m[0] - m[0].mean(axis: 1, keepingAxis: true)
      let deviation = sqrt(square(centered).mean(axis: 1, keepingAxis: true) + 1e-5)
      return (relu(centered / deviation * m[1] + m[2]) * projection).sum()
    }
    for (a, b) in zip(fused.tensors, parts.tensors) {
      #expect(distance(a ?? .zeros([0]), b ?? .zeros([1])) < 1e-3)
    }
  }

  @Test(arguments: [0, 1, 40, 63, 64])
  func productSkipsZeroRows(_ zeroRows: Int) throws {
    var a = normal([64, 10], "a")
    a.withMutableElements { a in
      // Every third row first, then the others.
      for row in (0..<64).sorted(by: { ($0 % 3, $0) < ($1 % 3, $1) }).prefix(zeroRows) {
        for c in 0..<10 { a[row * 10 + c] = 0 }
      }
    }
    let b = normal([10, 33], "b")
    #expect(distance(rowwiseProduct(a, b), matrixProduct(a, b)) < 1e-5)
    let found = try #require(a.nonzeroRows(multipleOf: 32, atMost: 64))
    #expect(found.count % 32 == 0 && found.count - (64 - zeroRows) < 32 && Set(found).count == found.count)
    #expect(a.nonzeroRows(multipleOf: 32, atMost: found.count - 1) == nil)
  }

  /// Constants concatenated with variables need no gradient, in any order.
  @Test(arguments: [[true, false], [false, true], [false, true, false, true, false], [true, true]])
  func concatenationRequestsOnlyItsVariablesColumns(_ isVariable: [Bool]) {
    let parts = isVariable.indices.map { normal([6, 2 + $0], "part \($0)") }
    let weight = normal([5, parts.reduce(0) { $0 + $1.shape[1] }], "weight")
    func gradients(_ isVariable: [Bool]) -> [Tensor?] {
      valueWithGradient(at: Inputs(tensors: parts)) { model in
        let both = concatenated(zip(model.tensors, isVariable).map { $1 ? $0 : $0.detached })
        // Twice, so that two partial gradients are added.
        let y = linear(both, weight: weight, bias: .zeros([5]), rectified: true)
        return (square(y) + linear(both, weight: weight, bias: .zeros([5]))).sum()
      }.gradient.tensors
    }
    let (partial, whole) = (gradients(isVariable), gradients(isVariable.map { _ in true }))
    for i in isVariable.indices {
      guard let gradient = partial[i] else {
        #expect(!isVariable[i])
        continue
      }
      #expect(distance(gradient, whole[i] ?? .zeros([0])) < 1e-4)
    }
  }

  @Test(arguments: [7, 20_000])
  func squareSumsEqualTheirParts(_ count: Int) {
    let (d, w) = (normal([count], "d"), exp(normal([count], "w")))
    func expectEqual(_ fused: (Tensor) -> Tensor, _ parts: (Tensor) -> Tensor) {
      #expect(abs(fused(d).item - parts(d).item) < 1e-5)
      #expect(distance(gradient(at: d, of: fused), gradient(at: d, of: parts)) < 1e-6)
    }
    expectEqual({ meanSquared($0) }, { square($0).mean() })
    expectEqual({ meanSquared($0, weights: w) }, { (square($0) * w).sum() / w.sum().item })
  }

  @Test func exponentialIsAccurateToTwoUnits() {
    var worst: Float = 0
    for x in stride(from: Float(-87.3), through: 88.7, by: 0.0007) {
      let exact = Float(exp(Tensor([Double(x)], [1])).item)
      worst = max(worst, abs(exponential(x) - exact) / exact.ulp)
    }
    #expect(worst <= 2)
    #expect(exponential(0) == 1)
    #expect(exponential(-100) == 0 && exponential(-.infinity) == 0)
    #expect(exponential(89) == .infinity && exponential(.infinity) == .infinity)
    #expect(exponential(.nan).isNaN)
  }

  /// Checks every element with the formula, on enough planes to use several threads.
  @Test(arguments: [2, 3])
  func pixelShuffleFollowsItsFormula(_ r: Int) {
    let (channels, height, width) = (3, 8, 16 * r)
    let x = normal([2, channels * r * r, height, width], "x")
    let y = pixelShuffled(x, by: r)
    let (from, to) = (x.array, y.array)
    var wrong = 0
    for b in 0..<2 {
      for c in 0..<channels {
        for h in 0..<height * r {
          for w in 0..<width * r {
            let deep = ((b * channels + c) * r * r + h % r * r + w % r) * height * width + h / r * width + w / r
            if to[((b * channels + c) * height * r + h) * width * r + w] != from[deep] { wrong += 1 }
          }
        }
      }
    }
    #expect(wrong == 0)
    #expect(pixelUnshuffled(y, by: r).array == from)
  }

  /// A NaN of either operand stays, so that a check of finite values finds it.
  @Test func minimumAndMaximumOfNaNAreNaN() {
    let (a, b) = (Tensor([Float.nan, 1, 2], [3]), Tensor([1, Float.nan, 3], [3]))
    #expect(minimum(a, b).array.map(\.isNaN) == [true, true, false])
    #expect(maximum(a, b).array.map(\.isNaN) == [true, true, false])
    #expect(minimum(a, b).array[2] == 2 && maximum(a, b).array[2] == 3)
  }

  /// An empty batch stays empty, and its gradient is 0.
  @Test(arguments: [[0, 5], [0, 3, 4], [2, 0, 3], [0]]) func pairsOfNothingAreNothing(_ shape: [Int]) {
    let inputs = Inputs(tensors: [.zeros(Shape(shape)), Tensor(scalar: 2)])
    var product = Tensor.zeros([1])
    let (_, gradient) = valueWithGradient(at: inputs) { inputs in
      product = inputs.tensors[0] * inputs.tensors[1]
      return product.sum()
    }
    #expect(product.shape == Shape(shape) && product.array.isEmpty)
    #expect(gradient.tensors[0]?.array.isEmpty ?? true)
    #expect(gradient.tensors[1].map { $0.array == [0] } ?? true)
  }

  /// Adding a number to all logits changes nothing, as long as it can be added exactly.
  @Test func logSoftmaxOfLargeLogitsIsExact() {
    let x = normal([4, 6], "logits").array.map { ($0 * 16).rounded() / 16 }
    let expected = logSoftmax(Tensor(x, [4, 6])).array
    for large: Float in [1e4, -65_536] {
      #expect(logSoftmax(Tensor(x.map { $0 + large }, [4, 6])).array == expected, "\(large)")
    }
  }

  /// Compares float with double results for all kinds of broadcasting. Doubles are computed element by element.
  @Test(arguments: [
    ([40, 30, 20], [40, 30, 20]), ([50, 1, 33], [50, 17, 1]), ([60, 70], [70]), ([60, 70], [60, 1]),
  ])
  func floatPairsEqualDoublePairs(_ a: [Int], _ b: [Int]) {
    let inputs = Inputs(tensors: [normal(Shape(a), "a"), normal(Shape(b), "b")])
    let exact = Inputs(tensors: inputs.tensors.map { $0.converted(to: .float64) })
    func gradients(_ model: Inputs) -> [Tensor?] {
      valueWithGradient(at: model) { (tanh($0.tensors[0] * $0.tensors[1])).sum() }.gradient.tensors
    }
    for (found, expected) in zip(gradients(inputs), gradients(exact)) {
      let expected = expected?.converted(to: .float32) ?? .zeros([1])
      #expect(distance(found ?? .zeros([0]), expected) < 1e-4)
    }
  }

  /// Large enough to be divided among threads, by rows or by columns, with parts of unequal size. Whole numbers, so that every
  /// order of the sums gives the same.
  @Test(arguments: [1, 2, 3], [(203, 90, 64), (90, 203, 64), (64, 64, 400)])
  func productsAreTheSameForAnyNumberOfThreads(_ threads: Int, _ size: (m: Int, n: Int, k: Int)) {
    let before = Threads.count
    Threads.set(threads)
    defer { Threads.set(before) }
    expectWholeProducts(size, Float.self)
    expectWholeProducts(size, Double.self)
  }

  private func expectWholeProducts<S: TensorScalar>(_ size: (m: Int, n: Int, k: Int), _ type: S.Type) {
    let (m, n, k) = size
    let a = (0..<m * k).map { S(($0 * 7) % 5 - 2) }
    let b = (0..<k * n).map { S(($0 * 11) % 7 - 3) }
    for transposedA in [false, true] {
      for transposedB in [false, true] {
        var expected = [S](repeating: 0, count: m * n)
        for i in 0..<m {
          for j in 0..<n {
            for p in 0..<k {
              expected[i * n + j] += a[transposedA ? p * m + i : i * k + p] * b[transposedB ? j * k + p : p * n + j]
            }
          }
        }
        for accumulates in [false, true] {
          var found = [S](repeating: 1, count: m * n)
          var x = found.mutableSpan
          multiply(
            a.span, transposed: transposedA, b.span, transposed: transposedB, into: &x, m: m, n: n, k: k,
            accumulate: accumulates)
          #expect(found == expected.map { accumulates ? $0 + 1 : $0 }, "\(transposedA) \(transposedB) \(accumulates)")
        }
      }
    }
  }

  /// Compares a whole network with its layers one by one, also where only x needs a gradient, only some of its columns,
  /// and many rows have none.
  @Test(arguments: [1, 2, 3], [(rows: 5, norm: false), (5, true), (200, false), (200, true)])
  func layerStackEqualsItsLayers(_ threads: Int, _ form: (rows: Int, norm: Bool)) {
    let before = Threads.count
    Threads.set(threads)
    defer { Threads.set(before) }
    let sizes = [30, 70, 50, 2]
    var parameters: [Tensor] = []
    for layer in 1..<sizes.count {
      parameters.append(0.2 * normal([sizes[layer], sizes[layer - 1]], "weight \(layer)"))
      parameters.append(normal([sizes[layer]], "bias \(layer)"))
    }
    if form.norm {
      for layer in 1..<sizes.count - 1 {
        parameters += [normal([sizes[layer]], "scale \(layer)"), normal([sizes[layer]], "shift \(layer)")]
      }
    }
    let (o, a) = (normal([form.rows, 20], "o"), normal([form.rows, 10], "a"))
    func layers(_ x: Tensor, _ p: [Tensor]) -> Tensor {
      var x = x
      for layer in 0..<sizes.count - 1 {
        x = linear(x, weight: p[2 * layer], bias: p[2 * layer + 1])
        guard layer < sizes.count - 2 else { continue }
        let norm = 2 * (sizes.count - 1 + layer)
        x = form.norm ? layerNormalized(x, weight: p[norm], bias: p[norm + 1], activation: .relu) : relu(x)
      }
      return x
    }
    for (isConstant, zeroRows) in [(false, 0), (true, 0), (true, form.rows * 3 / 4), (true, form.rows)] {
      var projection = normal([form.rows, 2], "projection")
      projection.withMutableElements { for i in 0..<2 * zeroRows { $0[i] = 0 } }
      func loss(_ network: @escaping (Tensor, [Tensor]) -> Tensor) -> (value: Double, gradients: [Tensor?]) {
        let model = Inputs(tensors: [o, a] + parameters)
        let result = valueWithGradient(at: model) { model in
          let t = model.tensors
          let x = isConstant ? concatenated(t[0].detached, t[1]) : concatenated(t[0], t[1])
          let p = t.dropFirst(2).map { isConstant ? $0.detached : $0 }
          return (network(x, Array(p)) * projection).sum()
        }
        return (result.value, result.gradient.tensors)
      }
      let (stack, parts) = (loss { layerStack($0, $1, layers: sizes.count - 1) }, loss(layers))
      #expect(abs(stack.value - parts.value) < 1e-3)
      for (found, expected) in zip(stack.gradients, parts.gradients) {
        #expect((found == nil) == (expected == nil))
        guard let found, let expected else { continue }
        #expect(distance(found, expected) < 2e-3, "\(found.shape) \(isConstant) \(zeroRows)")
      }
    }
  }
}
