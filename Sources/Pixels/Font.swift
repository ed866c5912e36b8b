/// A sans-serif of its own for captions: strokes of a round pen, antialiased, their edges fitted to the pixels of each
/// size. What it has no letter for shows as a question mark.
public struct Font: Sendable {
  /// Rows of a capital.
  public let capHeight: Int
  /// Coverage of a letter's pixels.
  struct Glyph: Sendable, Hashable {
    /// Columns from one letter's left edge to the next one's.
    var advance: Int
    /// `rows` rows of `advance + 1` columns, the first one left of the letter's edge, in 256ths.
    var weights: [UInt16]
  }

  private let glyphs: [Character: Glyph]
  private let unknown: Glyph
  /// Rows above a capital's top and below the line that it stands on: of parentheses, g and the like.
  let ascent: Int
  let descent: Int
  /// Columns between two letters.
  let gap: Int

  /// For captions of many small frames: capitals of 8 pixels.
  public static let small = Font(capHeight: 8)
  /// For plots and captions: capitals of 10 pixels.
  public static let regular = Font(capHeight: 10)
  /// For titles: capitals of 13 pixels.
  public static let large = Font(capHeight: 13)

  /// Draws all letters, once for each size.
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

  /// Rows from one line's top to the next one's.
  public var lineHeight: Int { capHeight * 9 / 5 }

  /// The columns from the first character's left edge to the last one's right edge.
  public func width(of text: String) -> Int {
    max(text.reduce(0) { $0 + glyph($1).advance } - gap, 0)
  }

  /// The text, or as much of it as fits into so many columns, with "…" behind it.
  public func fitted(_ text: String, within width: Int) -> String {
    if self.width(of: text) <= width { return text }
    var kept = text
    while !kept.isEmpty && self.width(of: kept + "…") > width { kept.removeLast() }
    return kept.isEmpty ? "" : kept + "…"
  }

  func glyph(_ character: Character) -> Glyph { glyphs[character] ?? unknown }
}

/// Draws the strokes of a letter into pixels.
private struct Pen {
  let capHeight: Int
  /// The strokes' width, in pixels as all here.
  let width: Double
  let ascent: Int
  let descent: Int
  /// Pixels of a tenth of a capital's height, between the middles of its highest and its lowest stroke.
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

  /// Whole columns; an odd number for a letter with a stem in its middle, which then is as sharp as others. All digits have
  /// the width of a 1.
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
    func place(_ point: Point) -> Point {
      let across = outline.width == 0 ? 0 : point.x / outline.width * (Double(ink) - width)
      return Point(width / 2 + across, height(point.y, isBar: bars.contains(point.y)))
    }
    var capsules: [Capsule] = []
    var at = place(stroke.start)
    func draw(to end: Point) {
      capsules.append(Capsule(start: at, end: end, radius: width / 2))
      at = end
    }
    for move in stroke.moves {
      switch move {
      case .line(let end): draw(to: place(end))
      case .corner(let corner, let end):
        let curve = QuarterEllipse(start: at, corner: place(corner), end: place(end))
        for step in 1...8 { draw(to: curve.point(at: Double(step) / 8)) }
      }
    }
    return capsules
  }

  /// The row of a stroke's middle: the tops of small letters and of bars lie at an edge between pixels.
  private func height(_ y: Double, isBar: Bool) -> Double {
    let exact = width / 2 + y * scale
    if y == 7 { return (0.7 * Double(capHeight)).rounded() - width / 2 }
    return isBar && y != 0 && y != 10 ? (exact + width / 2).rounded() - width / 2 : exact
  }
}

/// A curve that leaves and arrives along the lines to a corner: a quarter of an ellipse, as a cubic has it.
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
  /// Which way a line of text runs.
  public enum TextDirection: Sendable, Hashable { case right, up }

  /// Writes one line; `left` and `top` are the upper left corner of its capitals' box in pixels, and what lies outside
  /// the frame is cut off.
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
