import Testing

@testable import Core

@Suite struct PrintableTests {
  @Test func controlCharactersAreEscaped() {
    #expect("\u{1b}[31mred\u{7}\u{9b}2J\u{202e}".printable == #"\u001b[31mred\u0007\u009b2J\u202e"#)
    #expect("é 日本 😀\ta\nb".printable == "é 日本 😀\ta\nb")
  }
}
