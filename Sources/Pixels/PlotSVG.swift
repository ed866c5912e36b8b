import Core

extension Plot {
  /// The plot as an SVG element, the twin of `picture`, whose axes, bands and colours it shares.
  ///
  /// It looks the same on its own and within a page: colours are attributes, which a page's style sheet overrides by the
  /// classes `paper`, `grid`, `axis`, `ink`, `line`, `band`, `dot` and, for the palette's colours, `c0` to `c6`. Points
  /// tell their values when they are pointed at.
  ///
  /// - Parameters:
  ///   - width, height: in CSS pixels, where letters are 12 high; the element shrinks with its surroundings.
  public func svg(width: Int = 640, height: Int = 360) -> Markup {
    precondition(width >= 160 && height >= 120, "a plot needs at least 160x120 pixels, not \(width)x\(height)")
    return SVGPlot(plot: self, width: Double(width), height: Double(height)).markup
  }
}

/// Where a plot's parts lie in its SVG, in pixels from the upper left corner.
private struct SVGPlot {
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

  private func column(_ value: Double) -> Double { left + x.fraction(value) * (right - left) }
  private func row(_ value: Double) -> Double { bottom - y.fraction(value) * (bottom - top) }

  /// What can be drawn: the axes leave out what is as good as infinite.
  private func isDrawable(_ point: Point) -> Bool { abs(point.x) < 1e100 && abs(point.y) < 1e100 }

  // MARK: parts

  var markup: Markup {
    """
    <svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 \(SVG.length(width)) \(SVG.length(height))" \
    width="\(SVG.length(width))" height="\(SVG.length(height))" role="img" aria-label="\(summary)" \
    font-family="system-ui, sans-serif" font-size="12">
    <rect class="paper" width="100%" height="100%" rx="4" fill="#fcfcfd"/>
    \(grid)
    <g>\(plot.series.indices.map(band))</g>
    <g>\(plot.series.indices.map(line))</g>
    \(margins)
    <g class="ink" fill="#2d323c">\(legend.map(entry))</g>
    </svg>
    """
  }

  /// What is told to those who do not see it.
  private var summary: String {
    let ends = plot.series.map { series in
      let end = series.points.last { $0.isFinite }.map { "ends at \(SVG.number($0.y))" } ?? "no values"
      return series.name.isEmpty ? end : "\(series.name) \(end)"
    }
    let title = plot.title.isEmpty ? plot.yLabel : plot.title
    return "\(title) over \(plot.xLabel.isEmpty ? "x" : plot.xLabel): \(ends.joined(separator: "; "))"
  }

  private var grid: Markup {
    let columns: [Markup] = x.ticks.map { "M\(SVG.length(column($0))) \(SVG.length(top))V\(SVG.length(bottom))" }
    let rows: [Markup] = y.ticks.map { "M\(SVG.length(left)) \(SVG.length(row($0)))H\(SVG.length(right))" }
    return """
      <path class="grid" fill="none" stroke="#e3e6ec" d="\(columns)\(rows)"/>
      """
  }

  private func paint(_ index: Int) -> Markup { Markup(stringLiteral: plot.color(of: index).hexadecimal) }

  /// The class by which a page gives the palette other colours.
  private func palette(_ index: Int) -> Markup {
    plot.series[index].color == nil ? " c\(index % Plot.palette.count)" : ""
  }

  private func band(of index: Int) -> Markup {
    let series = plot.series[index]
    let band = plot.band(of: index)
    guard band.count == series.points.count else { return "" }
    let ranges = zip(series.points, band).filter {
      isDrawable($0) && abs($1.lowerBound) < 1e100 && abs($1.upperBound) < 1e100
    }
    guard ranges.count > 1 else { return "" }
    let upper = ranges.map { "\(SVG.length(column($0.x))),\(SVG.length(row($1.upperBound)))" as Markup }
    let lower = ranges.reversed().map { "\(SVG.length(column($0.x))),\(SVG.length(row($1.lowerBound)))" as Markup }
    let corners = (upper + lower).joined(separator: " ")
    return """
      <polygon class="band\(palette(index))" fill="\(paint(index))" fill-opacity="0.18" points="\(corners)"/>
      """
  }

  private func line(of index: Int) -> Markup {
    let points = plot.series[index].points
    var path: Markup = ""
    var isBroken = true
    for point in points {
      defer { isBroken = !isDrawable(point) }
      guard isDrawable(point) else { continue }
      path += "\(isBroken ? "M" : "L")\(SVG.length(column(point.x))) \(SVG.length(row(point.y)))"
    }
    let dashes: Markup = plot.series[index].isDashed ? #" stroke-dasharray="6 5""# : ""
    let stroke: Markup = """
      <path class="line\(palette(index))" fill="none" stroke="\(paint(index))" stroke-width="1.8" \
      stroke-linejoin="round" stroke-linecap="round"\(dashes) d="\(path)"/>
      """
    guard points.count <= 60, !plot.series[index].isDashed else { return stroke }
    let name = plot.series[index].name
    let dots: [Markup] = points.filter(isDrawable).map { point in
      """
      <circle class="dot\(palette(index))" fill="\(paint(index))" cx="\(SVG.length(column(point.x)))" \
      cy="\(SVG.length(row(point.y)))" r="2.6"><title>\(name)\(name.isEmpty ? "" : ": ")\(SVG.number(point.y)) at \
      \(SVG.number(point.x))</title></circle>
      """
    }
    return stroke + dots.joined()
  }

  private var margins: Markup {
    let middle = (left + right) / 2
    var texts: [Markup] = zip(x.ticks, x.labels).map { tick, label in
      #"<text x="\#(SVG.length(column(tick)))" y="\#(SVG.length(bottom + 15))" text-anchor="middle">\#(label)</text>"#
    }
    texts += zip(y.ticks, y.labels).map { tick, label in
      #"<text x="\#(SVG.length(left - 6))" y="\#(SVG.length(row(tick) + 4))" text-anchor="end">\#(label)</text>"#
    }
    if !plot.xLabel.isEmpty {
      texts.append(
        #"<text x="\#(SVG.length(middle))" y="\#(SVG.length(height - 7))" text-anchor="middle">\#(plot.xLabel)</text>"#)
    }
    if !plot.yLabel.isEmpty {
      let y = (top + bottom) / 2
      texts.append(
        """
        <text x="15" y="\(SVG.length(y))" transform="rotate(-90 15 \(SVG.length(y)))" text-anchor="middle">\(plot.yLabel)</text>
        """)
    }
    let title: Markup =
      plot.title.isEmpty
      ? ""
      : """
      <text class="ink" x="8" y="18" fill="#2d323c" font-weight="600">\(plot.title)</text>
      """
    return """
      <path class="axis" fill="none" stroke="#787e8a" d="M\(SVG.length(left)) \(SVG.length(top))V\(SVG.length(bottom))H\(SVG.length(right))"/>
      <g class="label" fill="#5a6170">\(texts)</g>\(title)
      """
  }

  private func entry(_ entry: LegendEntry) -> Markup {
    """
    <rect class="dot\(palette(entry.series))" fill="\(paint(entry.series))" x="\(SVG.length(entry.x))" \
    y="\(SVG.length(entry.y - 5))" width="18" height="4" rx="2"/>\
    <text x="\(SVG.length(entry.x + 24))" y="\(SVG.length(entry.y + 1))">\(plot.series[entry.series].name)</text>
    """
  }
}

extension Color {
  /// `#2f6cbf`
  public var hexadecimal: String {
    "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
