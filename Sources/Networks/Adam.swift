import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Adam with decoupled weight decay: Kingma and Ba 2015, Algorithm 1; Loshchilov and Hutter 2019, Algorithm 2 (AdamW).
///
/// For each parameter θ with gradient g, at its step t = 1, 2, ...:
///
///     m ← β₁ m + (1 - β₁) g
///     v ← β₂ v + (1 - β₂) g²
///     θ ← (1 - α λ) θ - α (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
///
/// with the learning rate α and the weight decay λ. λ = 0 is plain Adam.
public struct Adam: Sendable, Codable {
  /// α; may be set before every update to follow a schedule.
  public var learningRate: Double
  public let beta1: Double
  public let beta2: Double
  public let epsilon: Double
  /// λ
  public let weightDecay: Double
  /// The moments of each parameter, in the order of the model's parameters. Empty before the first update of an
  /// optimiser that was created without a model.
  public internal(set) var moments: [Moments] = []

  /// The moments of one parameter.
  public struct Moments: Sendable, Codable {
    /// m, of the parameter's shape.
    public internal(set) var first: Tensor
    /// v, of the parameter's shape.
    public internal(set) var second: Tensor
    /// t: the number of updates of the parameter.
    public internal(set) var steps = 0
  }

  public init(
    learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0
  ) {
    precondition(
      (0..<1).contains(beta1) && (0..<1).contains(beta2) && epsilon > 0,
      "Adam needs β₁ and β₂ in [0, 1) and a positive ε, not \(beta1), \(beta2) and \(epsilon)")
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Creates an optimiser with zero moments for a model, so that a stored state has all its tensors from the start.
  public init(
    of model: some Module, learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0
  ) {
    self.init(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
    moments = model.parameters.map { Moments(shape: $0.value.shape) }
  }

  /// Takes one gradient descent step in place. Does not change a parameter without a gradient, nor its moments.
  ///
  /// - Parameters:
  ///   - model: a `float32` model, the same at every call.
  ///   - gradient: the gradient that `valueWithGradient(at: model)` returned.
  ///   - decaysVectors: whether λ applies to biases and other parameters with one axis too, as in PyTorch.
  public mutating func update<Model: Module>(
    _ model: inout Model, along gradient: Gradient, decaysVectors: Bool = true
  ) {
    if moments.isEmpty { moments = model.parameters.map { Moments(shape: $0.value.shape) } }
    precondition(
      moments.count == gradient.tensors.count,
      "Adam has moments for \(moments.count) parameters, but the gradient has \(gradient.tensors.count)")
    var updater = Updater(
      optimizer: self, moments: moments, gradient: gradient, decaysVectors: decaysVectors)
    updater.optimizer.moments = []
    moments = []  // only the updater holds them now, so that they change in place
    model.visit(&updater)
    moments = updater.moments
    precondition(
      updater.next == moments.count,
      "Adam has moments for \(moments.count) parameters, but the model has \(updater.next)")
  }

  /// Updates one parameter.
  fileprivate func update(
    _ parameter: inout Tensor, _ moments: inout Moments, along gradient: Tensor, decays: Bool
  ) {
    precondition(
      parameter.shape == gradient.shape && parameter.shape == moments.first.shape,
      "a parameter of shape \(parameter.shape) with a gradient \(gradient.shape) and moments \(moments.first.shape)")
    moments.steps += 1
    let constants = StepConstants(self, at: moments.steps, decays: decays)
    gradient.withElements { g in
      parameter.withMutableElements { theta in
        moments.first.withMutableElements { m in
          moments.second.withMutableElements { v in
            Threads.divide(g.count, grain: 16, elements: g.count) { constants.step(&theta, &m, &v, along: g, $0) }
          }
        }
      }
    }
  }
}

/// The constants of one step, which are the same for all elements.
private struct StepConstants {
  let rate: Float
  let floor: Float
  let keep: Float
  let (keepM, newM): (Float, Float)
  let (keepV, newV): (Float, Float)

  init(_ adam: Adam, at t: Int, decays: Bool) {
    // Both bias corrections are moved out of the root: rate m / (√v + floor).
    let correction = (1 - pow(adam.beta2, Double(t))).squareRoot()
    rate = Float(adam.learningRate * correction / (1 - pow(adam.beta1, Double(t))))
    floor = Float(adam.epsilon * correction)
    keep = decays ? Float(1 - adam.learningRate * adam.weightDecay) : 1
    (keepM, newM) = (Float(adam.beta1), Float(1 - adam.beta1))
    (keepV, newV) = (Float(adam.beta2), Float(1 - adam.beta2))
  }

  /// The equations above for some elements. A separate function, so that the compiler sees that the spans do not
  /// overlap and vectorises the loop.
  @inline(never)
  func step(
    _ theta: inout MutableSpan<Float>, _ m: inout MutableSpan<Float>, _ v: inout MutableSpan<Float>,
    along g: Span<Float>, _ part: Range<Int>
  ) {
    for i in part {
      let gi = unsafe g[unchecked: i]
      let mi = unsafe keepM * m[unchecked: i] + newM * gi
      let vi = unsafe keepV * v[unchecked: i] + newV * gi * gi
      unsafe m[unchecked: i] = mi
      unsafe v[unchecked: i] = vi
      unsafe theta[unchecked: i] = keep * theta[unchecked: i] - rate * mi / (root(vi) + floor)
    }
  }
}

/// Returns √x for x ≥ 0, accurate to two units in the last place, with arithmetic that the compiler can vectorise: the
/// built-in square root is a call with a branch for negative numbers. Below the smallest normal number the result is
/// too small, but there √v is negligible compared to ε.
///
/// Newton's steps for 1/√x from the well-known first guess by halving the exponent (Lomont 2003).
@inline(__always)
func root(_ x: Float) -> Float {
  var y = Float(bitPattern: 0x5f37_59df &- (x.bitPattern >> 1))
  for _ in 0..<3 { y *= 1.5 - 0.5 * x * y * y }
  return x * y
}

extension Adam.Moments {
  init(shape: Shape) { self.init(first: .zeros(shape), second: .zeros(shape)) }
}

private struct Updater: ParameterVisitor {
  var optimizer: Adam
  var moments: [Adam.Moments]
  let gradient: Gradient
  let decaysVectors: Bool
  var next = 0

  mutating func callAsFunction(_ name: StaticString, _ parameter: inout Tensor) {
    precondition(
      next < gradient.tensors.count, "\(name) has no part in the gradient, which has \(gradient.tensors.count) parts")
    if let gradient = gradient.tensors[next] {
      let decays = decaysVectors || parameter.shape.rank > 1
      optimizer.update(&parameter, &moments[next], along: gradient, decays: decays)
    }
    next += 1
  }
}
