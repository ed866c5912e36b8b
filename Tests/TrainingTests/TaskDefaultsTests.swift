import Agents
import Autoencoders
import Core
import Environments
import Representations
import Testing

@testable import Training

@Suite struct TaskDefaultsTests {
  /// The measured settings with SAC on keypoint latents, where they differ from the general defaults, as written on the
  /// command line.
  private static let measured: [String: [String]] = [
    "cartpole-swingup": ["encoder.keypoints-alone=false"],
    "pendulum-swingup": [
      "training.return-steps=3", "training.explore-chance=0.2", "agent.initial-temperature=0.01",
      "agent.entropy-between=false",
    ],
    "reacher-easy": [
      "environment.renderer=sketch", "collection.collect-steps=4000", "encoder.keypoints-alone=false",
      "pretraining.ae-steps=1500", "pretraining.ae-batch=16", "pretraining.target-blur=1", "pretraining.target-gain=2",
      "training.training-time-limit=100", "training.return-steps=3", "agent.hidden=128", "agent.discount=0.95",
      "agent.entropy-between=false",
    ],
    "ball-in-cup-catch": [
      "environment.renderer=sketch", "encoder.keypoints-alone=false", "pretraining.ae-batch=16",
      "training.training-time-limit=100", "training.return-steps=3", "agent.hidden=128", "agent.entropy-between=false",
    ],
    "cheetah-run": sketched, "finger-spin": sketched, "walker-walk": sketched,
    "mujoco-cartpole-swingup": [
      "encoder.keypoints-alone=false", "pretraining.target-blur=2", "pretraining.frame-sampling=error",
      "pretraining.latent-form=smooth", "encoder.encoder=rounds", "encoder.retrain-steps=4000",
      "training.updates-per-step=2",
    ],
  ]

  private static let sketched = [
    "environment.renderer=sketch", "collection.collect-steps=4000", "encoder.keypoints-alone=false",
  ]

  @Test func eachTaskHasItsMeasuredSettings() {
    #expect(TaskDefaults.tasks == Self.measured.keys.sorted())
    for (task, settings) in Self.measured {
      #expect(
        texts(
          of: task,
          [
            EpisodeSettings.self, CollectionSettings.self, KeypointAutoencoder.Settings.self, PretrainingSettings.self,
            EncoderSettings.self, TrainingSettings.self, SAC.Settings.self,
          ]) == settings, "\(task)")
    }
  }

  /// Settings that only SAC has are not set for other agents. The discount and the hidden size are set for all agents
  /// that can act in the task.
  @Test func onlyFittingSettingsAreSetForAnAgent() {
    #expect(texts(of: "reacher-easy", [TD3.Settings.self]) == ["agent.hidden=128", "agent.discount=0.95"])
    #expect(texts(of: "reacher-easy", [PPO.Settings.self]) == ["agent.hidden=128", "agent.discount=0.95"])
    // Its hidden layers have 128 units anyway.
    #expect(texts(of: "reacher-easy", [QProp.Settings.self]) == ["agent.discount=0.95"])
    #expect(texts(of: "pendulum-swingup", [TD3.Settings.self, PPO.Settings.self]).isEmpty)
    #expect(texts(of: "cartpole-swingup", [RegularizedAutoencoder.Settings.self]).isEmpty)
    // No discrete agent can act there.
    #expect(texts(of: "reacher-easy", [Rainbow.Settings.self, DoubleDQN.Settings.self]).isEmpty)
  }

  /// Every change is of known settings, changes at least one of them, and sets only valid values.
  @Test(arguments: TaskDefaults.tasks) func changesAreValid(_ task: String) throws {
    func settings<A: Agent>(of agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
    func settings<M: Autoencoder>(of kind: M.Type) -> any SettingsGroup.Type { M.Settings.self }
    let known: [any SettingsGroup.Type] =
      [
        EpisodeSettings.self, CollectionSettings.self, PretrainingSettings.self, EncoderSettings.self,
        TrainingSettings.self,
      ]
      + Agents.all.map { settings(of: $0) } + Autoencoders.all.map { settings(of: $0) }
    for change in TaskDefaults.of(task).changes {
      let own = TaskDefaults(changes: [change])
      #expect(change.groups.allSatisfy { group in known.contains { $0 == group } }, "\(task): \(change.groups)")
      #expect(try change.groups.contains { try !taken(own, by: $0).isEmpty }, "\(task): \(change.groups)")
      for group in known where !change.groups.contains(where: { $0 == group }) {
        #expect(try taken(own, by: group).isEmpty, "\(task): \(group)")
      }
    }
  }

  /// A task only has defaults for agents that can act in its environment.
  @Test func agentsFitTheirTasks() {
    func settings<A: Agent>(of agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
    for environment in Environments.all {
      let fitting = Agents.all.filter { $0.accepts(environment.actionSpace) }.map { settings(of: $0) }
      for group in TaskDefaults.of(environment.id).changes.flatMap(\.groups) where group.title == AgentChoice.title {
        #expect(fitting.contains { $0 == group }, "\(environment.id): \(group)")
      }
    }
    #if MuJoCo
      #expect(Set(TaskDefaults.tasks).isSubset(of: Environments.all.map { $0.id }))
    #endif
  }

  @Test func anUnknownTaskHasNone() {
    #expect(TaskDefaults.of("no such task").changes.isEmpty)
  }

  @Test func aGroupHasTheTasksDefaults() {
    let cheetah: CollectionSettings = TaskDefaults.group(of: "cheetah-run")
    let other: CollectionSettings = TaskDefaults.group(of: "catch")
    #expect(cheetah.steps == 4000 && other == CollectionSettings())
  }

  private func texts(of task: String, _ groups: [any SettingsGroup.Type]) -> [String] {
    func texts<Group: SettingsGroup>(_ group: Group.Type) -> [String] {
      let texts = TaskDefaults.of(task).texts(of: Group.self)
      return Group.fields.compactMap { field in texts[field.key].map { "\(Group.title).\(field.key)=\($0)" } }
    }
    return groups.flatMap { texts($0) }
  }

  /// The defaults that apply to a group. Throws if a value is not valid on the command line.
  private func taken<Group: SettingsGroup>(_ defaults: TaskDefaults, by group: Group.Type) throws -> [String: String] {
    let texts = defaults.texts(of: Group.self)
    var values = Group()
    for (key, text) in texts { try values.set(key, to: text) }
    return texts
  }
}
