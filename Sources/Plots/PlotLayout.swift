import Pixels

/// The layout of a plot in its picture, in pixels from the upper left corner, and the drawing of its parts.
struct PlotLayout {
  let plot: Plot
  let x: Axis
  let y: Axis
  let width: Int
  let height: Int
  let left: Int
  let right: Int
  let top: Int
  let bottom: Int

  let theme: PictureTheme

  private static let font = Font.regular
  private static let lineHeight = font.capHeight
  private static let lineWidth = 2.4

  init(plot: Plot, x: Axis, y: Axis, width: Int, height: Int, theme: PictureTheme) {
    self.theme = theme
    self.plot = plot
    self.x = x
    self.y = y
    self.width = width
    self.height = height
    let labels = y.labels.map(Self.font.width(of:)).max() ?? 0
    left = 16 + (plot.yLabel.isEmpty ? 0 : Self.lineHeight + 14) + labels + 12
    let lastLabel = Self.font.width(of: x.labels.last ?? "") / 2
    right = width - max(24, lastLabel + 8)
    top = plot.title.isEmpty ? 24 : 24 + Font.large.capHeight + 20
    bottom = height - 18 - (plot.xLabel.isEmpty ? 0 : Self.lineHeight + 14) - Self.lineHeight - 12
  }

  // MARK: Coordinates

  /// Returns the canvas coordinates of a data point, in pixels with y up.
  func place(_ point: Point) -> Point {
    Point(
      Double(left) + x.fraction(point.x) * Double(right - left),
      Double(height - bottom) + y.fraction(point.y) * Double(bottom - top))
  }

  private func column(_ value: Double) -> Int { Int((x.fraction(value) * Double(right - left)).rounded()) + left }
  private func row(_ value: Double) -> Int { bottom - Int((y.fraction(value) * Double(bottom - top)).rounded()) }

  // MARK: Parts

  /// Draws the background and the grid lines, below the data.
  func drawFrame(into picture: inout PixelBuffer) {
    picture.draw { canvas in
      canvas.fill(theme.paper)
      for tick in x.ticks { vertical(column(tick), from: top, to: bottom, theme.grid, on: &canvas) }
      for tick in y.ticks { horizontal(row(tick), from: left, to: right, theme.grid, on: &canvas) }
    }
  }

  /// Draws a band as one polygon between each pair of adjacent points.
  func drawBand(of index: Int, on canvas: inout Canvas) {
    let (series, band) = (plot.series[index], plot.band(of: index))
    guard band.count == series.points.count else { return }
    canvas.opacity = 0.2
    defer { canvas.opacity = 1 }
    var last: (low: Point, high: Point)?
    for (point, range) in zip(series.points, band) {
      let low = place(Point(point.x, range.lowerBound))
      let high = place(Point(point.x, range.upperBound))
      guard let before = last else {
        last = (low, high)
        continue
      }
      // The antialiased edges of polygons narrower than two pixels would overlap and be visible as stripes.
      if low.x - before.low.x < 2 { continue }
      canvas.polygon([before.low, low, high, before.high], plot.color(of: index, theme))
      last = (low, high)
    }
  }

  func drawLine(of index: Int, on canvas: inout Canvas) {
    let (points, color) = (plot.series[index].points, plot.color(of: index, theme))
    guard !plot.series[index].isDashed else {
      for (from, to) in zip(points, points.dropFirst()) {
        for dash in dashes(from: place(from), to: place(to)) {
          canvas.line(from: dash.0, to: dash.1, width: Self.lineWidth, color, cap: .butt)
        }
      }
      return
    }
    for (number, point) in points.enumerated() {
      let here = place(point)
      if number > 0 {
        canvas.line(from: place(points[number - 1]), to: here, width: Self.lineWidth, color, cap: .round)
      }
      if points.count <= 40 { canvas.circle(center: here, radius: 3.6, color) }
    }
  }

  /// Splits a line into dashes of 9 pixels with gaps of 7.
  private func dashes(from start: Point, to end: Point) -> [(Point, Point)] {
    let length = ((end.x - start.x) * (end.x - start.x) + (end.y - start.y) * (end.y - start.y)).squareRoot()
    func point(_ at: Double) -> Point {
      Point(start.x + (end.x - start.x) * at / length, start.y + (end.y - start.y) * at / length)
    }
    return stride(from: 0, to: length, by: 16).map { (point($0), point(min($0 + 9, length))) }
  }

  /// Draws axes, labels, title and legend, above the data.
  func drawMargins(into picture: inout PixelBuffer) {
    let font = Self.font
    picture.draw { canvas in
      vertical(left, from: top, to: bottom, theme.axis, on: &canvas)
      horizontal(bottom, from: left - 1, to: right, theme.axis, on: &canvas)
      for tick in x.ticks { vertical(column(tick), from: bottom, to: bottom + 5, theme.axis, on: &canvas) }
      for tick in y.ticks { horizontal(row(tick), from: left - 5, to: left, theme.axis, on: &canvas) }
    }
    for (tick, label) in zip(x.ticks, x.labels) {
      let start = column(tick) - font.width(of: label) / 2
      picture.write(label, left: start, top: bottom + 12, font: font, theme.ink)
    }
    for (tick, label) in zip(y.ticks, y.labels) {
      let start = left - 12 - font.width(of: label)
      picture.write(label, left: start, top: row(tick) - Self.lineHeight / 2, font: font, theme.ink)
    }
    let middle = (left + right) / 2
    let title = Font.large.fitted(plot.title, within: width - 16)
    picture.write(title, left: (width - Font.large.width(of: title)) / 2, top: 22, font: .large, theme.ink)
    picture.write(
      plot.xLabel, left: middle - font.width(of: plot.xLabel) / 2, top: height - 18 - Self.lineHeight, font: font,
      theme.axis)
    picture.write(
      plot.yLabel, left: 14, top: (top + bottom - font.width(of: plot.yLabel)) / 2, font: font, direction: .up,
      theme.axis)
    drawLegend(into: &picture)
  }

  /// Draws the legend in the corner with the fewest points.
  private func drawLegend(into picture: inout PixelBuffer) {
    let named = plot.series.indices.filter { !plot.series[$0].name.isEmpty }
    guard let longest = named.map({ Self.font.width(of: plot.series[$0].name) }).max() else { return }
    let (boxWidth, boxHeight) = (longest + 66, named.count * 24 + 14)
    let corners = [bottom - boxHeight - 12, top + 12].flatMap { y in
      [right - boxWidth - 12, left + 12].map { x in (x: x, y: y) }
    }
    func pointCount(in corner: (x: Int, y: Int)) -> Int {
      plot.series.flatMap(\.points).map(place).filter {
        $0.x > Double(corner.x) && $0.x < Double(corner.x + boxWidth)
          && Double(height) - $0.y > Double(corner.y) && Double(height) - $0.y < Double(corner.y + boxHeight)
      }.count
    }
    guard let corner = corners.min(by: { pointCount(in: $0) < pointCount(in: $1) }) else { return }
    let center = Point(
      Double(corner.x) + Double(boxWidth) / 2, Double(height - corner.y) - Double(boxHeight) / 2)
    picture.draw { canvas in
      canvas.rectangle(center: center, width: Double(boxWidth), height: Double(boxHeight), theme.grid)
      canvas.rectangle(center: center, width: Double(boxWidth - 2), height: Double(boxHeight - 2), theme.paper)
      for (line, index) in named.enumerated() {
        let y = Double(height - corner.y - 19 - 24 * line)
        canvas.line(
          from: Point(Double(corner.x + 14), y), to: Point(Double(corner.x + 40), y), width: 4,
          plot.color(of: index, theme),
          cap: .round)
      }
    }
    for (line, index) in named.enumerated() {
      picture.write(
        plot.series[index].name, left: corner.x + 52, top: corner.y + 14 + 24 * line, font: Self.font, theme.ink)
    }
  }

  // MARK: Lines of one pixel

  private func vertical(_ x: Int, from top: Int, to bottom: Int, _ color: Color, on canvas: inout Canvas) {
    let middle = Point(Double(x) + 0.5, Double(height) - Double(top + bottom + 1) / 2)
    canvas.rectangle(center: middle, width: 1, height: Double(bottom - top + 1), color)
  }

  private func horizontal(_ y: Int, from left: Int, to right: Int, _ color: Color, on canvas: inout Canvas) {
    let middle = Point(Double(left + right + 1) / 2, Double(height - y) - 0.5)
    canvas.rectangle(center: middle, width: Double(right - left + 1), height: 1, color)
  }
}
