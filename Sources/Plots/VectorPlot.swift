import Pixels

/// Where a plot's parts lie in a picture of lines and letters, in units from the upper left corner, of which a letter is 12
/// high: what SVG and TikZ have in common.
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

  /// The named series in lines that wrap at the right; and where the last of them ends.
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

  // MARK: places

  func column(_ value: Double) -> Double { left + x.fraction(value) * (right - left) }
  func row(_ value: Double) -> Double { bottom - y.fraction(value) * (bottom - top) }
  private func place(_ point: Point) -> Point { Point(column(point.x), row(point.y)) }

  /// What can be drawn: the axes leave out what is as good as infinite.
  private func isDrawable(_ point: Point) -> Bool { abs(point.x) < 1e100 && abs(point.y) < 1e100 }

  // MARK: parts

  /// The corners of a series' band; none where there is none to draw.
  func band(of index: Int) -> [Point] {
    let (series, band) = (plot.series[index], plot.band(of: index))
    guard band.count == series.points.count else { return [] }
    let ranges = zip(series.points, band).filter {
      isDrawable($0) && abs($1.lowerBound) < 1e100 && abs($1.upperBound) < 1e100
    }
    guard ranges.count > 1 else { return [] }
    return ranges.map { place(Point($0.x, $1.upperBound)) }
      + ranges.reversed().map { place(Point($0.x, $1.lowerBound)) }
  }

  /// The line of a series, in as many pieces as points that cannot be drawn leave.
  func line(of index: Int) -> [[Point]] {
    plot.series[index].points.split { !isDrawable($0) }.map { $0.map(place) }
  }

  /// A series' points, where so few stand out: their places, and what they are.
  func dots(of index: Int) -> [(place: Point, value: Point)] {
    let points = plot.series[index].points
    return points.count > 60 || plot.series[index].isDashed ? [] : points.filter(isDrawable).map { (place($0), $0) }
  }
}
