import Core

/// An estimator of the gradient from trajectories. Each is a short function with its equation above it.
///
/// In the equations, t = 1…T and ∇ = ∇θ, sums over t without bounds cover all steps, and a reward r_t has the weight
/// γ^{t−1}, as in J. If the notes leave out a factor γ^{t−1} ("option 1"), it is included here. Only one estimator
/// leaves it out, to show the effect.
public struct Estimator: Sendable {
  public enum Samples: String, Sendable {
    case policy
    case behavior
  }

  public enum Target: String, Sendable {
    case gradient
    case naturalGradient = "natural gradient"
  }

  /// The bias according to theory.
  public enum Bias: Sendable, Hashable {
    case unbiased
    /// A bias that vanishes for large batches.
    case consistent(String)
    case biased(String)
  }

  public let id: String
  /// The source of the equation.
  public let source: String
  public let samples: Samples
  public let target: Target
  public let bias: Bias
  /// Computes an estimate from a batch, `[P]`.
  public let estimate: @Sendable (_ batch: [Trajectory], GradientProblem, inout Random) -> [Double]

  init(
    _ id: String, source: String, samples: Samples = .policy, target: Target = .gradient,
    _ bias: Bias = .unbiased,
    _ estimate: @escaping @Sendable ([Trajectory], GradientProblem, inout Random) -> [Double]
  ) {
    (self.id, self.source, self.samples, self.target, self.bias) = (id, source, samples, target, bias)
    self.estimate = estimate
  }
}

/// All estimators. To add one, define a value in the file of its family and add a line here.
public enum Estimators {
  public static let all: [Estimator] = [
    .reinforce, .rewardToGo,
    .averageBaseline, .averageBaselineOfOthers, .optimalBaseline, .optimalBaselineOfOthers, .stateBaseline,
    .stateBaselineOfCritic,
    .discountOption1, .discountOption2,
    .importancePerTrajectory, .importanceCausal, .importanceCausalAsPrinted, .importanceOfThePast,
    .importanceOfMarginals,
    .importanceWithoutMarginals,
    .advantage, .averageQBaseline, .actorCritic, .actorCriticOfCritic,
    .nStep(2), .nStep(4), .nStepAsPrinted(2),
    .generalizedAdvantage(lambda: 0), .generalizedAdvantage(lambda: 0.5), .generalizedAdvantage(lambda: 0.9),
    .generalizedAdvantage(lambda: 1),
    .resampledAdvantage, .resampledQ, .replayedActions,
    .allActions, .gumbelSoftmax(temperature: 1), .gumbelSoftmax(temperature: 0.2),
    .controlVariate,
    .naturalGradient, .naturalGradientOfExactFisher,
  ]

  /// Returns the estimator with the given name.
  /// - Throws: `InputError` that suggests the closest name if the name is unknown.
  public static func named(_ id: String) throws -> Estimator {
    guard let estimator = all.first(where: { $0.id == id }) else {
      throw InputError.unknown("estimator", id, known: all.map(\.id))
    }
    return estimator
  }
}
