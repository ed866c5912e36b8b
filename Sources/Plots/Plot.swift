import Pixels

/// A line plot, such as a learning curve, with axes, ticks, several series with bands, and a legend.
public struct Plot: Sendable {
  public struct Series: Sendable {
    public var name: String
    /// The points, sorted by x. A point that is not finite interrupts the line.
    public var points: [Point]
    /// An optional shaded range for each point, such as a standard deviation.
    public var band: [ClosedRange<Double>]
    /// The colour of the line, or nil for a colour of the palette.
    public var color: Color?
    /// Whether the line is dashed and without dots, as for a baseline.
    public var isDashed: Bool

    public init(
      _ name: String, _ points: [Point], band: [ClosedRange<Double>] = [], color: Color? = nil, isDashed: Bool = false
    ) {
      precondition(
        band.isEmpty || band.count == points.count, "\(points.count) points cannot have \(band.count) ranges")
      self.name = name
      self.points = points
      self.band = band
      self.color = color
      self.isDashed = isDashed
    }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var series: [Series]
  /// The minimum ranges of the axes. They are extended to include all points.
  public var xRange: ClosedRange<Double>?
  public var yRange: ClosedRange<Double>?
  /// The possible values of y. Bands and the axis are clamped to them, except that the axis includes all points.
  public var yLimits: ClosedRange<Double>?

  public init(title: String, xLabel: String, yLabel: String, series: [Series]) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
  }

  /// Adds a dashed horizontal line at `y`, such as a baseline, from 0 to the largest x of all points.
  public mutating func mark(_ y: Double, _ name: String) {
    let end = series.flatMap(\.points).map(\.x).filter(\.isFinite).max() ?? 0
    series.append(Series(name, [Point(0, y), Point(end, y)], color: Color(120, 126, 138), isDashed: true))
  }

  static let palette = PictureTheme.light.palette

  func color(of index: Int, _ theme: PictureTheme = .light) -> Color {
    series[index].color ?? theme.palette[index % theme.palette.count]
  }

  /// Returns axes that include all points and bands, with approximately the given numbers of ticks.
  func axes(ticks xTicks: Int, _ yTicks: Int) -> (x: Axis, y: Axis) {
    let points = series.flatMap(\.points).filter(\.isFinite)
    let bands = series.indices.flatMap(band).flatMap { [$0.lowerBound, $0.upperBound] }
    return (
      Axis(values: points.map(\.x), range: xRange, ticks: xTicks, isTight: true),
      Axis(values: points.map(\.y) + bands, range: yRange, limits: yLimits, ticks: yTicks, isTight: false)
    )
  }

  /// Returns the band of a series, clamped to `yLimits`.
  func band(of index: Int) -> [ClosedRange<Double>] {
    guard let yLimits else { return series[index].band }
    return series[index].band.map { $0.clamped(to: yLimits) }
  }

  /// Draws the plot as an RGB picture.
  public func picture(width: Int = 960, height: Int = 560, theme: PictureTheme = .light) -> PixelBuffer {
    precondition(width >= 240 && height >= 160, "a plot must have at least 240x160 pixels, not \(width)x\(height)")
    let (x, y) = axes(ticks: max(width / 130, 2), max(height / 75, 2))
    let layout = PlotLayout(plot: self, x: x, y: y, width: width, height: height, theme: theme)
    var picture = PixelBuffer(width: width, height: height)
    layout.drawFrame(into: &picture)
    picture.draw { canvas in
      for index in series.indices { layout.drawBand(of: index, on: &canvas) }
      for index in series.indices { layout.drawLine(of: index, on: &canvas) }
    }
    layout.drawMargins(into: &picture)
    return picture
  }
}

/// An axis with a range, and ticks at multiples of 1, 2 or 5 times a power of ten.
struct Axis: Sendable {
  let low: Double
  let high: Double
  let ticks: [Double]
  let labels: [String]

  /// Creates an axis. A tight axis ends at its smallest and largest values; otherwise it ends at ticks. Infinite and
  /// extremely large values are ignored.
  ///
  /// - Parameter limits: the maximum range of the axis, which is exceeded only to include a value.
  init(
    values: [Double], range: ClosedRange<Double>?, limits: ClosedRange<Double>? = nil, ticks count: Int, isTight: Bool
  ) {
    let all = (values + (range.map { [$0.lowerBound, $0.upperBound] } ?? [])).filter { abs($0) < 1e100 }
    var (low, high) = (all.min() ?? 0, all.max() ?? 1)
    if !(high - low > 1e-12 * max(abs(low), abs(high))) {
      let margin = max(abs(low) * 0.1, 0.5)
      (low, high) = (low - margin, high + margin)
    }
    let step = Self.step(near: (high - low) / Double(count))
    if !isTight { (low, high) = ((low / step).rounded(.down) * step, (high / step).rounded(.up) * step) }
    if let limits, let least = all.min(), let greatest = all.max(), limits.lowerBound < limits.upperBound {
      (low, high) = (max(low, min(limits.lowerBound, least)), min(high, max(limits.upperBound, greatest)))
    }
    let first = Int((low / step - 1e-9).rounded(.up))
    let last = Int((high / step + 1e-9).rounded(.down))
    self.low = low
    self.high = high
    ticks = (first...max(first, last)).map { Double($0) * step }
    let largest = max(abs(low), abs(high))
    labels = ticks.map { Self.label($0, step: step, largest: largest) }
  }

  /// Returns the position of a value on the axis, from 0 at the low end to 1 at the high end.
  func fraction(_ value: Double) -> Double { (value - low) / (high - low) }

  /// Returns the smallest number of the form 1, 2 or 5 times a power of ten that is not below `size`.
  static func step(near size: Double) -> Double {
    var power = 1.0
    while power * 10 <= size { power *= 10 }
    while power > size { power /= 10 }
    for factor in [1.0, 2, 5] where factor * power >= size * 0.999 { return factor * power }
    return 10 * power
  }

  /// Formats the value of a tick with the digits that the step requires: 0.25, 800, 40k, 1.5M.
  static func label(_ value: Double, step: Double, largest: Double) -> String {
    if largest >= 1e9 || largest < 1e-4 { return "\(Float(value))" }
    let (unit, suffix) = largest >= 1e6 ? (1e6, "M") : largest >= 1e4 ? (1e3, "k") : (1, "")
    var digits = 0
    var scaledStep = step / unit
    while digits < 6 && abs(scaledStep - scaledStep.rounded()) > 1e-6 * scaledStep {
      scaledStep *= 10
      digits += 1
    }
    var power = 1
    for _ in 0..<digits { power *= 10 }
    let scaled = Int((value / unit * Double(power)).rounded())
    if scaled == 0 { return "0" }
    let sign = scaled < 0 ? "-" : ""
    let whole = "\(sign)\(abs(scaled) / power)"
    if digits == 0 { return whole + suffix }
    let fraction = String(String(power + abs(scaled) % power).dropFirst())
    return "\(whole).\(fraction)\(suffix)"
  }
}
