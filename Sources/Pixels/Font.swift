/// A fixed-width font of its own: printable ASCII, 5 by 7 pixels a character, g, p, q and y two pixels lower.
public enum Font {
  /// The size of a cell: a glyph and the space to its right and below.
  public static let advance = 6
  public static let lineHeight = 11
  /// Rows from the top of a capital to the line that it stands on.
  public static let capHeight = 7

  /// The pixels from the first character's left edge to the last one's right edge.
  public static func width(of text: String, scale: Int = 1) -> Int {
    max(text.count * advance - 1, 0) * scale
  }

  /// The seven rows of a character from the top, five bits each, the leftmost highest; '?' for what is not ASCII.
  static func glyph(_ character: Character) -> UInt64 {
    guard let code = character.asciiValue, (32...126).contains(code) else { return glyphs[Int(UInt8(ascii: "?")) - 32] }
    return glyphs[Int(code) - 32]
  }

  /// How far a glyph hangs below the line.
  static func descent(of character: Character) -> Int { "gpqy".contains(character) ? 2 : 0 }

  static func isSet(_ glyph: UInt64, column: Int, row: Int) -> Bool {
    glyph >> UInt64(8 * (6 - row) + 4 - column) & 1 == 1
  }

  private static let glyphs: [UInt64] = [
    0x00_00_00_00_00_00_00,  // space
    0x04_04_04_04_04_00_04,  // !
    0x0a_0a_0a_00_00_00_00,  // "
    0x0a_0a_1f_0a_1f_0a_0a,  // #
    0x04_0f_14_0e_05_1e_04,  // $
    0x19_19_02_04_08_13_13,  // %
    0x08_14_14_08_15_12_0d,  // &
    0x04_04_04_00_00_00_00,  // '
    0x02_04_08_08_08_04_02,  // (
    0x08_04_02_02_02_04_08,  // )
    0x00_04_15_0e_15_04_00,  // *
    0x00_04_04_1f_04_04_00,  // +
    0x00_00_00_00_06_04_08,  // ,
    0x00_00_00_1f_00_00_00,  // -
    0x00_00_00_00_00_06_06,  // .
    0x01_01_02_04_08_10_10,  // /
    0x0e_11_13_15_19_11_0e,  // 0
    0x04_0c_04_04_04_04_0e,  // 1
    0x0e_11_01_02_04_08_1f,  // 2
    0x1f_02_04_02_01_11_0e,  // 3
    0x02_06_0a_12_1f_02_02,  // 4
    0x1f_10_1e_01_01_11_0e,  // 5
    0x06_08_10_1e_11_11_0e,  // 6
    0x1f_01_02_02_04_04_04,  // 7
    0x0e_11_11_0e_11_11_0e,  // 8
    0x0e_11_11_0f_01_02_0c,  // 9
    0x00_06_06_00_06_06_00,  // :
    0x00_06_06_00_06_04_08,  // ;
    0x02_04_08_10_08_04_02,  // <
    0x00_00_1f_00_1f_00_00,  // =
    0x08_04_02_01_02_04_08,  // >
    0x0e_11_01_02_04_00_04,  // ?
    0x0e_11_17_15_17_10_0e,  // @
    0x04_0a_11_11_1f_11_11,  // A
    0x1e_11_11_1e_11_11_1e,  // B
    0x0e_11_10_10_10_11_0e,  // C
    0x1c_12_11_11_11_12_1c,  // D
    0x1f_10_10_1e_10_10_1f,  // E
    0x1f_10_10_1e_10_10_10,  // F
    0x0e_11_10_17_11_11_0f,  // G
    0x11_11_11_1f_11_11_11,  // H
    0x0e_04_04_04_04_04_0e,  // I
    0x07_02_02_02_02_12_0c,  // J
    0x11_12_14_18_14_12_11,  // K
    0x10_10_10_10_10_10_1f,  // L
    0x11_1b_15_15_11_11_11,  // M
    0x11_11_19_15_13_11_11,  // N
    0x0e_11_11_11_11_11_0e,  // O
    0x1e_11_11_1e_10_10_10,  // P
    0x0e_11_11_11_15_12_0d,  // Q
    0x1e_11_11_1e_14_12_11,  // R
    0x0f_10_10_0e_01_01_1e,  // S
    0x1f_04_04_04_04_04_04,  // T
    0x11_11_11_11_11_11_0e,  // U
    0x11_11_11_11_11_0a_04,  // V
    0x11_11_11_15_15_15_0a,  // W
    0x11_11_0a_04_0a_11_11,  // X
    0x11_11_11_0a_04_04_04,  // Y
    0x1f_01_02_04_08_10_1f,  // Z
    0x0e_08_08_08_08_08_0e,  // [
    0x10_10_08_04_02_01_01,  // \
    0x0e_02_02_02_02_02_0e,  // ]
    0x04_0a_11_00_00_00_00,  // ^
    0x00_00_00_00_00_00_1f,  // _
    0x08_04_02_00_00_00_00,  // `
    0x00_00_0e_01_0f_11_0f,  // a
    0x10_10_16_19_11_11_1e,  // b
    0x00_00_0e_10_10_11_0e,  // c
    0x01_01_0d_13_11_11_0f,  // d
    0x00_00_0e_11_1f_10_0e,  // e
    0x06_09_08_1c_08_08_08,  // f
    0x0f_11_11_0f_01_01_0e,  // g
    0x10_10_16_19_11_11_11,  // h
    0x04_00_0c_04_04_04_0e,  // i
    0x02_00_06_02_02_12_0c,  // j
    0x10_10_12_14_18_14_12,  // k
    0x0c_04_04_04_04_04_0e,  // l
    0x00_00_1a_15_15_15_15,  // m
    0x00_00_16_19_11_11_11,  // n
    0x00_00_0e_11_11_11_0e,  // o
    0x16_19_11_1e_10_10_10,  // p
    0x0d_13_11_0f_01_01_01,  // q
    0x00_00_16_19_10_10_10,  // r
    0x00_00_0f_10_0e_01_1e,  // s
    0x08_08_1c_08_08_09_06,  // t
    0x00_00_11_11_11_13_0d,  // u
    0x00_00_11_11_11_0a_04,  // v
    0x00_00_11_11_15_15_0a,  // w
    0x00_00_11_0a_04_0a_11,  // x
    0x11_11_11_0f_01_01_0e,  // y
    0x00_00_1f_02_04_08_1f,  // z
    0x02_04_04_08_04_04_02,  // {
    0x04_04_04_04_04_04_04,  // |
    0x08_04_04_02_04_04_08,  // }
    0x00_00_08_15_02_00_00,  // ~
  ]
}

extension PixelBuffer {
  /// Which way a line of text runs.
  public enum TextDirection: Sendable, Hashable { case right, up }

  /// Writes one line; `left` and `top` are the upper left corner of its box in pixels, and what lies outside the frame
  /// is cut off. Each of the font's pixels becomes a block of `scale` by `scale`.
  public mutating func write(
    _ text: String, left: Int, top: Int, scale: Int = 1, direction: TextDirection = .right, _ color: Color
  ) {
    let length = Font.width(of: text, scale: scale)
    var row = Row(format: format, color: color)
    var start = 0
    for character in text {
      let glyph = Font.glyph(character)
      let lowered = Font.descent(of: character) * scale
      for v in 0..<Font.capHeight * scale {
        for u in 0..<5 * scale where Font.isSet(glyph, column: u / scale, row: v / scale) {
          let x = direction == .right ? left + start + u : left + lowered + v
          let y = direction == .right ? top + lowered + v : top + length - 1 - start - u
          guard (0..<width).contains(x) && (0..<height).contains(y) else { continue }
          row.start = y * stride
          var pixels = bytes.mutableSpan
          row.fill(x..<x + 1, weight: 256, into: &pixels)
        }
      }
      start += Font.advance * scale
    }
  }
}
