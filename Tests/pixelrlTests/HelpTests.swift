import Agents
import Autoencoders
import Core
import Environments
import Foundation
import Representations
import Testing
import Training

@testable import pixelrl

/// The help of a command whose settings depend on a member shows the default and the domain of each member.
@Suite struct HelpTests {
  @Test func everyAgentsDefaultsAreShown() {
    func settings<A: Agent>(of agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
    expectAll(Agents.all.map { ($0.id, settings(of: $0)) }, in: SettingsOptions<AgentSource>.rows)
  }

  @Test func everyAutoencodersDefaultsAreShown() {
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

  /// Returns the part for a member in a text such as `256; 64 for ppo, trpo`.
  private func part(of text: String, for name: String) -> String {
    let parts = text.components(separatedBy: "; ")
    let own = parts.first { part in
      part.components(separatedBy: " for ").last?.components(separatedBy: ", ").contains(name) == true
    }
    guard let own, let end = own.range(of: " for ", options: .backwards) else { return parts[0] }
    return String(own[..<end.lowerBound])
  }

  @Test func aSwitchOfOneAgentIsAChoiceOfAnother() throws {
    let row = try #require(SettingsOptions<AgentSource>.rows.first { $0.key == "baseline" })
    #expect(!row.isSwitch && row.choices == ["none", "average", "optimal", "state", "true", "false"])
    let agent = ["--agent", "off-policy-actor-critic", "--env", "catch"]
    let plan = try TrainingFlags.parse(agent + ["--baseline", "false"]).plan()
    #expect(plan.groups.flatMap(\.record).contains { $0 == ("baseline", "false") })
  }

  /// The help names defaults that depend on the agent or on the observation.
  @Test func dependentDefaultsAreShown() throws {
    let rows = SettingsOptions<TrainingSource>.rows
    func help(_ key: String) throws -> String { try #require(rows.first { $0.key == key }).explanation }
    func expectShown<A: Agent>(of agent: A.Type) throws {
      let latent = TrainingSettings(at: .frozen, frameStack: 1, A.self)
      let state = TrainingSettings(at: nil, frameStack: 1, A.self)
      let plain = TrainingSettings()
      #expect(latent.frames == plain.frames && latent.actions == plain.actions)
      #expect(try help("history-frames").contains("; default \(state.frames) for the true state, and where"))
      #expect(try help("history-actions").contains("; default \(state.actions) for the true state, and where"))
      #expect(latent.returnSteps == state.returnSteps)
      let text = try help("return-steps")
      // `; default 3 for rainbow, mrq (default 1; a whole number …)`
      let exceptions =
        text.split(separator: "; default \(latent.returnSteps) for ").dropFirst().last?
        .split(separator: " (default 1;").first?.split(separator: ", ").map(String.init) ?? []
      #expect(exceptions.contains(A.id) == (latent.returnSteps != plain.returnSteps), "\(A.id): \(text)")
    }
    for agent in Agents.all { try expectShown(of: agent) }
  }
}

/// The help of a command with settings, as `--help` prints it.
@Suite struct SettingsHelpTests {
  private func help(_ line: String, columns: Int = 100) throws -> String {
    try #require(try SettingsHelp.asked(by: line.split(separator: " ").map(String.init), columns: columns))
  }

  /// The flags below a heading, each with its explanation on one line.
  private func section(_ title: String, of help: String) throws -> [String: String] {
    let parts = help.components(separatedBy: "\n\n")
    let part = try #require(parts.first { $0.hasPrefix("\(title):\n") }, "no \(title) in \(help)")
    var rows: [String: String] = [:]
    var key = ""
    for line in part.split(separator: "\n").dropFirst() {
      if let flag = line.firstMatch(of: #/^  --([a-z0-9-]+)/#) { key = String(flag.1) }
      rows[key, default: ""] += " " + line.trimmingPrefix(#/\s+/#)
    }
    return rows
  }

  @Test func theMainSettingsComeFirst() throws {
    for (command, keys) in [("train", Train.mainSettings), ("pretrain-ae", PretrainAE.mainSettings)] {
      let help = try help("\(command) --help")
      #expect(try Set(section("MAIN SETTINGS", of: help).keys) == Set(keys) && keys.count == 10)
      let titles = help.split(separator: "\n").filter { $0.hasSuffix(" SETTINGS:") }
      #expect(titles.first == "MAIN SETTINGS:" && help.contains("\nOPTIONS:\n"))
      for key in keys { #expect(help.components(separatedBy: "\n  --\(key) ").count == 2, "\(key) is shown once") }
    }
  }

  /// Every flag of the parser is shown, and each agent has its own settings with its own defaults.
  @Test func everyFlagIsShown() throws {
    let help = try help("train --help", columns: 1000)
    for flag in RootCommand.flags(["train"][...]) { #expect(help.contains("--\(flag)"), "\(flag)") }
    func check<A: Agent>(_ agent: A.Type) throws {
      let rows = try section("AGENT \(A.id.uppercased()) SETTINGS", of: help)
      let settings: A.Settings = TaskDefaults.group(of: "cartpole-swingup")
      #expect(Set(rows.keys) == Set(settings.rows.map(\.key)))
      for row in settings.rows { #expect(rows[row.key]?.contains(row.explanation) == true, "\(A.id) \(row.key)") }
    }
    for agent in Agents.all { try check(agent) }
  }

  @Test func onlyTheChosenAgentIsShownWithTheTasksDefaults() throws {
    let help = try help("train --help --agent ppo --env pendulum-swingup", columns: 1000)
    #expect(!help.contains("AGENT SAC") && help.contains("AGENT PPO SETTINGS:"))
    let training = try section("TRAINING SETTINGS", of: help)
    let defaults: TrainingSettings = TaskDefaults.group(of: "pendulum-swingup")
    #expect(defaults.returnSteps != TrainingSettings().returnSteps)
    #expect(training["return-steps"]?.contains("(default \(defaults.returnSteps);") == true, "\(training)")
    let sac = try section(
      "AGENT SAC SETTINGS", of: self.help("help train --env pendulum-swingup --agent sac", columns: 1000))
    #expect(sac["initial-temperature"]?.contains("(default 0.01;") == true, "\(sac)")
    #expect(sac["hidden"] != nil && sac["clip"] == nil)
  }

  /// A value that the place of the encoder sets is a default, but a value that a flag sets is not.
  @Test func givenValuesAreNotShownAsDefaults() throws {
    let joint = try help("train --encoder joint --agent sac --hidden 7 --help", columns: 1000)
    #expect(try section("AGENT SAC SETTINGS", of: joint)["batch"]?.contains("(default 32;") == true)
    #expect(try section("AGENT SAC SETTINGS", of: joint)["hidden"]?.contains("(default 7;") == false)
    #expect(try section("MAIN SETTINGS", of: joint)["encoder"]?.contains("(default frozen;") == true)
    #expect(joint.contains("NEW ENCODER KEYPOINT SETTINGS:"))
    #expect(try !help("train --encoder frozen --help").contains("NEW ENCODER"))
    #expect(try !help("train --observe state --help").contains("NEW ENCODER"))
  }

  @Test func wrongFlagsAreErrorsEvenWithHelp() throws {
    #expect(throws: InputError.self) { try help("train --help --env katch") }
    #expect(throws: (any Error).self) { try help("train --help --nonsense") }
    #expect(try SettingsHelp.asked(by: ["train", "--env", "catch"], columns: 80) == nil)
    #expect(try SettingsHelp.asked(by: ["runs", "--help"], columns: 80) == nil)
  }

  @Test(arguments: [60, 80, 200]) func linesFitTheTerminal(columns: Int) throws {
    let help = try help("train --help", columns: columns)
    let ends = try #require(help.range(of: "\nOPTIONS:")).lowerBound
    let longest = help[..<ends].split(separator: "\n").map(\.count).max() ?? 0
    #expect(longest <= columns && longest > columns / 2)
  }
}
