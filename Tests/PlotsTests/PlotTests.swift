import Foundation
import Pixels
import Testing

@testable import Plots

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

  /// A horizontal line at half the range is drawn in its colour at half the height of the axes.
  @Test func linesAreAtTheirValues() throws {
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

  /// Lines and text have sufficient contrast to the dark and the light background.
  @Test func themesHaveSufficientContrast() {
    let plot = Plot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", [Point(0, 0), Point(1, 1)])])
    let (light, dark) = (plot.picture(width: 300, height: 200), plot.picture(width: 300, height: 200, theme: .dark))
    #expect(light.bytes[0] > 240 && dark.bytes[0] < 40)
    for theme in [PictureTheme.light, .dark] {
      for color in theme.palette + [theme.ink, theme.axis] {
        #expect(contrast(color, theme.paper) >= 2.4, "\(color) on \(theme.paper)")
      }
    }
    let shaded = Scatter(title: "", xLabel: "", yLabel: "", points: [Point(0, 0), Point(1, 1)], shades: [0, 1])
    #expect(shaded.picture(theme: .dark).bytes[0] < 40)
  }

  /// Returns the contrast ratio of WCAG 2.
  private func contrast(_ a: Color, _ b: Color) -> Double {
    func light(_ color: Color) -> Double {
      func linear(_ level: UInt8) -> Double {
        let x = Double(level) / 255
        return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4)
      }
      return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue) + 0.05
    }
    return max(light(a), light(b)) / min(light(a), light(b))
  }

  @Test func bandsAndAxesEndAtYLimits() {
    let series = Plot.Series("", [Point(0, 800), Point(10, 950)], band: [700...900, 820...1080])
    var plot = Plot(title: "", xLabel: "", yLabel: "", series: [series])
    #expect(plot.axes(ticks: 5, 5).y.high > 1000)
    plot.yLimits = 0...1000
    #expect(plot.axes(ticks: 5, 5).y.high == 1000 && plot.band(of: 0)[1] == 820...1000)
    let before = plot.tikz()
    plot.mark(150, "random player")
    #expect(plot.tikz() != before && plot.tikz().description.contains("dash pattern"))
    #expect(plot.svg().description.contains("stroke-dasharray") && plot.picture() != plot.picture(theme: .dark))
  }

  @Test func anyDataCanBeDrawn() {
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
