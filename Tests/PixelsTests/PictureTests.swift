import Core
import Testing

@testable import Pixels

@Suite struct FontTests {
  @Test func everyCharacterHasItsOwnGlyph() {
    let characters = (32...126).map { Character(Unicode.Scalar(UInt8($0))) }
    let glyphs = characters.map { (Font.glyph($0), Font.descent(of: $0)) }
    #expect(Set(glyphs.map { "\($0.0) \($0.1)" }).count == 95)
    for (character, glyph) in zip(characters, glyphs) {
      #expect((glyph.0 == 0) == (character == " "))
      #expect(glyph.0 & ~0x1f_1f_1f_1f_1f_1f_1f == 0, "\(character) is wider than five pixels")
    }
    #expect(Font.glyph("ß") == Font.glyph("?"))
    #expect(Font.width(of: "ab", scale: 2) == 22)
  }

  @Test func textIsWrittenInPlaceAndCut() {
    var frame = PixelBuffer(width: 12, height: 8, format: .gray)
    frame.write("L", left: 3, top: 0, .white)
    let lit = frame.bytes.indices.filter { frame.bytes[$0] == 255 }.map { [$0 % 12, $0 / 12] }
    #expect(Set(lit) == Set((0..<7).map { [3, $0] } + (4..<8).map { [$0, 6] }))
    // Turned to the left, the stem lies below and the foot stands on the right.
    var turned = PixelBuffer(width: 8, height: 12, format: .gray)
    turned.write("L", left: 0, top: 3, direction: .up, .white)
    let up = turned.bytes.indices.filter { turned.bytes[$0] == 255 }.map { [$0 % 8, $0 / 8] }
    #expect(Set(up) == Set((0..<7).map { [$0, 7] } + (3..<7).map { [6, $0] }))
    frame.write("cut off on all sides", left: -9, top: -3, scale: 3, .gray)
  }
}

@Suite struct ImageGridTests {
  static func frame(_ value: UInt8, _ format: PixelFormat = .rgb) -> PixelBuffer {
    var frame = PixelBuffer(width: 10, height: 6, format: format)
    frame.draw { $0.fill(Color(gray: value)) }
    return frame
  }

  @Test func framesStandWhereTheyShould() {
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
    let ground = [grid.background.red, grid.background.green, grid.background.blue]
    for (x, y) in [(3, 4), (34, 4), (4, 22), (38, 26), (71, 47)] { #expect(value(x, y) == ground) }
  }

  @Test func captionsMakeRoom() {
    let bare = ImageGrid(rows: [[Self.frame(0)]]).picture()
    let captioned = ImageGrid(rows: [[Self.frame(0)]], columnCaptions: ["far too long"], rowCaptions: ["step 5"])
    let picture = captioned.picture()
    #expect(picture.height > bare.height && picture.width == bare.width + 6 * Font.advance + captioned.gap)
    #expect(picture.bytes.contains(captioned.ink.red))
  }
}

@Suite struct HeatTests {
  @Test func theRampGrowsEvenlyLighter() {
    let ramp = (0...255).map { Color.heat(Double($0) / 255) }
    let lightness = ramp.map { Double($0.luminance) }
    for (before, after) in zip(lightness, lightness.dropFirst()) { #expect(after >= before - 1) }
    #expect(ramp[0] == .black && lightness[255] > 235 && Set(ramp).count > 230)
    #expect(Color.heat(-1) == ramp[0] && Color.heat(7) == ramp[255] && Color.heat(.nan) == Color(0, 255, 0))
  }

  @Test func errorsShowWhereTheyAre() {
    let first = ImageGridTests.frame(100)
    var second = first
    second.bytes[3 * 25] += 48
    let map = PixelBuffer.errorMap(first, second, maximum: 32)
    let expected = Color.heat(0.5)
    #expect(Array(map.bytes[75..<78]) == [expected.red, expected.green, expected.blue])
    #expect(map.bytes.enumerated().allSatisfy { (75..<78).contains($0.offset) || $0.element == 0 })
  }
}

@Suite struct PlotTests {
  @Test func ticksAreRoundNumbers() {
    let steps = Axis(values: [0, 100_000], range: nil, ticks: 6, isTight: true)
    #expect(steps.labels == ["0", "20k", "40k", "60k", "80k", "100k"])
    let returns = Axis(values: [13, 870], range: nil, ticks: 6, isTight: false)
    #expect(returns.labels == ["0", "200", "400", "600", "800", "1000"])
    let losses = Axis(values: [-0.3, 0.42], range: nil, ticks: 4, isTight: false)
    #expect(losses.labels == ["-0.4", "-0.2", "0", "0.2", "0.4", "0.6"])
    #expect(
      Axis(values: [0, 2.4e6], range: nil, ticks: 5, isTight: true).labels == ["0", "0.5M", "1.0M", "1.5M", "2.0M"])
    #expect(Axis(values: [], range: nil, ticks: 5, isTight: true).ticks.count > 1)
    #expect(Axis(values: [7], range: nil, ticks: 5, isTight: true).ticks.count > 1)
    #expect(Axis(values: [1e-9, 3e-9], range: nil, ticks: 3, isTight: true).ticks.count > 1)
    #expect(Axis(values: [5], range: 0...10, ticks: 5, isTight: false).ticks == [0, 2, 4, 6, 8, 10])
  }

  /// A level line at half height is drawn in the series' colour across the middle of the axes.
  @Test func linesAreWhereTheirValuesAre() throws {
    let series = Plot.Series("", [Point(0, 5), Point(10, 5)], color: Color(200, 0, 100))
    var plot = Plot(title: "", xLabel: "", yLabel: "", series: [series])
    plot.yRange = 0...10
    let picture = plot.picture(width: 400, height: 300)
    let rows = (0..<300).filter { picture.bytes[$0 * picture.stride + 3 * 200] == 200 }
    let gray = (0..<300).filter { picture.bytes[$0 * picture.stride + 3 * 201] == 120 }
    let axis: Int = try #require(gray.last)
    #expect(rows.count >= 2)
    #expect(abs(Double(rows.reduce(0, +)) / Double(rows.count) - Double(24 + axis) / 2) <= 1)
  }

  @Test func anyDataGivesAPicture() {
    let nan = Plot.Series("gap", [Point(0, 1), Point(1, .nan), Point(2, .infinity), Point(3, 2)])
    let band = Plot.Series("band", [Point(0, 1), Point(5, 2)], band: [0...2, 1...(.infinity)])
    let huge = Plot.Series("huge", [Point(0, -1e308), Point(1e300, 1e308), Point(1e-300, 1e99)])
    for series in [[], [nan], [Plot.Series("empty", [])], [band, nan], [Plot.Series("one", [Point(3, -2)])], [huge]] {
      let plot = Plot(title: "Title", xLabel: "x", yLabel: "y", series: series)
      #expect(plot.picture(width: 320, height: 200).bytes.count == 3 * 320 * 200)
      #expect(plot.picture(width: 320, height: 200) == plot.picture(width: 320, height: 200))
    }
  }
}
