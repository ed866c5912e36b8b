import Core
import Replay

extension MRQ {
  /// The constants are the paper's, with smaller networks and batches. The encoder learns as in DR.Q,
  /// with its contrastive loss, because finger-spin is learned much earlier with it.
  public struct Settings: AgentSettings {
    public typealias Experience = Segments

    public var hidden = 256
    public var batch = 128
    public var discount = 0.99
    public var horizon = 5
    public var period = 250
    public var learningRate = 3e-4
    public var weightDecay = 1e-4
    public var modelLearningRate = 3e-4
    public var modelWeightDecay = 0.01
    public var dynamicsWeight = 1.0
    public var rewardWeight = 0.1
    public var endWeight = 0.1
    public var contrastWeight = 0.1
    public var explorationNoise = 0.2
    public var targetNoise = 0.2
    public var targetNoiseLimit = 0.3
    public var preactivationWeight = 1e-5
    public var gradientLimit = 20.0
    public var priorityExponent = 0.4
    /// Nil, which checkpoints leave out, with the defaults. Older versions had no plans.
    private var otherPlans: Plans?

    /// The search for plans.
    public struct Plans: Sendable, Codable, Hashable {
      public var samples = 0
      public var horizon = 3
      public var rounds = 2
      public var deviation = 0.5
    }

    public var plans: Plans {
      get { otherPlans ?? Plans() }
      set { otherPlans = newValue == Plans() ? nil : newValue }
    }

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units of each hidden layer and of the embeddings"),
        Field("batch", \.batch, 1...1_048_576, "transitions per update"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("model-horizon", \.horizon, 1...100, "steps H over which the model is unrolled"),
        Field(
          "period", \.period, 1...1_000_000,
          "updates between copies of all targets, after each of which the encoder is updated as often"),
        Field("learning-rate", \.learningRate, 0...1, "AdamW's step size for policy and critics"),
        Field("weight-decay", \.weightDecay, 0...1, "AdamW's weight decay for policy and critics"),
        Field(
          "model-learning-rate", \.modelLearningRate, 0...1,
          "AdamW's step size for the encoder and its model; MR.Q: 1e-4"),
        Field(
          "model-weight-decay", \.modelWeightDecay, 0...1,
          "AdamW's weight decay for the encoder and its model; MR.Q: 1e-4"),
        Field("dynamics-weight", \.dynamicsWeight, 0...1000, "weight of the next embedding's error"),
        Field("reward-weight", \.rewardWeight, 0...1000, "weight of the reward's cross-entropy"),
        Field("end-weight", \.endWeight, 0...1000, "weight of the error of the predicted end"),
        Field(
          "contrast-weight", \.contrastWeight, 0...1000,
          "weight of DR.Q's contrastive loss of the next embedding; 0: none, as in MR.Q"),
        Field("exploration-noise", \.explorationNoise, 0...2, "standard deviation of the exploration noise"),
        Field("target-noise", \.targetNoise, 0...2, "standard deviation of the noise on the target policy's action"),
        Field("target-noise-limit", \.targetNoiseLimit, 0...2, "largest noise on the target policy's action"),
        Field(
          "preactivation-weight", \.preactivationWeight, 0...1,
          "weight λ of the squared outputs of the policy's network"),
        Field(
          "gradient-limit", \.gradientLimit, 1e-6...Double.greatestFiniteMagnitude,
          "norm to which the critics' gradient is clipped"),
        Field(
          "priority-exponent", \.priorityExponent, 0...1,
          "exponent of the priorities; 0: transitions are drawn uniformly"),
        Field(
          "plan-samples", \.plans.samples, 0...100_000,
          "plans compared at each action, in the learned model (Hansen 2024); 64 are a good choice; continuous actions "
            + "only; 0: the policy acts alone"
        )
        .addedLater(),
        Field(
          "plan-horizon", \.plans.horizon, 1...100, "actions of a plan, whose end the critics value"
        )
        .addedLater(),
        Field(
          "plan-rounds", \.plans.rounds, 1...100, "how often plans are drawn, each time around the best ones so far"
        )
        .addedLater(),
        Field(
          "plan-deviation", \.plans.deviation, 0.05...2, "standard deviation of the first plans around the policy's"
        )
        .addedLater(),
      ]
    }

    public var demand: Segments.Demand {
      Segments.Demand(batch: Batch.Demand(count: batch, discount: discount), horizon: horizon)
    }
    public var drawsByPriority: Bool { true }
    public static var returnSteps: Int { 3 }
  }
}
