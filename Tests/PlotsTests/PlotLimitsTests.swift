import Pixels
import Testing

@testable import Plots

@Suite struct PlotLimitsTests {
  private func plot(_ points: [Point], band: [ClosedRange<Double>] = []) -> Plot {
    var plot = Plot(title: "", xLabel: "", yLabel: "", series: [.init("a", points, band: band)])
    plot.yLimits = -1...1
    return plot
  }

  @Test func axesAndBandsEndAtTheLimits() {
    // Without limits, the axis of a single point extends half a unit around it.
    let one = plot([Point(8000, 1)]).axes(ticks: 5, 5).y
    #expect(one.high == 1 && one.low >= -1)
    let band = plot([Point(0, 0), Point(1, 0.9)], band: [-0.5...0.5, 0.2...1.6])
    let axis = band.axes(ticks: 5, 5).y
    #expect(axis.high == 1 && axis.ticks.allSatisfy { (-1...1).contains($0) })
    #expect(band.band(of: 0) == [-0.5...0.5, 0.2...1])
    #expect(!band.svg().description.contains(">1.5</text>"))
    // A point outside the limits is shown.
    #expect(plot([Point(0, 0), Point(1, 3)]).axes(ticks: 5, 5).y.high >= 3)
  }

  @Test func markIsADashedLineOverAllSteps() {
    var marked = plot([Point(10, 0), Point(40, 1)])
    let bare = marked.picture(width: 400, height: 240)
    marked.mark(-0.5, "random player")
    #expect(marked.series[1].points == [Point(0, -0.5), Point(40, -0.5)] && marked.series[1].isDashed)
    let svg = marked.svg().description
    #expect(svg.contains("stroke-dasharray") && svg.contains("random player"))
    #expect(marked.picture(width: 400, height: 240) != bare)
    // Dashes alternate with gaps along the line.
    marked.series[1].name = ""
    let picture = marked.picture(width: 400, height: 240)
    let ink = Color(120, 126, 138)
    let rows = (0..<picture.height).map { row in
      (0..<picture.width).map { column in
        let at = row * picture.stride + column * 3
        return picture.bytes[at] == ink.red && picture.bytes[at + 1] == ink.green && picture.bytes[at + 2] == ink.blue
      }
    }
    let dashes = rows.map { row in zip(row, row.dropFirst()).count { !$0 && $1 } }.max() ?? 0
    #expect(dashes > 8, "\(dashes)")
  }
}
