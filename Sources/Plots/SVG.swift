import Formats

/// Helpers for SVG plots. Lengths are in CSS pixels, for a font size of 12.
enum SVG {
  /// Returns an upper estimate of the width of a text in a common sans-serif font of 12 pixels.
  static func width(of text: String) -> Double { 6.9 * Double(text.count) }

  /// Formats a length with one decimal, which is finer than a visible difference.
  static func length(_ value: Double) -> Markup {
    let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let fraction = abs(tenths) % 10
    return "\(sign)\(abs(tenths) / 10)\(fraction == 0 ? "" : ".\(fraction)")"
  }

  /// Formats a number with at least four significant digits.
  static func number(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var scale = 1.0
    while abs(value) * scale < 1000 && scale < 1e12 { scale *= 10 }
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : "\(rounded)"
  }
}
