import Formats
import Pixels

/// A plot of estimates with intervals, such as the returns of several methods. Each row is a dot on a bar.
public struct IntervalPlot: Sendable {
  public struct Row: Sendable {
    public var name: String
    public var value: Double
    public var interval: ClosedRange<Double>

    public init(_ name: String, _ value: Double, _ interval: ClosedRange<Double>) {
      (self.name, self.value, self.interval) = (name, value, interval)
    }
  }

  public var title: String
  public var xLabel: String
  public var rows: [Row]
  /// The minimum range of the axis. It is extended to include all intervals.
  public var xRange: ClosedRange<Double>?

  public init(title: String, xLabel: String, rows: [Row], xRange: ClosedRange<Double>? = nil) {
    (self.title, self.xLabel, self.rows, self.xRange) = (title, xLabel, rows, xRange)
  }

  private func axis(ticks: Int) -> Axis {
    Axis(
      values: rows.flatMap { [$0.value, $0.interval.lowerBound, $0.interval.upperBound] }, range: xRange, ticks: ticks,
      isTight: false)
  }

  private func color(of index: Int) -> Color { Plot.palette[index % Plot.palette.count] }

  // MARK: SVG

  /// Returns the plot as an SVG element, with the same classes as `Plot.svg`.
  ///
  /// - Parameter width: the width in CSS pixels. The height depends on the number of rows.
  public func svg(width: Int = 640) -> Markup {
    precondition(width >= 160, "a plot must be at least 160 pixels wide, not \(width)")
    let axis = axis(ticks: max(width / 110, 2))
    let (top, pitch) = (title.isEmpty ? 8.0 : 30.0, 42.0)
    let (left, right) = (14.0, Double(width) - 22)
    let bottom = top + pitch * Double(rows.count)
    let height = bottom + 40
    func column(_ value: Double) -> Double { left + axis.fraction(value) * (right - left) }
    let grid: [Markup] = axis.ticks.map { "M\(SVG.length(column($0))) \(SVG.length(top))V\(SVG.length(bottom))" }
    let labels: [Markup] = zip(axis.ticks, axis.labels).map { tick, label in
      #"<text x="\#(SVG.length(column(tick)))" y="\#(SVG.length(bottom + 15))" text-anchor="middle">\#(label)</text>"#
    }
    let bars: [Markup] = rows.enumerated().map { index, row in
      let (y, low, high) = (
        top + pitch * Double(index) + 28, column(row.interval.lowerBound), column(row.interval.upperBound)
      )
      let (paint, palette) = (Markup(stringLiteral: color(of: index).hexadecimal), index % Plot.palette.count)
      return """
        <text class="ink" x="\(SVG.length(left))" y="\(SVG.length(y - 12))" fill="#2d323c">\(row.name)</text>\
        <rect class="band c\(palette)" fill="\(paint)" fill-opacity="0.3" x="\(SVG.length(low))" y="\(SVG.length(y - 5))" \
        width="\(SVG.length(max(high - low, 1)))" height="10" rx="2"/>\
        <circle class="dot c\(palette)" fill="\(paint)" cx="\(SVG.length(column(row.value)))" cy="\(SVG.length(y))" r="4.5">\
        <title>\(row.name): \(SVG.number(row.value)), from \(SVG.number(row.interval.lowerBound)) to \
        \(SVG.number(row.interval.upperBound))</title></circle>

        """
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 \(width) \(SVG.length(height))" \
      width="\(width)" height="\(SVG.length(height))" role="img" aria-label="\(summary)" \
      font-family="system-ui, sans-serif" font-size="12">
      <rect class="paper" width="100%" height="100%" rx="4" fill="#fcfcfd"/>
      <path class="grid" fill="none" stroke="#e3e6ec" d="\(grid)"/>
      \(bars)<path class="axis" fill="none" stroke="#787e8a" d="M\(SVG.length(left)) \(SVG.length(bottom))H\(SVG.length(right))"/>
      <g class="label" fill="#5a6170">\(labels)<text x="\(SVG.length((left + right) / 2))" y="\(SVG.length(height - 7))" \
      text-anchor="middle">\(xLabel)</text></g>
      <text class="ink" x="8" y="18" fill="#2d323c" font-weight="600">\(title)</text>
      </svg>
      """
  }

  private var summary: String {
    let parts = rows.map { row in
      "\(row.name) \(SVG.number(row.value)), from \(SVG.number(row.interval.lowerBound)) to "
        + SVG.number(row.interval.upperBound)
    }
    return "\(title.isEmpty ? xLabel : title): \(parts.joined(separator: "; "))"
  }

  // MARK: Picture

  /// Draws the plot as an RGB picture.
  public func picture(width: Int = 960) -> PixelBuffer {
    precondition(width >= 240, "a plot must be at least 240 pixels wide, not \(width)")
    let axis = axis(ticks: max(width / 130, 2))
    let (left, right, top, pitch) = (24, width - 40, title.isEmpty ? 16 : 58, 64)
    let bottom = top + pitch * rows.count
    let height = bottom + 74
    let theme = PictureTheme.light
    func column(_ value: Double) -> Double { Double(left) + axis.fraction(value) * Double(right - left) }
    var picture = PixelBuffer(width: width, height: height)
    picture.draw { canvas in
      canvas.fill(theme.paper)
      let middle = Double(height) - Double(top + bottom) / 2
      for tick in axis.ticks {
        canvas.rectangle(
          center: Point(column(tick).rounded() + 0.5, middle), width: 1, height: Double(bottom - top), theme.grid)
      }
      for (index, row) in rows.enumerated() {
        let y = Double(height - top - pitch * index - 44)
        let (low, high) = (column(row.interval.lowerBound), column(row.interval.upperBound))
        canvas.opacity = 0.3
        canvas.rectangle(center: Point((low + high) / 2, y), width: max(high - low, 1), height: 16, color(of: index))
        canvas.opacity = 1
        canvas.circle(center: Point(column(row.value), y), radius: 7, color(of: index))
      }
      canvas.rectangle(
        center: Point(Double(left + right) / 2, Double(height - bottom) - 0.5), width: Double(right - left), height: 1,
        theme.axis)
    }
    picture.write(title, left: left, top: 20, font: .large, theme.ink)
    for (index, row) in rows.enumerated() {
      picture.write(row.name, left: left, top: top + pitch * index + 16, theme.ink)
    }
    for (tick, label) in zip(axis.ticks, axis.labels) {
      picture.write(label, left: Int(column(tick)) - Font.regular.width(of: label) / 2, top: bottom + 12, theme.ink)
    }
    picture.write(xLabel, left: (left + right - Font.regular.width(of: xLabel)) / 2, top: height - 30, theme.axis)
    return picture
  }
}
