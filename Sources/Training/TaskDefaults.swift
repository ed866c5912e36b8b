import Agents
import Autoencoders
import Core
import Environments
import Representations

/// The settings that were found to serve a task best, where they are not everybody's: the defaults that the commands start
/// from for it. `experiments/suite`, `experiments/full-look` and `experiments/exploration` have the trials.
public struct TaskDefaults: Sendable {
  let changes: [Change]

  /// Those of a task that has none.
  public static let none = TaskDefaults(changes: [])

  /// Those of a task that is named so; none of any other.
  public static func of(_ environment: String) -> TaskDefaults { all[environment].map(TaskDefaults.init) ?? none }

  /// A group as a task starts from it.
  public static func group<Group: SettingsGroup>(of environment: String) -> Group {
    TaskDefaults.of(environment).changed(Group())
  }

  /// What the task sets of a group in another way than the group itself, as one types it, by key.
  public func texts<Group: SettingsGroup>(of group: Group.Type) -> [String: String] {
    let own = Group()
    let pairs = zip(own.record, changed(own).record).filter { $0.text != $1.text }
    return Dictionary(uniqueKeysWithValues: pairs.map { ($1.key, $1.text) })
  }

  private func changed<Group: SettingsGroup>(_ group: Group) -> Group {
    var changed: any SettingsGroup = group
    for change in changes { change.apply(&changed) }
    return changed as? Group ?? group
  }

  /// What a task sets of one kind of settings; those of all others stay as they are.
  struct Change: Sendable {
    /// Whose settings they are.
    let groups: [any SettingsGroup.Type]
    let apply: @Sendable (inout any SettingsGroup) -> Void

    /// Settings of one type: of a loop, of one agent, of one kind of autoencoder.
    static func of<Group: SettingsGroup>(_ group: Group.Type, _ set: @escaping @Sendable (inout Group) -> Void)
      -> Change
    {
      Change(groups: [group]) { settings in
        guard var own = settings as? Group else { return }
        set(&own)
        settings = own
      }
    }

    /// Settings that several agents have.
    fileprivate static func ofAgents(_ set: @escaping @Sendable (inout any PlainAgentSettings) -> Void) -> Change {
      Change(groups: plainAgents) { settings in
        guard var own = settings as? any PlainAgentSettings else { return }
        set(&own)
        settings = own
      }
    }
  }
}

// MARK: - The tasks

extension TaskDefaults {
  static var tasks: [String] { all.keys.sorted() }

  // Returns of three steps were measured without the entropies between, which act like a smaller temperature; agents on the
  // latents of autoencoders whose decoders draw without keypoints too. Of two seeds of cartpole with --keypoints-alone one came
  // to 851 (before: 839), the other to 718 (before: 852).
  private static let all: [String: [Change]] = [
    "cartpole-swingup": [freeDrawing],
    // Rare rewards: noise that holds, returns that reach back, and no temperature that drowns them.
    "pendulum-swingup": [
      .of(TrainingSettings.self) { ($0.exploreChance, $0.returnSteps) = (0.2, 3) },
      .of(SAC.Settings.self) { ($0.initialTemperature, $0.entropyBetween) = (0.01, false) },
    ],
    // Flat colours tell the links apart. A target that is reached teaches nothing more: short episodes show many. What leads to
    // it is over in twenty decisions, and a discount that sees no farther tells a good one from a bad one more clearly. Small
    // batches and networks serve as well, in less time.
    "reacher-easy": [
      sketch, freeDrawing, longCollection,
      .of(PretrainingSettings.self) {
        ($0.steps, $0.batch) = (1500, 16)
        ($0.targetBlur, $0.targetGain) = (1, 2)
      },
      shortEpisodes, .of(SAC.Settings.self) { $0.entropyBetween = false },
      .ofAgents { ($0.discount, $0.hidden) = (0.95, 128) },
    ],
    // The same: a ball that lies in the cup teaches nothing more.
    "ball-in-cup-catch": [
      sketch, freeDrawing, .of(PretrainingSettings.self) { $0.batch = 16 },
      shortEpisodes, .of(SAC.Settings.self) { $0.entropyBetween = false }, .ofAgents { $0.hidden = 128 },
    ],
    "cheetah-run": [sketch, freeDrawing, longCollection],
    "finger-spin": [sketch, freeDrawing, longCollection],
    "walker-walk": [sketch, freeDrawing, longCollection],
    // Random play hardly shows a pole that stands in view: frames of the agent's own play do. Most keypoints follow the cart:
    // axes tell how the pole leans as loudly.
    "mujoco-cartpole-swingup": [
      freeDrawing,
      .of(PretrainingSettings.self) { ($0.targetBlur, $0.sampling, $0.form) = (2, .error, .smooth) },
      .of(EncoderSettings.self) {
        ($0.place, $0.retrainRounds, $0.retrainEvery, $0.retrainSteps) = (Place.rounds.id, 2, 20_000, 4000)
      },
      .of(TrainingSettings.self) { $0.updatesPerStep = 2 },
    ],
  ]

  private static let freeDrawing = Change.of(KeypointAutoencoder.Settings.self) { $0.keypointsAlone = false }
  private static let sketch = Change.of(EpisodeSettings.self) { $0.style.renderer = .sketch }
  private static let longCollection = Change.of(CollectionSettings.self) { $0.steps = 4000 }
  private static let shortEpisodes = Change.of(TrainingSettings.self) {
    ($0.trainingTimeLimit, $0.returnSteps) = (100, 3)
  }
}

/// The settings of agents that can act in any of the tasks and have a discount and hidden layers of one size. A task may set
/// those for all of them, though the trials were made with SAC.
private protocol PlainAgentSettings: AgentSettings {
  var hidden: Int { get set }
  var discount: Double { get set }
}

extension SAC.Settings: PlainAgentSettings {}
extension TD3.Settings: PlainAgentSettings {}
extension PPO.Settings: PlainAgentSettings {}
extension TRPO.Settings: PlainAgentSettings {}
extension QProp.Settings: PlainAgentSettings {}
extension Reinforce.Settings: PlainAgentSettings {}
extension NaturalGradient.Settings: PlainAgentSettings {}
extension ActorCritic.Settings: PlainAgentSettings {}
extension OffPolicyActorCritic.Settings: PlainAgentSettings {}
extension BrokenOffPolicyActorCritic.Settings: PlainAgentSettings {}

/// The settings of the agents that are such.
private var plainAgents: [any SettingsGroup.Type] {
  func settings<A: Agent>(of agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
  return Agents.all.map { settings(of: $0) }.filter { $0 is any PlainAgentSettings.Type }
}
