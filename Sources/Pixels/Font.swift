/// A built-in sans-serif font for captions. Glyphs are strokes of a round pen, antialiased and aligned to the pixel
/// grid of each size. Unsupported characters are shown as a question mark.
public struct Font: Sendable {
  /// The height of a capital in pixels.
  public let capHeight: Int
  /// The coverage of the pixels of a glyph.
  struct Glyph: Sendable, Hashable {
    /// The distance to the next glyph in pixels.
    var advance: Int
    /// `rows` rows of `advance + 1` columns, in 256ths. The first column is left of the glyph's edge.
    var weights: [UInt16]
  }

  private let glyphs: [Character: Glyph]
  private let unknown: Glyph
  /// Rows above the top of a capital and below the baseline, for parentheses, g and similar glyphs.
  let ascent: Int
  let descent: Int
  /// The gap between two glyphs in pixels.
  let gap: Int

  /// For captions of many small frames: capitals of 8 pixels.
  public static let small = Font(capHeight: 8)
  /// For plots and captions: capitals of 10 pixels.
  public static let regular = Font(capHeight: 10)
  /// For titles: capitals of 13 pixels.
  public static let large = Font(capHeight: 13)

  /// Renders all glyphs. This is done once per size.
  init(capHeight: Int) {
    self.capHeight = capHeight
    let pen = Pen(capHeight: capHeight)
    (ascent, descent) = (pen.ascent, pen.descent)
    gap = max(1, (17 * capHeight + 50) / 100)
    var glyphs: [Character: Glyph] = [:]
    for (character, outline) in Glyphs.outlines {
      glyphs[character] = pen.glyph(outline, gap: gap, isDigit: ("0"..."9").contains(character))
    }
    let space = (32 * capHeight + 50) / 100 + gap
    glyphs[" "] = Glyph(advance: space, weights: [UInt16](repeating: 0, count: (space + 1) * pen.rows))
    self.glyphs = glyphs
    unknown = glyphs["?"] ?? Glyph(advance: space, weights: [])
  }

  /// The distance between the tops of two lines in pixels.
  public var lineHeight: Int { capHeight * 9 / 5 }

  /// Returns the width of a text in pixels.
  public func width(of text: String) -> Int {
    max(text.reduce(0) { $0 + glyph($1).advance } - gap, 0)
  }

  /// Returns the text, truncated with "…" if it is wider than `width` pixels.
  public func fitted(_ text: String, within width: Int) -> String {
    if self.width(of: text) <= width { return text }
    var prefix = text
    while !prefix.isEmpty && self.width(of: prefix + "…") > width { prefix.removeLast() }
    return prefix.isEmpty ? "" : prefix + "…"
  }

  func glyph(_ character: Character) -> Glyph { glyphs[character] ?? unknown }
}

/// Renders the strokes of a glyph to pixels.
private struct Pen {
  let capHeight: Int
  /// The width of the strokes. All lengths here are in pixels.
  let width: Double
  let ascent: Int
  let descent: Int
  /// Pixels per tenth of a capital's height, which is measured between the centres of its highest and lowest strokes.
  private let scale: Double

  init(capHeight: Int) {
    self.capHeight = capHeight
    width = 0.7 + 0.075 * Double(capHeight)
    (ascent, descent) = ((14 * capHeight + 99) / 100, (30 * capHeight + 99) / 100 + 1)
    scale = (Double(capHeight) - width) / 10
  }

  var rows: Int { ascent + capHeight + descent }

  func glyph(_ outline: Glyphs.Outline, gap: Int, isDigit: Bool) -> Font.Glyph {
    let ink = inkWidth(of: outline, isDigit: isDigit)
    let segments = outline.strokes.flatMap { capsules(of: $0, in: outline, ink: ink) }
    let columns = ink + gap + 1
    var weights = [UInt16](repeating: 0, count: columns * rows)
    for row in 0..<rows {
      for column in 0..<columns {
        let center = Point(Double(column) - 0.5, Double(ascent + capHeight - row) - 0.5)
        let distance = segments.map { $0.distance(to: center) }.min() ?? .infinity
        weights[row * columns + column] = UInt16(min(max(0.5 - distance, 0), 1) * 256)
      }
    }
    return Font.Glyph(advance: ink + gap, weights: weights)
  }

  /// Returns the width of a glyph in whole pixels. It is odd for a glyph with a centred stem, so that the stem is
  /// sharp. All digits have the same width.
  private func inkWidth(of outline: Glyphs.Outline, isDigit: Bool) -> Int {
    if outline.width == 0 { return max(1, Int((width - 0.3).rounded(.up))) }
    let ink = outline.width * scale + width
    let middle = outline.width / 2
    let hasStem =
      isDigit
      || outline.strokes.contains { stroke in
        steps(of: stroke).contains { $0.x == middle && $1.x == middle && $0.y != $1.y }
      }
    return max(1, hasStem ? 2 * Int(((ink - 1) / 2).rounded()) + 1 : Int(ink.rounded()))
  }

  private func steps(of stroke: Glyphs.Stroke) -> [(Point, Point)] {
    let points = [stroke.start] + stroke.moves.map(\.end)
    return Array(zip(points, points.dropFirst()))
  }

  private func capsules(of stroke: Glyphs.Stroke, in outline: Glyphs.Outline, ink: Int) -> [Capsule] {
    let bars = Set(outline.strokes.flatMap(steps).filter { $0.y == $1.y }.map { $0.0.y })
    func position(_ point: Point) -> Point {
      let across = outline.width == 0 ? 0 : point.x / outline.width * (Double(ink) - width)
      return Point(width / 2 + across, height(point.y, isBar: bars.contains(point.y)))
    }
    var capsules: [Capsule] = []
    var at = position(stroke.start)
    func draw(to end: Point) {
      capsules.append(Capsule(start: at, end: end, radius: width / 2))
      at = end
    }
    for move in stroke.moves {
      switch move {
      case .line(let end): draw(to: position(end))
      case .corner(let corner, let end):
        let curve = QuarterEllipse(start: at, corner: position(corner), end: position(end))
        for step in 1...8 { draw(to: curve.point(at: Double(step) / 8)) }
      }
    }
    return capsules
  }

  /// Returns the y position of a stroke's centre. The tops of lowercase letters and of horizontal bars are aligned to
  /// pixel edges.
  private func height(_ y: Double, isBar: Bool) -> Double {
    let exact = width / 2 + y * scale
    if y == 7 { return (0.7 * Double(capHeight)).rounded() - width / 2 }
    return isBar && y != 0 && y != 10 ? (exact + width / 2).rounded() - width / 2 : exact
  }
}

/// A quarter of an ellipse as a cubic Bézier curve, tangent to the lines from its end points to a corner.
private struct QuarterEllipse {
  var start: Point
  var corner: Point
  var end: Point

  func point(at t: Double) -> Point {
    let (u, bend) = (1 - t, 0.5523)
    func mix(_ a: Double, _ c: Double, _ b: Double) -> Double {
      let (first, second) = (a + bend * (c - a), b + bend * (c - b))
      return u * u * u * a + 3 * u * u * t * first + 3 * u * t * t * second + t * t * t * b
    }
    return Point(mix(start.x, corner.x, end.x), mix(start.y, corner.y, end.y))
  }
}

extension PixelBuffer {
  /// The direction of a line of text.
  public enum TextDirection: Sendable, Hashable { case right, up }

  /// Draws one line of text. `left` and `top` are the upper left corner of the capitals in pixels. Text outside the
  /// frame is clipped.
  public mutating func write(
    _ text: String, left: Int, top: Int, font: Font = .regular, direction: TextDirection = .right, _ color: Color
  ) {
    let length = font.width(of: text)
    var row = Row(format: format, color: color)
    var start = -1
    for character in text {
      let glyph = font.glyph(character)
      let columns = glyph.advance + 1
      for index in glyph.weights.indices where glyph.weights[index] > 0 {
        let (u, v) = (start + index % columns, index / columns - font.ascent)
        let x = direction == .right ? left + u : left + v
        let y = direction == .right ? top + v : top + length - 1 - u
        guard (0..<width).contains(x) && (0..<height).contains(y) else { continue }
        row.start = y * stride
        var pixels = bytes.mutableSpan
        row.blend(x, weight: Int(glyph.weights[index]), into: &pixels)
      }
      start += glyph.advance
    }
  }
}
