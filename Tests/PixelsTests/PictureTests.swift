import Core
import Foundation
import Testing

@testable import Pixels

@Suite struct FontTests {
  @Test(arguments: [8, 10, 13]) func everyCharacterHasItsOwnGlyph(capHeight: Int) {
    let font = Font(capHeight: capHeight)
    let characters = (32...126).map { Character(Unicode.Scalar(UInt8($0))) }
    let glyphs = characters.map { font.glyph($0) }
    #expect(Set(glyphs).count == 95)
    for (character, glyph) in zip(characters, glyphs) {
      #expect(glyph.weights.allSatisfy { $0 == 0 } == (character == " "))
      #expect(glyph.weights.count % (glyph.advance + 1) == 0)
      // The centre of a stroke is nearly opaque, and adjacent glyphs do not touch.
      #expect(character == " " || glyph.weights.contains { $0 > 200 }, "\(character) is faint")
      let last = stride(from: glyph.advance, to: glyph.weights.count, by: glyph.advance + 1)
      #expect(font.gap == 1 || last.allSatisfy { glyph.weights[$0] < 128 }, "\(character) is too wide")
    }
    #expect(font.glyph("ß") == font.glyph("?") && font.glyph("²") != font.glyph("2"))
    #expect(font.width(of: "") == 0 && font.width(of: "ab") < font.width(of: "abc"))
    let digits = "0123456789".map { font.glyph($0).advance }
    #expect(Set(digits).count == 1, "digits align in columns")
  }

  @Test func textIsPositionedAndClipped() {
    var frame = PixelBuffer(width: 20, height: 14, format: .gray)
    frame.write("L", left: 3, top: 2, .white)
    let lit = frame.bytes.indices.filter { frame.bytes[$0] > 250 }.map { [$0 % 20, $0 / 20] }
    // The left column of the stem and the lowest row of the foot are fully covered.
    #expect((3..<11).allSatisfy { lit.contains([3, $0]) } && (4..<8).allSatisfy { lit.contains([$0, 11]) })
    #expect(lit.allSatisfy { (3..<10).contains($0[0]) && (2..<12).contains($0[1]) })
    // Rotated to the left, the stem is at the bottom and the foot on the right.
    var turned = PixelBuffer(width: 14, height: 20, format: .gray)
    turned.write("L", left: 2, top: 3, direction: .up, .white)
    let width = Font.regular.width(of: "L")
    for y in 0..<14 {
      for x in 0..<20 where x - 3 < width {
        let across = 3 + width - 1 - (x - 3)
        if (0..<20).contains(across) { #expect(frame.bytes[20 * y + x] == turned.bytes[14 * across + y]) }
      }
    }
    frame.write("cut off on all sides", left: -9, top: -3, font: .large, .gray)
  }

  @Test func longTextIsTruncatedWithDots() {
    let font = Font.small
    let room = font.width(of: "reconst…")
    #expect(font.fitted("reconstruction", within: room) == "reconst…")
    #expect(font.fitted("error", within: room) == "error" && font.fitted("error", within: 1) == "")
  }
}

@Suite struct ImageGridTests {
  static func frame(_ value: UInt8, _ format: PixelFormat = .rgb) -> PixelBuffer {
    var frame = PixelBuffer(width: 10, height: 6, format: format)
    frame.draw { $0.fill(Color(gray: value)) }
    return frame
  }

  @Test func framesAreAtTheRightPositions() {
    var grid = ImageGrid(rows: [[Self.frame(10), Self.frame(20, .gray)], [Self.frame(30)]], scale: 3)
    grid.gap = 4
    let picture = grid.picture()
    #expect(picture.width == 4 + 2 * 34 && picture.height == 4 + 2 * 22 && picture.format == .rgb)
    func value(_ x: Int, _ y: Int) -> [UInt8] {
      Array(picture.bytes[y * picture.stride + 3 * x..<y * picture.stride + 3 * x + 3])
    }
    #expect(value(4, 4) == [10, 10, 10] && value(33, 21) == [10, 10, 10])
    #expect(value(38, 4) == [20, 20, 20] && value(67, 21) == [20, 20, 20])
    #expect(value(4, 26) == [30, 30, 30] && value(33, 43) == [30, 30, 30])
    let paper = grid.theme.paper
    let ground = [paper.red, paper.green, paper.blue]
    for (x, y) in [(3, 4), (34, 4), (4, 22), (38, 26), (71, 47)] { #expect(value(x, y) == ground) }
  }

  @Test func captionsEnlargeThePicture() {
    let bare = ImageGrid(rows: [[Self.frame(0)]]).picture()
    let captioned = ImageGrid(rows: [[Self.frame(0)]], columnCaptions: ["far too long"], rowCaptions: ["step 5"])
    let picture = captioned.picture()
    #expect(
      picture.height > bare.height
        && picture.width == Font.small.width(of: "far too long") + Font.small.width(of: "step 5") + 3 * captioned.gap)
    #expect(picture.bytes.contains(captioned.theme.ink.red))
  }

  @Test func errorScaleIsBelowTheFrames() {
    var grid = ImageGrid(rows: [[Self.frame(0)]])
    let (bare, scale) = (grid.picture(), ErrorScale().picture(width: 192))
    grid.legend = scale
    let picture = grid.picture()
    #expect(picture.height == bare.height + scale.height + grid.gap && picture.width == scale.width + 2 * grid.gap)
    // The first colour at no difference, the last at 64, the middle half-way.
    let row = Font.small.lineHeight + 5
    func color(_ x: Int) -> [UInt8] { Array(scale.bytes[row * scale.stride + 3 * x..<row * scale.stride + 3 * x + 3]) }
    let ends = [Color.heat(0), .heat(1)].map { [$0.red, $0.green, $0.blue] }
    #expect(color(0) == ends[0] && color(191) == ends[1])
    let half = Color.heat(95.0 / 191)
    #expect(color(95) == [half.red, half.green, half.blue])
    var narrow = ErrorScale()
    narrow.maximum = 32
    #expect(narrow.picture(width: 192) != scale, "its labels differ")
  }
}

@Suite struct PlaceMarksTests {
  @Test func dotsAreAtTheirPoints() {
    let marks = KeypointMarks(count: 16)
    let colors = (0..<16).map(marks.color)
    #expect(Set(colors).count == 16)
    var frame = PixelBuffer(width: 100, height: 50)
    marks.draw([Point(0.25, 0.2), Point(0.75, 0.8)], over: &frame)
    func color(_ x: Int, _ y: Int) -> Color {
      let i = y * frame.stride + 3 * x
      return Color(frame.bytes[i], frame.bytes[i + 1], frame.bytes[i + 2])
    }
    #expect(color(25, 10) == colors[0] && color(75, 40) == colors[1] && color(50, 25) == .black)
  }

  @Test func trailsAndRingsAreDrawn() {
    var marks = KeypointMarks(count: 1)
    var (plain, trailed) = (PixelBuffer(width: 60, height: 60), PixelBuffer(width: 60, height: 60))
    marks.draw([Point(0.9, 0.5)], over: &plain)
    marks.draw([Point(0.9, 0.5)], after: [[Point(0.1, 0.5)]], over: &trailed)
    #expect(plain.bytes[30 * plain.stride + 3 * 30] == 0 && trailed.bytes[30 * plain.stride + 3 * 30] > 100)
    marks.hollow = [0]
    var ring = PixelBuffer(width: 60, height: 60)
    marks.draw([Point(0.9, 0.5)], over: &ring)
    #expect(ring.bytes[30 * ring.stride + 3 * 54] == 0 && plain.bytes[30 * plain.stride + 3 * 54] > 100)
    #expect(marks.legend(width: 100).bytes.contains(marks.color(of: 0).red))
  }

  /// The legend has several lines if the indices do not fit in one.
  @Test func legendWraps() {
    #expect(KeypointMarks(count: 16).legend(width: 120).height == 6 * KeypointMarks(count: 2).legend(width: 120).height)
    #expect(KeypointMarks(count: 0).legend(width: 20).width >= 20)
  }
}

@Suite struct HeatTests {
  @Test func lightnessIsMonotonic() {
    let ramp = (0...255).map { Color.heat(Double($0) / 255) }
    let lightness = ramp.map { Double($0.luminance) }
    for (before, after) in zip(lightness, lightness.dropFirst()) { #expect(after >= before - 1) }
    #expect(ramp[0] == .black && lightness[255] > 235 && Set(ramp).count > 230)
    #expect(Color.heat(-1) == ramp[0] && Color.heat(7) == ramp[255] && Color.heat(.nan) == Color(0, 255, 0))
  }

  @Test func errorMapShowsTheDifference() {
    let first = ImageGridTests.frame(100)
    var second = first
    second.bytes[3 * 25] += 48
    let map = PixelBuffer.errorMap(first, second, maximum: 32)
    let expected = Color.heat(0.5)
    #expect(Array(map.bytes[75..<78]) == [expected.red, expected.green, expected.blue])
    #expect(map.bytes.enumerated().allSatisfy { (75..<78).contains($0.offset) || $0.element == 0 })
  }
}

@Suite struct SheetTests {
  @Test func sheetStacksPictures() {
    let (wide, tall) = (PixelBuffer(width: 50, height: 10), PixelBuffer(width: 20, height: 30, format: .gray))
    let sheet = Sheet([("", wide), ("", tall)])
    #expect(sheet.picture().width == 50 && sheet.picture().height == 40)
    let titled = Sheet([("a title that is wider than all", wide), ("", tall)]).picture()
    #expect(titled.width > 200 && titled.height > 40)
  }
}
