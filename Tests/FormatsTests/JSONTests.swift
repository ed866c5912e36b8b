import Core
import Testing

@testable import Formats

@Suite struct JSONTests {
  @Test func everyKindRoundTrips() throws {
    let value: JSON = [
      "z": .null, "a": [true, false, [], [:]], "whole": -12, "real": 0.1, "large": .number(1e300),
      "tiny": .number(.leastNonzeroMagnitude), "limit": .integer(.min), "text": "tab\t \"quoted\" \\ \u{1} é 🙂",
    ]
    #expect(try JSON(parsing: value.description) == value)
    #expect(try JSON(parsing: value.indented) == value)
    #expect(value["a"]?.array?.count == 4 && value["whole"]?.int == -12 && value["none"] == nil)
    #expect(value["whole"]?.double == -12 && value["real"]?.double == 0.1 && value["text"]?.double == nil)
  }

  @Test func writingIsDeterministicAndKeepsOrder() {
    let value: JSON = ["b": [1, 2.5], "a": ["x": "y"], "e": []]
    #expect(value.description == #"{"b":[1,2.5],"a":{"x":"y"},"e":[]}"#)
    #expect(
      value.indented == """
        {
          "b": [
            1,
            2.5
          ],
          "a": {
            "x": "y"
          },
          "e": []
        }

        """)
    #expect(JSON.array([.number(.nan), .number(.infinity)]).description == "[null,null]")
    #expect(JSON.string("a\u{0}\u{1f}\u{7f}/").description == "\"a\\u0000\\u001f\u{7f}/\"")
  }

  @Test(arguments: [
    ("1", JSON.integer(1)), ("-0", .integer(0)), ("1.0", .number(1)), ("1e2", .number(100)), ("1E+2", .number(100)),
    ("12345678901234567890", .number(12_345_678_901_234_567_168)), ("9223372036854775807", .integer(.max)),
    (" \t\r\n null \n", .null), (#""\u00e9\ud83d\ude42\/\b\f""#, .string("é🙂/\u{8}\u{c}")),
    (#"{"a":{"a":1}}"#, .object([.init("a", .object([.init("a", .integer(1))]))])),
  ])
  func valid(_ text: String, _ value: JSON) throws {
    #expect(try JSON(parsing: text) == value)
  }

  @Test(arguments: [
    "", " ", "nul", "nulll", "True", "NaN", "Infinity", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1e999",
    "-1e999",
    "[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "]", "{", "{}}", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{'a':1}",
    "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\ud800\\n\"", "\"line\nbreak\"", "\"\u{0}\"", "1 2", "[1]]", "// x\n1",
    "\u{feff}1",
  ])
  func invalid(_ text: String) {
    #expect(throws: InputError.self) { try JSON(parsing: text) }
  }

  @Test func invalidUTF8IsRejected() {
    for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80]] {
      #expect(throws: InputError.self) { try JSON(parsing: [0x22] + bytes + [0x22]) }
    }
  }

  @Test func depthIsLimited() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(throws: Never.self) { try JSON(parsing: nested(64)) }
    #expect(throws: InputError.self) { try JSON(parsing: nested(65)) }
    #expect(throws: InputError.self) { try JSON(parsing: nested(1_000_000)) }
    #expect(throws: InputError.self) { try JSON(parsing: #"{"a":[]}"#, depth: 1) }
  }

  @Test func errorsContainReasonAndOffset() {
    #expect(throws: InputError("duplicate key \"a\" (byte 7 of the JSON text)")) {
      try JSON(parsing: #"{"a":1,"a":2}"#)
    }
  }

  @Test func printableTextIsTheSameValue() throws {
    let json: JSON = ["a\u{1b}": "b\u{7f}\u{9b}"]
    #expect(try JSON(parsing: Array(json.description.printable.utf8)) == json)
  }

  @Test func seedsAreNumbersIfJSONIsExact() throws {
    for seed: UInt64 in [0, 7, 1 << 53, 1 << 53 + 1, .max] {
      let text = JSON(whole: seed).description
      #expect(text == (seed <= 1 << 53 ? "\(seed)" : "\"\(seed)\""))
      #expect(try JSON(parsing: text).whole == seed)
    }
    #expect(JSON.string("7").whole == 7, "written by older versions")
    #expect(JSON.integer(-1).whole == nil && JSON.string("x").whole == nil)
  }
}
