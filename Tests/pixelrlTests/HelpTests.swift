import Agents
import Autoencoders
import Core
import Foundation
import Representations
import Testing
import Training

@testable import pixelrl

/// The help of a command whose settings depend on a member shows what each member has by default and takes.
@Suite struct HelpTests {
  @Test func everyAgentFindsItsDefaults() {
    func settings<A: Agent>(of agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
    expectAll(Agents.all.map { ($0.id, settings(of: $0)) }, in: SettingsOptions<AgentSource>.rows)
  }

  @Test func everyAutoencoderFindsItsDefaults() {
    func settings<M: Autoencoder>(of kind: M.Type) -> any SettingsGroup.Type { M.Settings.self }
    expectAll(Autoencoders.all.map { ($0.id, settings(of: $0)) }, in: SettingsOptions<AutoencoderSource>.rows)
  }

  private func expectAll(_ members: [(name: String, group: any SettingsGroup.Type)], in rows: [SettingRow]) {
    for (name, group) in members {
      for own in group.rows {
        guard let row = rows.first(where: { $0.key == own.key }) else {
          Issue.record("--\(own.key) of \(name) is missing")
          continue
        }
        #expect(part(of: row.defaultText, for: name) == own.defaultText, "--\(own.key) of \(name): \(row.explanation)")
        #expect(part(of: row.domain, for: name) == own.domain, "--\(own.key) of \(name): \(row.explanation)")
      }
    }
  }

  /// What `256; 64 of ppo, trpo` says of a member.
  private func part(of text: String, for name: String) -> String {
    let parts = text.components(separatedBy: "; ")
    let own = parts.first { part in
      part.components(separatedBy: " of ").last?.components(separatedBy: ", ").contains(name) == true
    }
    guard let own, let end = own.range(of: " of ", options: .backwards) else { return parts[0] }
    return String(own[..<end.lowerBound])
  }

  @Test func aSwitchOfOneAgentIsAChoiceOfAnother() throws {
    let row = try #require(SettingsOptions<AgentSource>.rows.first { $0.key == "baseline" })
    #expect(!row.isSwitch && row.choices == ["none", "average", "optimal", "state", "true", "false"])
    let agent = ["--agent", "off-policy-actor-critic", "--env", "catch"]
    let plan = try TrainingFlags.parse(agent + ["--baseline", "false"]).plan()
    #expect(plan.groups.flatMap(\.record).contains { $0 == ("baseline", "false") })
  }

  /// What depends on the agent or on what it sees stands beside the default.
  @Test func whatATrainingBeginsWithIsSaid() throws {
    let rows = SettingsOptions<TrainingSource>.rows
    func help(_ key: String) throws -> String { try #require(rows.first { $0.key == key }).explanation }
    func expectSaid<A: Agent>(of agent: A.Type) throws {
      var (encoder, trueState) = (EncoderSettings(), EncoderSettings())
      trueState.observe = .state
      encoder.observe = .latent
      let latent = TrainingSettings(for: encoder, frameStack: 1, A.self)
      let state = TrainingSettings(for: trueState, frameStack: 1, A.self)
      let plain = TrainingSettings()
      #expect(latent.frames == plain.frames && latent.actions == plain.actions)
      #expect(try help("history-frames").contains("; \(state.frames) of the true state unless given (default 3"))
      #expect(try help("history-actions").contains("; \(state.actions) beside the true state unless given (default 2"))
      #expect(latent.returnSteps == state.returnSteps)
      let said = try help("return-steps")
      let exception = said.contains(A.id)
      #expect(exception == (latent.returnSteps != plain.returnSteps), "\(A.id): \(said)")
      #expect(!exception || said.contains("; \(latent.returnSteps) of \(A.id) unless given (default 1;"), "\(said)")
    }
    for agent in Agents.all { try expectSaid(of: agent) }
  }
}
