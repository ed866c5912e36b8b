import Pixels

/// The layout of a vector plot, shared by SVG and TikZ. Units are measured from the upper left corner; the font size is
/// 12 units.
struct VectorPlot {
  let plot: Plot
  let x: Axis
  let y: Axis
  let width: Double
  let height: Double
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  let legend: [LegendEntry]

  struct LegendEntry {
    let series: Int
    let x: Double
    let y: Double
  }

  private static let lineHeight = 17.0

  init(plot: Plot, width: Double, height: Double) {
    self.plot = plot
    self.width = width
    self.height = height
    (x, y) = plot.axes(ticks: max(Int(width) / 75, 2), max(Int(height) / 55, 2))
    let (titleHeight, labelHeight) = (plot.title.isEmpty ? 6.0 : 26, plot.xLabel.isEmpty ? 0.0 : 18)
    left = 8 + (plot.yLabel.isEmpty ? 0 : 18) + (y.labels.map(SVG.width).max() ?? 0) + 7
    right = width - max(10, SVG.width(of: x.labels.last ?? "") / 2 + 2)
    (legend, top) = Self.legend(of: plot, from: left, to: width - 8, top: titleHeight)
    bottom = height - 22 - labelHeight
  }

  /// Arranges the named series in lines that wrap at the right. Returns the entries and the bottom of the last line.
  private static func legend(of plot: Plot, from left: Double, to right: Double, top: Double) -> ([LegendEntry], Double)
  {
    var entries: [LegendEntry] = []
    var (x, y) = (left, top + 11)
    for (index, series) in plot.series.enumerated() where !series.name.isEmpty {
      let width = 24 + SVG.width(of: series.name) + 14
      if x > left && x + width > right { (x, y) = (left, y + lineHeight) }
      entries.append(LegendEntry(series: index, x: x, y: y))
      x += width
    }
    return (entries, entries.isEmpty ? top + 4 : y + 13)
  }

  // MARK: Coordinates

  func column(_ value: Double) -> Double { left + x.fraction(value) * (right - left) }
  func row(_ value: Double) -> Double { bottom - y.fraction(value) * (bottom - top) }
  private func position(_ point: Point) -> Point { Point(column(point.x), row(point.y)) }

  /// Whether a point can be drawn. The axes ignore extremely large values.
  private func isDrawable(_ point: Point) -> Bool { abs(point.x) < 1e100 && abs(point.y) < 1e100 }

  // MARK: Parts

  /// Returns the corners of a band, or an empty array if there is nothing to draw.
  func band(of index: Int) -> [Point] {
    let (series, band) = (plot.series[index], plot.band(of: index))
    guard band.count == series.points.count else { return [] }
    let ranges = zip(series.points, band).filter {
      isDrawable($0) && abs($1.lowerBound) < 1e100 && abs($1.upperBound) < 1e100
    }
    guard ranges.count > 1 else { return [] }
    return ranges.map { position(Point($0.x, $1.upperBound)) }
      + ranges.reversed().map { position(Point($0.x, $1.lowerBound)) }
  }

  /// Returns the line of a series, split at points that cannot be drawn.
  func line(of index: Int) -> [[Point]] {
    plot.series[index].points.split { !isDrawable($0) }.map { $0.map(position) }
  }

  /// Returns the positions and values of the points of a series, or an empty array if there are too many for dots.
  func dots(of index: Int) -> [(place: Point, value: Point)] {
    let points = plot.series[index].points
    return points.count > 60 || plot.series[index].isDashed ? [] : points.filter(isDrawable).map { (position($0), $0) }
  }
}
