import Pixels
import Testing

@testable import Plots

@Suite struct ScatterTests {
  private func count(_ picture: PixelBuffer, _ color: Color) -> Int {
    stride(from: 0, to: picture.bytes.count, by: 3).count {
      picture.bytes[$0] == color.red && picture.bytes[$0 + 1] == color.green && picture.bytes[$0 + 2] == color.blue
    }
  }

  @Test func pointsAndDiagonalAreDrawn() {
    var plot = Scatter(title: "t", xLabel: "x", yLabel: "y", points: [Point(0, 0), Point(1, 1), Point(.nan, 0)])
    let plain = plot.picture(width: 400, height: 300)
    #expect(plain.width == 400 && plain.height == 300)
    plot.points.removeLast()
    #expect(plot.picture(width: 400, height: 300) == plain, "a point that is not finite is not drawn")
    plot.points = []
    #expect(plot.picture(width: 400, height: 300) != plain)
    plot.hasDiagonal = true
    #expect(plot.picture(width: 400, height: 300).height == 300)
  }

  @Test func shadesHaveAColorBar() {
    let points = [Point(0, 0), Point(1, 2), Point(2, 1)]
    let plot = Scatter(
      title: "", xLabel: "", yLabel: "", points: points, shades: [0, 5, 10], shadeLabel: "value")
    let picture = plot.picture(width: 400, height: 300)
    // The lightest colour is at a point and in the colour bar.
    #expect(count(picture, .heat(0.12 + 0.7)) > 0)
    var other = plot
    other.shades = [10, 5, 0]
    #expect(other.picture(width: 400, height: 300) != picture)
  }
}
