import Formats

/// What the SVG of plots is written with: lengths in CSS pixels, letters 12 high.
enum SVG {
  /// The width of a text at 12 pixels in a usual sans-serif, rather too wide than too narrow.
  static func width(of text: String) -> Double { 6.9 * Double(text.count) }

  /// A length with one digit behind the point, which is finer than anyone sees.
  static func length(_ value: Double) -> Markup {
    let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let fraction = abs(tenths) % 10
    return "\(sign)\(abs(tenths) / 10)\(fraction == 0 ? "" : ".\(fraction)")"
  }

  /// Four digits that matter.
  static func number(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var scale = 1.0
    while abs(value) * scale < 1000 && scale < 1e12 { scale *= 10 }
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : "\(rounded)"
  }
}
