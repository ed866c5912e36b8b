import Core
import Replay

extension Rainbow {
  public struct Settings: BatchSettings {
    public var hidden = 128
    public var layerNorm = true
    public var batch = 128
    public var discount = 0.99
    public var learningRate = 5e-4
    public var adamEpsilon = 1e-8
    public var weightDecay = 0.0
    public var tau = 0.01
    public var actByTarget = false
    public var double = true
    public var duelling = true
    public var noisy = true
    public var initialSigma = 0.5
    public var distributional = true
    public var atoms = 51
    public var returnLimit = 10.0
    public var prioritised = true
    public var priorityExponent = 0.5
    public var importanceExponent = 0.4
    public var importanceUpdates = 20_000
    public var initialEpsilon = 1.0
    public var finalEpsilon = 0.02
    public var epsilonSteps = 2000
    public var resets = 0
    public var resetPeriod = 40_000
    public var trunkReset = 0.5
    public var annealingUpdates = 0
    public var initialReturnSteps = 10
    public var initialDiscount = 0.97

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each hidden layer"),
        Field("layer-norm", \.layerNorm, "LayerNorm in the first hidden layer"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step; with annealing its last value"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size"),
        Field("adam-epsilon", \.adamEpsilon, 1e-12...1, "Adam's ε, added to the root of the squared gradients' mean"),
        Field("weight-decay", \.weightDecay, 0...1, "AdamW's weight decay, of matrices only; 0: Adam"),
        Field("tau", \.tau, 0...1, "fraction by which the target network moves toward the network at each update"),
        Field("act-by-target", \.actByTarget, "the target network acts, not the online network"),
        Field(
          "double", \.double,
          "the online network selects the action that the target network evaluates, each with its own noise; else the "
            + "target network does both, with the same noise"),
        Field("duelling", \.duelling, "separate heads for value and advantage"),
        Field("noisy", \.noisy, "explore with learned noise on the weights, instead of random actions"),
        Field("initial-sigma", \.initialSigma, 0...10, "initial noise σ₀, in units of 1/√inputs"),
        Field("distributional", \.distributional, "learn a distribution of returns, not their mean"),
        Field("atoms", \.atoms, 2...10_000, "number of atoms N of the distribution of returns"),
        Field(
          "return-limit", \.returnLimit, 1e-6...1e9,
          "largest discounted return of the distribution; its negative is the smallest; other returns are clamped"
        ),
        Field("prioritised", \.prioritised, "draw transitions by their last loss, not uniformly"),
        Field("priority-exponent", \.priorityExponent, 0...1, "exponent ω of priorities; 0: uniform"),
        Field(
          "importance-exponent", \.importanceExponent, 0...1,
          "initial exponent β of importance weights; 1: full correction"),
        Field(
          "importance-updates", \.importanceUpdates, 1...Int.max, "updates until full importance correction"),
        Field("initial-epsilon", \.initialEpsilon, 0...1, "without noisy: initial probability of a random action"),
        Field("final-epsilon", \.finalEpsilon, 0...1, "without noisy: final probability of a random action"),
        Field("epsilon-steps", \.epsilonSteps, 1...Int.max, "without noisy: agent steps until the final probability"),
        Field(
          "resets", \.resets, 0...1_000_000,
          "number of partial resets: the heads and the optimiser begin anew, and the shared layer in part (Schwarzer 2023)"
        ),
        Field("reset-period", \.resetPeriod, 1...1_000_000_000, "updates between resets"),
        Field(
          "trunk-reset", \.trunkReset, 0...1,
          "fraction by which a reset moves the shared layer toward fresh weights"),
        Field(
          "annealing-updates", \.annealingUpdates, 0...Int.max,
          "updates, at the beginning and after each reset, over which --return-steps and --discount are reached from "
            + "their initial values, exponentially; 0: they are constant"),
        Field(
          "initial-return-steps", \.initialReturnSteps, 1...1000,
          "with annealing: initial n of the n-step returns"),
        Field("initial-discount", \.initialDiscount, 0...1, "with annealing: initial discount γ"),
      ]
    }

    public static var returnSteps: Int { 3 }
    public var drawsByPriority: Bool { prioritised }
  }
}
