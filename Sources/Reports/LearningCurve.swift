import Core
import Pixels
import Plots

/// The curve of a metric of a group of runs over steps.
///
/// For several runs, it is the interquartile mean with a 95 % bootstrap band (Agarwal et al. 2021), up to the step that
/// at least half of the runs have reached, at the steps of the run that ends there. Runs are interpolated linearly between
/// their own steps. For a single run, it is the metric itself, with a band if there is one: the standard deviation over
/// an evaluation's episodes, limited to the range of their returns, or the range of the values that thinning has
/// merged.
struct LearningCurve: Sendable {
  static let evaluation = "evaluation/return"
  private static let deviation = "evaluation/deviation"

  /// The group's name.
  let name: String
  let points: [Point]
  let band: [ClosedRange<Double>]
  /// The number of runs at each point.
  let counts: [Int]

  /// Returns nil if no run of the group has the metric.
  init?(of metric: String, in group: RunGroup, _ bootstrap: Bootstrap) {
    name = group.name
    let all = group.runs.compactMap { $0.metrics[metric] }
    // Sorted from the longest to the shortest: half of the runs are at least as long as the middle one.
    let sorted = all.sorted { $0.lastStep ?? -.infinity > $1.lastStep ?? -.infinity }
    guard !sorted.isEmpty else { return nil }
    let middle = sorted[(sorted.count - 1) / 2]
    guard !middle.bins.isEmpty else { return nil }
    if all.count == 1 {
      let ranges = Self.ranges(of: middle, metric, in: group)
      // A band cannot have gaps, so leave out bins without finite values.
      let kept = middle.bins.indices.filter { ranges.isEmpty || middle.bins[$0].finiteCount > 0 }
      points = kept.map { middle.points[$0] }
      band = ranges.isEmpty ? [] : kept.map { ranges[$0] }
      counts = kept.map { _ in 1 }
      return
    }
    let curves = all.map(Interpolation.init)
    var (points, band, counts): ([Point], [ClosedRange<Double>], [Int]) = ([], [], [])
    for step in middle.bins.map(\.step) {
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

  /// Returns the curves of the groups that have the metric.
  static func all(of metric: String, _ groups: [RunGroup], _ bootstrap: Bootstrap) -> [LearningCurve] {
    groups.compactMap { LearningCurve(of: metric, in: $0, bootstrap) }
  }
}

extension Plot {
  /// Plots curves of one metric. Returns nil if there are none.
  init?(_ curves: [LearningCurve], title: String = "", xLabel: String = "", yLabel: String = "") {
    guard !curves.isEmpty else { return nil }
    let series = curves.map { Series($0.name, $0.points, band: $0.band) }
    self.init(title: title, xLabel: xLabel, yLabel: yLabel, series: series)
  }
}

extension Plot {
  /// Plots the return over steps for groups in one environment, with the return of random play, limited to the bounds
  /// of the return. Returns nil if no run was evaluated.
  init?(returnsOf groups: [RunGroup], _ curves: [LearningCurve]) {
    self.init(curves, xLabel: groups.stepName, yLabel: "return")
    yLimits = RunGroup.returnRange(of: groups)
    if let random = RunGroup.randomReturn(of: groups) { mark(random, "random player") }
  }
}

/// A series as a function of the step: linear between its points, nil outside of them.
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
