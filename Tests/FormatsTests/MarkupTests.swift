import Testing

@testable import Formats

@Suite struct MarkupTests {
  @Test func stringsAreEscapedAndMarkupIsNot() {
    let name = #"<b class="x">Tom & 'Jerry'</b>"#
    let bold: Markup = "<b>\(name)</b>"
    #expect(bold.description == "<b>&lt;b class=&quot;x&quot;&gt;Tom &amp; &#39;Jerry&#39;&lt;/b&gt;</b>")
    #expect("<i>\(bold)\(7)\([bold, bold])</i>" as Markup == "<i>" + bold + "7" + bold + bold + "</i>")
    #expect(["a", "b"].joined(separator: ", ") as Markup == "a, b")
  }

  @Test func invalidCharactersAreReplaced() {
    #expect(
      Markup(escaping: "a\u{0}\u{1B}\u{85}\u{202E}b\tc\nd\u{FFFF}").description
        == "a\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}b\tc\nd\u{FFFD}")
    #expect(Markup(escaping: "é 😀").description == "é 😀")
  }
}
