import Agents
import Autoencoders
import Core
import Environments
import Pixels
import Representations
import Testing

@testable import Training

@Suite struct SettingsTests {
  static let groups: [any SettingsGroup.Type] = [
    TrainingSettings.self, PretrainingSettings.self, CollectionSettings.self,
  ]

  @Test func everySettingRoundTripsAndIsBounded() throws {
    func check<Group: SettingsGroup>(_ type: Group.Type) throws {
      let defaults = Group()
      for field in Group.fields where field.domain != "text" {
        var group = defaults
        try field.set(&group, field.text(defaults))
        #expect(group.record.map(\.text) == defaults.record.map(\.text), "\(field.key)")
        for typed in ["300", "0.25", "true", "false"] + field.domain.split(separator: ", ").map(String.init) {
          var group = defaults
          do { try field.set(&group, typed) } catch is InputError { continue }
          #expect(field.text(group) == typed)
          for other in Group.fields where other.key != field.key {
            #expect(other.text(group) == other.text(defaults), "\(field.key) sets \(other.key) too")
          }
        }
        let (choices, last) = (field.choices.dropLast().joined(separator: ", "), field.choices.last)
        let allowed = last.map { "\(choices) or \($0)" } ?? field.domain
        for wrong in ["", "nonsense", "-1", "nan"] {
          #expect(throws: InputError("--\(field.key) takes \(allowed), not '\(wrong)'")) {
            try field.set(&group, wrong)
          }
        }
      }
    }
    for group in Self.groups { try check(group) }
  }

  /// Groups of one command share its flags.
  @Test func flagsOfACommandAreUnique() {
    func keys<Group: SettingsGroup>(_ type: Group.Type) -> [String] { Group.fields.map(\.key) }
    func autoencoder<Model: Autoencoder>(_ type: Model.Type) -> [String] { keys(Model.Settings.self) }
    func agent<A: Agent>(_ type: A.Type) -> [String] { keys(A.Settings.self) }
    for kind in Autoencoders.all {
      let all =
        keys(EpisodeSettings.self) + keys(CollectionSettings.self) + keys(PretrainingSettings.self) + autoencoder(kind)
      #expect(Set(all).count == all.count)
    }
    for kind in Agents.all {
      let all = keys(EpisodeSettings.self) + keys(TrainingSettings.self) + agent(kind)
      #expect(Set(all).count == all.count)
    }
  }

  @Test func invalidSettingsAreErrorsBeforeTraining() throws {
    func refusal(_ change: (inout TrainingSettings, inout SAC.Settings) -> Void) -> String {
      var (training, agent) = (TrainingSettings(), SAC.Settings())
      agent.hidden = 8
      change(&training, &agent)
      var first = Recording(
        frame: PixelBuffer(width: 8, height: 8, format: .gray), observationNames: ["x"],
        actionSpace: .continuous(low: [-1], high: [1]))
      first.environmentSteps = 20_000
      let work = TrainingRun(
        CartPoleSwingup(), SAC.self, through: TrueState(CartPoleSwingup.spec), agent: agent,
        episode: smallEpisode(), training: training, first: first, seed: Seed(1))
      do { try work.check() } catch { return "\(error)" }
      return "none"
    }
    #expect(refusal { _, _ in } == "none")
    #expect(refusal { training, _ in training.envSteps = 20_000 }.hasPrefix("--env-steps 20000 leaves no steps"))
    #expect(refusal { training, _ in training.resetAt = [20_000, 30_000] }.hasPrefix("--reset-at 20000 has no effect"))
    #expect(refusal { training, _ in training.resetAt = [20_001] } == "none")
    #expect(refusal { training, _ in (training.replay, training.environments) = (100, 64) }.hasPrefix("--replay 100"))
    #expect(refusal { training, _ in training.replay = .max }.hasPrefix("--replay 9223372036854775807 takes"))
    #expect(refusal { training, agent in (training.replay, agent.batch) = (100, 101) }.hasPrefix("--batch 101"))
  }
}
