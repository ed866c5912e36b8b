import Foundation
import Testing

@testable import Core

@Suite struct SettingsJSONTests {
  enum Mode: String, ChoiceSetting { case plain, wild }

  struct Sample: SettingsGroup, Hashable {
    var hidden = 256
    var layerNorm = true
    var note = "7"
    var rate = 0.001
    var mode = Mode.plain
    static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...65_536, "units"), Field("layer-norm", \.layerNorm, "normalise"),
        Field("note", \.note, "text"), Field("rate", \.rate, 0...1, "step size"), Field("mode", \.mode, "how"),
      ]
    }
  }

  @Test func settingsReadBack() throws {
    var changed = Sample()
    changed.hidden = 3
    changed.layerNorm = false
    changed.rate = 1
    changed.mode = .wild
    #expect(
      changed.json.description == #"{"hidden":3,"layer-norm":false,"note":"7","rate":1,"mode":"wild"}"#)
    var read = Sample()
    try read.apply(JSON(parsing: changed.json.indented))
    #expect(read == changed)
  }

  @Test(arguments: [
    (#"{"agent": {"hiden": 3}}"#, "agent: unknown setting 'hiden': did you mean 'hidden'?"),
    (#"{"agent": {"hidden": 0}}"#, "agent: --hidden takes a whole number from 1 to 65536, not '0'"),
    (#"{"agent": {"hidden": [1]}}"#, "agent: the setting 'hidden' takes a number, a text, true or false, not [1]"),
    (#"{"agent": 3}"#, "agent: settings are a JSON object, not 3"),
    (#"{"agnt": {}}"#, "unknown group of settings 'agnt': did you mean 'agent'?"),
    ("[]", "holds no JSON object of groups of settings"),
  ])
  func aWrongFileSaysWhy(text: String, reason: String) throws {
    let path = NSTemporaryDirectory() + "/settings-\(UUID().uuidString).json"
    try writeAtomically(Array(text.utf8), to: path)
    defer { _ = try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: InputError.self) {
      let file = try SettingsFile(path: path)
      try file.checkTitles(["environment", "agent"])
      var sample = Sample()
      try file.apply("agent", to: &sample)
    }
    #expect(error?.description == "\(path): \(reason)")
  }

  @Test func aGroupThatTheFileLacksStays() throws {
    let path = NSTemporaryDirectory() + "/settings-\(UUID().uuidString).json"
    var changed = Sample()
    changed.hidden = 5
    try writeAtomically(Array(SettingsFile.text(of: [("agent", changed)]).utf8), to: path)
    defer { _ = try? FileManager.default.removeItem(atPath: path) }
    let file = try SettingsFile(path: path)
    var (agent, other) = (Sample(), Sample())
    try file.apply("agent", to: &agent)
    try file.apply("environment", to: &other)
    #expect(agent == changed && other == Sample())
  }
}
