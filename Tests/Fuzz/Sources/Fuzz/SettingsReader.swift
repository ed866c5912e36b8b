import Core
import Runs

private enum Color: String, ChoiceSetting { case gray, rgb }

/// Settings of every kind.
private struct Sample: SettingsGroup {
  var size = 64
  var rate = 0.5
  var color = Color.rgb
  var norm = true
  var name = "a"

  static var fields: [Field<Self>] {
    [
      Field("size", \.size, 1...1000, "pixels"), Field("rate", \.rate, 0...1, "rate"),
      Field("color", \.color, "colour"),
      Field("norm", \.norm, "layer norm"), Field("name", \.name, "name"),
    ]
  }
}

extension Reader {
  /// A file of settings by group: what is taken lies within its bounds, is written, and read again as the same.
  static let settings = Reader(name: "settings") {
    var other = Sample()
    (other.size, other.rate, other.color, other.norm, other.name) = (1000, 1e-6, .gray, false, "é: #")
    return [Sample(), other].map { Array(SettingsFile.text(of: [("agent", $0)]).utf8) }
  } read: { bytes in
    let file = try SettingsFile(parsing: bytes, path: "settings")
    try file.check([("agent", Sample())])
    var sample = Sample()
    try file.apply("agent", to: &sample)
    precondition((1...1000).contains(sample.size) && (0...1).contains(sample.rate))
    let text = SettingsFile.text(of: [("agent", sample)])
    let second = again {
      var second = Sample()
      try SettingsFile(parsing: Array(text.utf8), path: "again").apply("agent", to: &second)
      return second
    }
    precondition(SettingsFile.text(of: [("agent", second)]) == text)
  }
}
