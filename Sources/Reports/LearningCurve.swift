import Core
import Pixels
import Plots

/// How a metric of a group of runs goes over the steps.
///
/// Of several runs the interquartile mean with a bootstrap band of 95 % (Agarwal et al. 2021), at the steps of the run
/// with the most points, wherever at least half of the runs have got that far; between its own steps a run is
/// interpolated. Of one run its numbers, with a band where one is known: the deviation of an evaluation's episodes as far
/// as their returns reach, or the range of what thinning has joined.
struct LearningCurve: Sendable {
  static let evaluation = "evaluation/return"
  private static let deviation = "evaluation/deviation"

  /// The group's.
  let name: String
  let points: [Point]
  let band: [ClosedRange<Double>]
  /// Runs behind each point.
  let counts: [Int]

  /// Nil where no run of the group has the metric.
  init?(of metric: String, in group: RunGroup, _ bootstrap: Bootstrap) {
    name = group.name
    let all = group.runs.compactMap { $0.metrics[metric] }
    guard let finest = all.max(by: { $0.bins.count < $1.bins.count }), !finest.bins.isEmpty else { return nil }
    if all.count == 1 {
      let ranges = Self.ranges(of: finest, metric, in: group)
      // A band has no word for a number that is missing.
      let kept = finest.bins.indices.filter { ranges.isEmpty || finest.bins[$0].finiteCount > 0 }
      points = kept.map { finest.points[$0] }
      band = ranges.isEmpty ? [] : kept.map { ranges[$0] }
      counts = kept.map { _ in 1 }
      return
    }
    let curves = all.map(Interpolation.init)
    var (points, band, counts): ([Point], [ClosedRange<Double>], [Int]) = ([], [], [])
    for step in finest.bins.map(\.step) {
      let values = curves.compactMap { $0.value(at: step) }
      guard 2 * values.count >= all.count else { continue }
      let estimate = bootstrap.estimate([values]) { Aggregate.interquartileMean($0) }
      points.append(Point(step, estimate.value))
      band.append(estimate.interval)
      counts.append(values.count)
    }
    (self.points, self.band, self.counts) = (points, band, counts)
  }

  private static func ranges(of series: ThinnedSeries, _ metric: String, in group: RunGroup) -> [ClosedRange<Double>] {
    guard metric == evaluation, series.binSize == 1,
      let deviation = group.runs.lazy.compactMap({ $0.metrics[deviation] }).first, deviation.count == series.count
    else { return series.ranges }
    let known = group.runs.lazy.filter { $0.metrics[metric] != nil }.first?.returnBands ?? [:]
    return zip(series.bins, deviation.bins).map { bin, deviation in
      guard bin.mean.isFinite else { return 0...0 }
      let spread = deviation.mean.isFinite ? abs(deviation.mean) : 0
      return known[bin.step] ?? bin.mean - spread...bin.mean + spread
    }
  }

  /// The curves of those groups that have the metric.
  static func all(of metric: String, _ groups: [RunGroup], _ bootstrap: Bootstrap) -> [LearningCurve] {
    groups.compactMap { LearningCurve(of: metric, in: $0, bootstrap) }
  }
}

extension Plot {
  /// Curves of one metric in one plot; nil where there are none.
  init?(_ curves: [LearningCurve], title: String = "", xLabel: String = "", yLabel: String = "") {
    guard !curves.isEmpty else { return nil }
    let series = curves.map { Series($0.name, $0.points, band: $0.band) }
    self.init(title: title, xLabel: xLabel, yLabel: yLabel, series: series)
  }
}

extension Plot {
  /// The return over the steps of groups of one environment, with what random play gets, within what a return can be; nil
  /// where no run was evaluated.
  init?(returnsOf groups: [RunGroup], _ curves: [LearningCurve]) {
    self.init(curves, xLabel: "env steps", yLabel: "return")
    yLimits = RunGroup.returnRange(of: groups)
    if let random = RunGroup.randomReturn(of: groups) { mark(random, "random player") }
  }
}

/// A series as a function of the step: straight between its points, undefined beyond them.
private struct Interpolation {
  private let points: [Point]

  init(_ series: ThinnedSeries) { points = series.points.filter { $0.y.isFinite } }

  func value(at step: Double) -> Double? {
    guard let first = points.first, let last = points.last, (first.x...max(first.x, last.x)).contains(step) else {
      return nil
    }
    var (low, high) = (0, points.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if points[middle].x <= step { low = middle } else { high = middle }
    }
    let (before, after) = (points[low], points[high])
    guard after.x > before.x else { return after.y }
    return before.y + (after.y - before.y) * min(max((step - before.x) / (after.x - before.x), 0), 1)
  }
}
