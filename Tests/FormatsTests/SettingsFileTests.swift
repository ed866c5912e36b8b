import Core
import Foundation
import Testing

@testable import Formats

@Suite struct SettingsFileTests {
  enum Mode: String, ChoiceSetting { case plain, wild }

  struct Choice: SettingsGroup, Hashable {
    var name = "dqn"
    static let title = "agent"
    static var fields: [Field<Self>] { [Field("name", \.name, kind: "agent", among: ["dqn", "sac"], "who")] }
  }

  struct Other: SettingsGroup, Hashable {
    var name = "catch"
    static let title = "environment"
    static var fields: [Field<Self>] { [Field("name", \.name, "where")] }
  }

  struct Sample: SettingsGroup, Hashable {
    var hidden = 256
    var layerNorm = true
    var note = "7"
    var rate = 0.001
    var mode = Mode.plain
    static let title = "agent"
    static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...65_536, "units"), Field("layer-norm", \.layerNorm, "normalise"),
        Field("note", \.note, "text"), Field("rate", \.rate, 0...1, "step size"), Field("mode", \.mode, "how"),
      ]
    }
  }

  private func file(_ text: String) throws -> SettingsFile {
    try SettingsFile(parsing: Array(text.utf8), path: "s.yaml")
  }

  /// Reads a file like a command does.
  private func read(_ bytes: [UInt8]) throws -> Sample {
    let file = try SettingsFile(parsing: bytes, path: "s.yaml")
    try file.check([Other(), Choice(), Sample()])
    var sample = Sample()
    try file.apply(to: &sample)
    return sample
  }

  @Test func groupsWithTheSameTitleAreMerged() {
    let text = SettingsFile.text(of: [Choice(), Other(), Sample()])
    #expect(
      text == """
        agent:
          name: dqn         # who (default dqn; dqn, sac)
          hidden: 256       # units (default 256; a whole number from 1 to 65536)
          layer-norm: true  # normalise (default true)
          note: 7           # text (default 7)
          rate: 0.001       # step size (default 0.001; a number from 0 to 1)
          mode: plain       # how (default plain; plain, wild)

        environment:
          name: catch  # where (default catch)

        """)
  }

  @Test(arguments: [
    "", "7", "null", "~", "runs/a b", "-", "- a", "a: b", "#no comment", "R&D &x *y", "\"'\\", "ä ü 漢 🙂",
    "tab\tline\nend\r",
    "\u{85}\u{2028}\u{feff}\u{7f}", "{[]}", "yes", "1e3", " padded ", "!!binary x", "%", "@", "`", "-5", "--out",
  ])
  func everyTextRoundTrips(note: String) throws {
    var changed = Sample()
    (changed.note, changed.hidden, changed.layerNorm, changed.rate, changed.mode) = (note, 3, false, 1e-300, .wild)
    let read = try read(Array(SettingsFile.text(of: [changed]).utf8))
    #expect(read == changed)
  }

  @Test(arguments: [
    "agent: {hidden: 3, note: x}", "{\"agent\": {\"hidden\": 3, \"note\": \"x\"}}\n",
    "agent:\n    hidden: 3\n    note: 'x'",
    "# comment\r\nagent:\r\n  hidden: 3 # three\r\n  note: x\r\n", "agent:\n  note: x\nenvironment:\nagent2: ~\n",
  ])
  func yamlAndJSONAreRead(text: String) throws {
    let file = try file(text)
    var sample = Sample()
    try file.apply(to: &sample)
    #expect(sample.note == "x" && (sample.hidden == 3 || file.groups.count == 3))
  }

  @Test(arguments: [
    ("agent:\n  hiden: 3", "line 2: agent: unknown setting 'hiden': did you mean 'hidden'?"),
    ("environment:\n  hidden: 3", "line 2: environment: the setting 'hidden' belongs under 'agent:'"),
    ("agent:\n  hidden: 0", "line 2: agent: --hidden takes a whole number from 1 to 65536, not '0'"),
    ("agent:\n\n  hidden: 2.5", "line 3: agent: --hidden takes a whole number from 1 to 65536, not '2.5'"),
    ("agent:\n  hidden:", "line 2: agent: --hidden takes a whole number from 1 to 65536, not ''"),
    ("agent:\n  rate: .nan", "line 2: agent: --rate takes a number from 0 to 1, not '.nan'"),
    ("agent:\n  rate: nan", "line 2: agent: --rate takes a number from 0 to 1, not 'nan'"),
    ("agent:\n  mode: plane", "line 2: agent: --mode takes plain or wild, not 'plane'"),
    ("agent:\n  layer-norm: 3", "line 2: agent: --layer-norm takes true or false, not '3'"),
    ("agent:\n  hidden: [1]", "line 2: the setting 'hidden' takes a number, a text, true or false"),
    ("agent:\n  hidden:\n    - 1", "line 3: lists, documents and values without a key"),
    ("agent:\n  hidden: {a: 1}", "line 2: the setting 'hidden' takes a number, a text, true or false"),
    ("agnt: {}", "line 1: unknown group of settings 'agnt': did you mean 'agent'?"),
    ("agent: 3", "line 1: settings must be in groups"), ("[]", "line 1: settings must be in groups"),
    ("agent:\n  hidden: 3\n  note: a\n  hidden: 4", "line 2: 'hidden' is given twice"),
    ("agent: {}\nagent: {}", "line 1: 'agent' is given twice"),
    ("agent:\n\thidden: 3", "line 2: indent with spaces, not with tabs"), ("agent:\n  hidden: 3\n bad", "line 3: "),
    ("agent: {", "line 1: while parsing"),
    ("a: &a [x]\nb: *a", "line 1: anchors and aliases"), ("agent: *a", "line 1: found undefined alias"),
    ("--- 1\n--- 2", "line 1: lists, documents"),
    ("agent: {}\n...\nagent: {}", "line 3: did not find"),
    ("? [a]\n: b", "line 1: lists, documents"), ("[a]: b", "line 1: the name of a setting must be a word"),
    (": : : 1", "line 1: lists, documents"), ("agent:\n  note: \u{1}", "line 2: control characters"),
    (String(repeating: "[", count: 300), "line 1: settings have only two levels"),
    (String(repeating: "#", count: 70_000), "line 1: the file is larger than 65536 bytes"),
  ])
  func errorsContainLineAndReason(text: String, reason: String) {
    let error = #expect(throws: InputError.self) { try read(Array(text.utf8)) }
    #expect(error?.description.hasPrefix("s.yaml, \(reason)") == true, "\(error?.description ?? "")")
  }

  @Test(arguments: [[0xff], [0x61, 0x0a, 0xc3], [0x0a, 0x0a, 0xed, 0xa0, 0x80]] as [[UInt8]])
  func invalidUTF8IsAnErrorWithTheLine(bytes: [UInt8]) {
    let line = 1 + bytes.count { $0 == 0x0a }
    let error = #expect(throws: InputError.self) { try read(bytes) }
    #expect(error?.description == "s.yaml, line \(line): the text is not UTF-8")
  }

  @Test func aHugeOrMissingFileIsAWorldError() throws {
    try withFolder { folder in
      #expect(throws: WorldError.self) { try SettingsFile(path: folder + "/none") }
      try writeAtomically([UInt8](repeating: 0x20, count: 1 << 20), to: folder + "/huge")
      #expect(throws: WorldError.self) { try SettingsFile(path: folder + "/huge") }
    }
  }

  /// Deep nesting and aliases cannot exhaust the parser, and random corruption throws only `InputError`.
  @Test(.timeLimit(.minutes(1))) func corruptFilesOnlyThrow() throws {
    let deep = (0..<300).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    #expect(throws: InputError.self) { try read(Array(deep.utf8)) }
    let text = Array(SettingsFile.text(of: [Choice(), Sample()]).utf8)
    var random = Random(seed: Seed(3))
    let alphabet = Array("{}[]&*!|>'\"%@`?:-,#~ \n\t\\xu0".utf8)
    var rejected = 0
    for _ in 0..<3000 {
      var damaged = text
      for _ in 0...random.integer(below: 4) {
        let at = random.integer(below: damaged.count)
        damaged[at] = alphabet[random.integer(below: alphabet.count)]
      }
      do { _ = try read(damaged) } catch is InputError { rejected += 1 }
    }
    #expect(rejected > 500)
    for count in 0..<text.count { do { _ = try read(Array(text[..<count])) } catch is InputError {} }
  }
}
