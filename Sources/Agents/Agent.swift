import Core
import Networks
import Replay
import Tensors

/// The purpose of an action.
public enum Behavior: Sendable {
  /// Exploration during learning, with the current exploration schedule. Random: another call returns other actions.
  case explore
  /// Evaluation: the agent's best action. Deterministic: every call returns the same actions.
  case exploit
  /// Sampling of the policy, to see how widely its actions are distributed: exploration at the end of the schedule.
  case sample
}

extension ActionDistribution {
  /// Returns the action of a stochastic policy: a ~ π(·|o), or its mode to exploit. `[B, A]`
  public func action(for behavior: Behavior, using random: inout Random) -> Tensor {
    behavior == .exploit ? mode : sample(using: &random)
  }
}

/// A learning algorithm as in its paper, without loops, logs or files.
///
/// To add an agent, write one new file and add one line to `Agents.catalog`; the contract tests then cover it. Actions
/// are in the policy's units: each dimension in [-1, 1], or `[index]` for a discrete choice.
///
/// All parameters that `visit` names must be learned, and must change within four updates with the default settings, or
/// with a `period` of two updates. A parameter `target_x` follows the parameter `x`: they start equal, and an update
/// moves all parameters of a target network toward the learned ones by the same fraction, or leaves them all unchanged;
/// a reset may change both.
public protocol Agent: Module {
  associatedtype Settings: AgentSettings

  /// The name on the command line.
  static var id: String { get }
  /// One sentence for the catalog, with the paper.
  static var note: String { get }
  static func accepts(_ actionSpace: ActionSpace) -> Bool
  /// Whether it only imitates the actions that it learns from: it needs no rewards, and gains nothing by acting.
  static var onlyImitates: Bool { get }

  /// - Parameters:
  ///   - observationSize: the size of an observation, O.
  ///   - seed: the seed of the initial weights and of everything that is drawn later.
  init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed)

  /// Returns actions `[B, A]` for observations `[B, O]`. They are in the action space for every observation. A row's
  /// action depends on that row only.
  mutating func act(_ observation: Tensor, _ behavior: Behavior) -> Tensor
  var settings: Settings { get }
  /// Returns the critics' estimate of the return of the best actions from observations `[B, O]`: `[B, 1]`, discounted
  /// by `settings.discount`.
  func value(_ observation: Tensor) -> Tensor
  /// Estimates the bonus `[B, 1]` that `value` includes besides the reward for each later observation `[B, O]`, such as
  /// the entropy times the temperature; nil: no bonus.
  func entropyBonus(_ observation: Tensor) -> Tensor?
  /// How much experience the next update needs; by default what `settings.demand` says. An agent may change n and γ of
  /// its returns while it learns.
  ///
  /// - Parameter returnSteps: the n that the training asks for.
  func demand(returnSteps: Int) -> Settings.Experience.Demand
  /// Performs an update with the experience that `demand` requests, or with fewer transitions, and returns
  /// metrics: `Lesson.criticLoss`, and whatever else is worth plotting.
  ///
  /// An update that needs the experience of several draws returns `Lesson.isComplete` false until the last of them.
  ///
  /// An agent that learns from a `Batch` must use `nextObservationOfTarget` as the input of target networks, and return
  /// the gradient of the critic's loss with respect to `observation` if the batch requests it.
  mutating func update(_ experience: Settings.Experience) -> Lesson
  /// The agent without what it computes besides one function of the observation, such as a search for the best plan. An
  /// exported graph acts as this one does.
  var actingByPolicyAlone: Self { get }
  /// Begins with the parameters of another agent of this kind. Optimisers, schedules and counters stay new. An agent
  /// with copies of its parameters that `visit` does not name replaces these copies too.
  ///
  /// - Throws: `InputError` if they do not fit.
  mutating func begin(with parameters: [(name: String, value: Tensor)]) throws
  /// The names of stored properties that change while the agent learns, besides its parameters, optimisers, random
  /// generators and a count named `updates`. A checkpoint in which anything else has changed is rejected as damaged.
  static var changingState: Set<String> { get }
}

extension Agent {
  public static var onlyImitates: Bool { false }
  public var actingByPolicyAlone: Self { self }
  public mutating func begin(with parameters: [(name: String, value: Tensor)]) throws { try load(parameters) }
  public static var changingState: Set<String> { [] }
  public func entropyBonus(_ observation: Tensor) -> Tensor? { nil }
  public func demand(returnSteps: Int) -> Settings.Experience.Demand { settings.demand }
}

/// The settings of any agent, as far as the training loop needs them.
public protocol AgentSettings: SettingsGroup {
  /// What the agent learns from: a `Batch` drawn from replay or, for an on-policy agent, a `Rollout`.
  associatedtype Experience: Replay.Experience
  /// How much experience an update needs.
  var demand: Experience.Demand { get }
  /// The discount γ per agent step.
  var discount: Double { get }
  /// Whether the replay buffer draws by the priorities that the agent returns.
  var drawsByPriority: Bool { get }
  /// The default number of rewards that an update sums before it bootstraps.
  static var returnSteps: Int { get }
  /// Checks settings that only some action spaces allow.
  ///
  /// - Throws: `InputError` that says what to change.
  func check(for space: ActionSpace) throws(InputError)
}

extension AgentSettings {
  public static var title: String { "agent" }
  public var drawsByPriority: Bool { false }
  public static var returnSteps: Int { 1 }
  public func check(for space: ActionSpace) throws(InputError) {}
}

/// The settings of an agent that learns from batches.
public protocol BatchSettings: AgentSettings where Experience == Batch {
  /// The number of transitions per update, B.
  var batch: Int { get set }
}

extension BatchSettings {
  public var demand: Batch.Demand { Batch.Demand(count: batch, discount: discount) }
}

/// The settings of an agent that learns from rollouts.
public protocol RolloutSettings: AgentSettings where Experience == Rollout {
  /// The number of steps per environment between two updates, T.
  var horizon: Int { get }
}

extension RolloutSettings {
  public var demand: Rollout.Demand { Rollout.Demand(horizon: horizon) }
}

/// All agents.
public enum Agents {
  public static let catalog = Catalog<any Agent.Type>(
    of: "agent",
    [
      SAC.self, DoubleDQN.self, Reinforce.self, NaturalGradient.self, TRPO.self, ActorCritic.self, PPO.self,
      TD3.self, Rainbow.self, OffPolicyActorCritic.self, BrokenOffPolicyActorCritic.self, QProp.self, MRQ.self,
      BehaviorCloning.self, TD3BC.self, IQL.self,
    ]
  ) { $0.id }

  public static var all: [any Agent.Type] { catalog.all }

  public static func named(_ id: String) throws -> any Agent.Type { try catalog.named(id) }

  /// Returns the first agent that supports an action space.
  public static func fitting(_ space: ActionSpace) -> (any Agent.Type)? { all.first { $0.accepts(space) } }
}

/// The setting that selects the agent.
public struct AgentChoice: SettingsGroup, Hashable {
  /// The agent's name; empty: the first that supports the environment's action space.
  public var agent = ""

  public init() {}

  public static let title = "agent"
  public static var fields: [Field<Self>] {
    [
      Field(
        "agent", \.agent, kind: "agent", among: Agents.all.map { $0.id },
        "the agent; none: the first of these that supports the environment's actions")
    ]
  }
}
