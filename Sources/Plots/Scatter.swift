import Pixels

/// A scatter plot. Points may be coloured by a third quantity, and the line y = x is optional.
public struct Scatter: Sendable {
  public var title: String
  public var xLabel: String
  public var yLabel: String
  /// A point that is not finite is not drawn.
  public var points: [Point]
  /// An optional quantity for each point that determines its colour, and its label at the colour bar.
  public var shades: [Double]
  public var shadeLabel: String
  /// Whether both axes have the same range and the line y = x is drawn.
  public var hasDiagonal: Bool

  public init(
    title: String, xLabel: String, yLabel: String, points: [Point], shades: [Double] = [], shadeLabel: String = "",
    hasDiagonal: Bool = false
  ) {
    precondition(
      shades.isEmpty || shades.count == points.count, "\(points.count) points cannot have \(shades.count) shades")
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.points = points
    self.shades = shades
    self.shadeLabel = shadeLabel
    self.hasDiagonal = hasDiagonal
  }

  /// Draws the plot as an RGB picture.
  public func picture(width: Int = 760, height: Int = 600, theme: PictureTheme = .light) -> PixelBuffer {
    precondition(width >= 240 && height >= 160, "a plot must have at least 240x160 pixels, not \(width)x\(height)")
    let shown = points.indices.filter { points[$0].isFinite && (shades.isEmpty || shades[$0].isFinite) }
    let (xs, ys) = (shown.map { points[$0].x }, shown.map { points[$0].y })
    let bar =
      shades.isEmpty ? nil : ColorBar(label: shadeLabel, values: shown.map { shades[$0] }, height: height, theme: theme)
    let plotWidth = width - (bar?.width ?? 0)
    let x = Axis(values: padded(hasDiagonal ? xs + ys : xs), range: nil, ticks: max(plotWidth / 130, 2), isTight: true)
    let y = Axis(values: padded(hasDiagonal ? xs + ys : ys), range: nil, ticks: max(height / 75, 2), isTight: true)
    let layout = PlotLayout(
      plot: Plot(title: title, xLabel: xLabel, yLabel: yLabel, series: []), x: x, y: y, width: plotWidth,
      height: height,
      theme: theme)
    var picture = PixelBuffer(width: width, height: height)
    picture.draw { $0.fill(theme.paper) }
    var plot = PixelBuffer(width: plotWidth, height: height)
    layout.drawFrame(into: &plot)
    plot.draw { canvas in
      if hasDiagonal {
        let (low, high) = (max(x.low, y.low), min(x.high, y.high))
        canvas.line(
          from: layout.place(Point(low, low)), to: layout.place(Point(high, high)), width: 1.6, theme.axis)
      }
      canvas.opacity = shown.count > 400 ? 0.6 : 0.85
      for index in shown {
        let color = bar?.color(of: shades[index]) ?? theme.palette[0]
        canvas.circle(center: layout.place(points[index]), radius: 3.2, color)
      }
      canvas.opacity = 1
    }
    layout.drawMargins(into: &plot)
    picture.paste(plot, left: 0, top: 0)
    bar?.draw(into: &picture, left: plotWidth, layout)
    return picture
  }
}

/// Returns the range of the values, extended by 5% at both ends.
private func padded(_ values: [Double]) -> [Double] {
  guard let low = values.min(), let high = values.max() else { return [] }
  return [low - 0.05 * (high - low), high + 0.05 * (high - low)]
}

/// The colour bar beside a plot.
private struct ColorBar {
  let label: String
  let axis: Axis
  let width: Int
  let theme: PictureTheme

  private static let thickness = 18

  init(label: String, values: [Double], height: Int, theme: PictureTheme) {
    (self.label, self.theme) = (label, theme)
    axis = Axis(values: values, range: nil, ticks: max(height / 75, 2), isTight: true)
    let labels = axis.labels.map(Font.regular.width(of:)).max() ?? 0
    width = Self.thickness + 10 + labels + (label.isEmpty ? 0 : 14 + 14) + 16
  }

  /// Returns a colour from part of the colour map. Its ends are too similar to the text or background colour.
  func color(of value: Double) -> Color {
    .heat(theme.isDark ? 0.4 + 0.6 * axis.fraction(value) : 0.12 + 0.7 * axis.fraction(value))
  }

  func draw(into picture: inout PixelBuffer, left: Int, _ layout: PlotLayout) {
    let (top, bottom) = (layout.top, layout.bottom)
    picture.draw { canvas in
      for row in top..<bottom {
        let value = axis.low + (axis.high - axis.low) * Double(bottom - row) / Double(bottom - top)
        canvas.rectangle(
          center: Point(Double(left) + Double(Self.thickness) / 2, Double(canvas.height - row) - 0.5),
          width: Double(Self.thickness), height: 1, color(of: value))
      }
    }
    let right = left + Self.thickness + 8
    for (tick, text) in zip(axis.ticks, axis.labels) {
      let row = bottom - Int((axis.fraction(tick) * Double(bottom - top)).rounded())
      picture.write(text, left: right, top: row - Font.regular.capHeight / 2, theme.ink)
    }
    picture.write(
      label, left: left + width - 24, top: (top + bottom - Font.regular.width(of: label)) / 2, direction: .up,
      theme.axis)
  }
}
