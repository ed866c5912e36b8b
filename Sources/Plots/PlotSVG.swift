import Formats
import Pixels

extension Plot {
  /// Returns the plot as an SVG element, with the same axes, bands and colours as `picture`.
  ///
  /// Colours are attributes, so the element also works outside of a page. The style sheet of a page can override them
  /// with the classes `paper`, `grid`, `axis`, `ink`, `line`, `band`, `dot` and, for the colours of the palette, `c0`
  /// to `c6`. Points show their values on hover.
  ///
  /// - Parameters:
  ///   - width, height: the size in CSS pixels, for a font size of 12. The element scales with its container.
  public func svg(width: Int = 640, height: Int = 360) -> Markup {
    precondition(width >= 160 && height >= 120, "a plot must have at least 160x120 pixels, not \(width)x\(height)")
    return VectorPlot(plot: self, width: Double(width), height: Double(height)).svg
  }
}

extension VectorPlot {
  fileprivate var svg: Markup {
    """
    <svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 \(SVG.length(width)) \(SVG.length(height))" \
    width="\(SVG.length(width))" height="\(SVG.length(height))" role="img" aria-label="\(summary)" \
    font-family="system-ui, sans-serif" font-size="12">
    <rect class="paper" width="100%" height="100%" rx="4" fill="#fcfcfd"/>
    \(grid)
    <g>\(plot.series.indices.map(strip))</g>
    <g>\(plot.series.indices.map(stroke))</g>
    \(margins)
    <g class="ink" fill="#2d323c">\(legend.map(markup))</g>
    </svg>
    """
  }

  /// The text for screen readers.
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

  /// The class with which a style sheet overrides a palette colour.
  private func palette(_ index: Int) -> Markup {
    plot.series[index].color == nil ? " c\(index % Plot.palette.count)" : ""
  }

  private func strip(of index: Int) -> Markup {
    let corners = band(of: index).map { "\(SVG.length($0.x)),\(SVG.length($0.y))" as Markup }
    guard !corners.isEmpty else { return "" }
    return """
      <polygon class="band\(palette(index))" fill="\(paint(index))" fill-opacity="0.18" points="\(corners.joined(separator: " "))"/>
      """
  }

  private func stroke(of index: Int) -> Markup {
    let path: [Markup] = line(of: index).flatMap { piece in
      piece.enumerated().map { "\($0 == 0 ? "M" : "L" as Markup)\(SVG.length($1.x)) \(SVG.length($1.y))" as Markup }
    }
    let dashes: Markup = plot.series[index].isDashed ? #" stroke-dasharray="6 5""# : ""
    let name = plot.series[index].name
    let dots: [Markup] = dots(of: index).map { center, value in
      """
      <circle class="dot\(palette(index))" fill="\(paint(index))" cx="\(SVG.length(center.x))" \
      cy="\(SVG.length(center.y))" r="2.6"><title>\(name)\(name.isEmpty ? "" : ": ")\(SVG.number(value.y)) at \
      \(SVG.number(value.x))</title></circle>
      """
    }
    return """
      <path class="line\(palette(index))" fill="none" stroke="\(paint(index))" stroke-width="1.8" \
      stroke-linejoin="round" stroke-linecap="round"\(dashes) d="\(path)"/>\(dots)
      """
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

  private func markup(of entry: LegendEntry) -> Markup {
    """
    <rect class="dot\(palette(entry.series))" fill="\(paint(entry.series))" x="\(SVG.length(entry.x))" \
    y="\(SVG.length(entry.y - 5))" width="18" height="4" rx="2"/>\
    <text x="\(SVG.length(entry.x + 24))" y="\(SVG.length(entry.y + 1))">\(plot.series[entry.series].name)</text>
    """
  }
}

extension Color {
  /// The colour in CSS notation, such as `#2f6cbf`.
  public var hexadecimal: String {
    "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
