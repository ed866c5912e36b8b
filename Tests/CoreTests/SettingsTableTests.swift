import Testing

@testable import Core

@Suite struct SettingsTableTests {
  private struct Sample: SettingsGroup {
    var hidden = 256
    var layerNorm = true
    var note = ""
    var rate = 0.001
    static let title = "agent"
    static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...65_536, "units of each hidden layer"),
        Field("layer-norm", \.layerNorm, "normalise each layer"),
        Field("note", \.note, "a|b"),
        Field("rate", \.rate, 0...1, "step size"),
      ]
    }
  }

  @Test func helpIsAligned() {
    #expect(
      SettingsSection("Agent", Sample.self).help == """
        Agent:
          --hidden <n>                   units of each hidden layer (default 256; a whole number from 1 to 65536)
          --layer-norm, --no-layer-norm  normalise each layer (default true)
          --note <text>                  a|b (default none)
          --rate <x>                     step size (default 0.001; a number from 0 to 1)

        """)
  }

  @Test func markdownEscapesBars() {
    let lines = SettingsSection("Agent", Sample.self).markdown.split(separator: "\n")
    #expect(lines[0] == "### Agent")
    #expect(lines[3] == "| `--hidden` | `256` | units of each hidden layer | a whole number from 1 to 65536 |")
    #expect(lines[5] == "| `--note` |  | a\\|b | text |")
  }
}

@Suite struct HashTests {
  /// Values from the reference implementation.
  @Test(
    arguments: [
      ("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999),
      ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
    ] as [(String, UInt64)])
  func knownHashes(text: String, expected: UInt64) {
    let bytes = Array(text.utf8)
    let hash = unsafe xxHash64(bytes.span.bytes)
    #expect(hash == expected)
  }
}
