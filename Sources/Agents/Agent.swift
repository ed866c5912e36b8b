import Core
import Networks
import Replay
import Tensors

/// What an action is meant for.
public enum Behavior: Sendable {
  /// To learn from, as far as the schedule of learning has come: drawn, so that another call gives other actions.
  case explore
  /// To be judged by: the best that the agent knows, the same at every call.
  case exploit
  /// To see how the policy is spread: as it explores when its schedule has run out.
  case sample
}

extension ActionDistribution {
  /// How a policy with probabilities acts: a ~ π(·|o), and its mode where it is judged. `[B, A]`
  func action(for behavior: Behavior, using random: inout Random) -> Tensor {
    behavior == .exploit ? mode : sample(using: &random)
  }
}

/// A learner: what its paper says, and nothing of loops, logs or files.
///
/// One new file and one line in `Agents.all` add a member; the contract tests then run over it. Actions are in the
/// policy's units: each dimension in [-1, 1], or `[index]` for a discrete choice.
///
/// Of its parameters, as `visit` names them, it promises: each is learned, and with the default settings has moved after
/// four updates. One that is named `target_x` follows the one that is named `x`: they begin equal, and an update moves all of
/// a part toward what it follows by one fraction of the way, or leaves it for a later one.
public protocol Agent: Module {
  associatedtype Settings: AgentSettings

  /// What one types.
  static var id: String { get }
  /// One sentence for the catalog, with the paper.
  static var note: String { get }
  static func accepts(_ actionSpace: ActionSpace) -> Bool

  /// - Parameters:
  ///   - observationSize: numbers of an observation, O.
  ///   - seed: fixes all that it draws, to begin with and later.
  init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed)

  /// Actions `[B, A]` for observations `[B, O]`, within the space whatever is observed. A row's action depends on that row
  /// alone.
  mutating func act(_ observation: Tensor, _ behavior: Behavior) -> Tensor
  var settings: Settings { get }
  /// What the critics expect of the best actions from observations `[B, O]` on: `[B, 1]`, discounted by
  /// `settings.discount`.
  func value(_ observation: Tensor) -> Tensor
  /// What `value` counts beside the rewards at each observation `[B, O]` that is still to come, as an estimate `[B, 1]`, such
  /// as an entropy times its temperature; nil: nothing.
  func entropyBonus(_ observation: Tensor) -> Tensor?
  /// Learns from what `settings.demand` asks for, or from fewer transitions, and reports what it saw: `Lesson.criticLoss`, and
  /// whatever else is worth a curve.
  ///
  /// Who learns from a `Batch` bootstraps from `nextObservationOfTarget` where a target network looks, and gives the gradient
  /// of its critic's loss by `observation` where the batch wants it.
  mutating func update(_ experience: Settings.Experience) -> Lesson
}

extension Agent {
  public func entropyBonus(_ observation: Tensor) -> Tensor? { nil }
}

/// What the loop has to know of any agent's settings.
public protocol AgentSettings: SettingsGroup {
  /// What the agent learns from: a `Batch` drawn from replay or, where its policy must be its own of now, a `Rollout`.
  associatedtype Experience: Replay.Experience
  /// How much of it an update takes.
  var demand: Experience.Demand { get }
  /// The discount γ of a decision's step.
  var discount: Double { get }
  /// Whether the replay buffer draws by the priorities that the agent gives.
  var drawsByPriority: Bool { get }
  /// Rewards that an update adds up before it bootstraps, unless one is told how many.
  static var returnSteps: Int { get }
}

extension AgentSettings {
  public static var title: String { "agent" }
  public var drawsByPriority: Bool { false }
  public static var returnSteps: Int { 1 }
}

/// The settings of an agent that learns from batches.
public protocol BatchSettings: AgentSettings where Experience == Batch {
  /// Transitions of an update, B.
  var batch: Int { get set }
}

extension BatchSettings {
  public var demand: Batch.Demand { Batch.Demand(count: batch, discount: discount) }
}

/// The settings of an agent that learns from rollouts.
public protocol RolloutSettings: AgentSettings where Experience == Rollout {
  /// Steps of every environment between two updates, T.
  var horizon: Int { get }
}

extension RolloutSettings {
  public var demand: Rollout.Demand { Rollout.Demand(horizon: horizon) }
}

/// The members, by what one types.
public enum Agents {
  public static let all: [any Agent.Type] = [
    SAC.self, DoubleDQN.self, Reinforce.self, NaturalGradient.self, TRPO.self, ActorCritic.self, PPO.self,
    TD3.self, Rainbow.self, OffPolicyActorCritic.self, BrokenOffPolicyActorCritic.self, QProp.self,
  ]

  public static func named(_ id: String) throws -> any Agent.Type {
    guard let agent = all.first(where: { $0.id == id }) else {
      throw InputError.unknown("agent", id, known: all.map { $0.id })
    }
    return agent
  }

  /// The first member that can act in such a space.
  public static func fitting(_ space: ActionSpace) -> (any Agent.Type)? { all.first { $0.accepts(space) } }
}

/// Which agent, as a setting.
public struct AgentChoice: SettingsGroup, Hashable {
  /// Empty: the first that can act in the environment.
  public var agent = ""

  public init() {}

  public static let title = "agent"
  public static var fields: [Field<Self>] {
    [
      Field(
        "agent", \.agent, kind: "agent", among: Agents.all.map { $0.id },
        "the agent; none: the first that can act in the environment")
    ]
  }
}
