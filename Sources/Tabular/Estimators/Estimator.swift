import Core

/// A way to estimate the gradient from trajectories. Each is a short function with its equation above it.
///
/// The equations have t = 1…T and ∇ = ∇θ, sums over t where no bounds stand, and the discount as J has it: a reward r_t
/// counts γ^{t−1}. Where the notes leave a factor γ^{t−1} out ("option 1"), it is here: one estimator alone shows what
/// leaving it out does.
public struct Estimator: Sendable {
  public enum Samples: String, Sendable {
    case policy
    case behavior
  }

  public enum Target: String, Sendable {
    case gradient
    case naturalGradient = "natural gradient"
  }

  /// What theory says of the mean.
  public enum Bias: Sendable, Hashable {
    case unbiased
    /// A bias that goes away with the size of the batch.
    case consistent(String)
    case biased(String)
  }

  public let id: String
  /// Where the equation stands.
  public let source: String
  public let samples: Samples
  public let target: Target
  public let bias: Bias
  /// An estimate from a batch, `[P]`.
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

/// Every estimator: a new one is a value in the file of its family, and a line here.
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

  /// - Throws: `InputError` that names the nearest.
  public static func named(_ id: String) throws -> Estimator {
    guard let estimator = all.first(where: { $0.id == id }) else {
      throw InputError.unknown("estimator", id, known: all.map(\.id))
    }
    return estimator
  }
}
