import Core
import Formats
import Pixels
import Plots

/// A plot with the name of its files.
struct NamedPlot: Sendable {
  /// The name, such as `return`.
  let name: String
  /// A sentence without its full stop.
  let caption: String
  let picture: PixelBuffer
  let svg: Markup
  /// The plot for a paper; nil if no LaTeX fragment includes it.
  let tikz: LaTeX?

  init(name: String, caption: String, _ plot: Plot) {
    (self.name, self.caption) = (name, caption)
    (picture, svg, tikz) = (plot.picture(), plot.svg(), plot.tikz())
  }

  init(name: String, caption: String, _ plot: IntervalPlot) {
    (self.name, self.caption) = (name, caption)
    (picture, svg, tikz) = (plot.picture(), plot.svg(), nil)
  }
}

extension Report {
  /// The usual plots of a training: the return over steps, the losses, and the Q-values or, if there are none, the
  /// entropy. Plots whose metrics no run has are left out.
  var standardPlots: [NamedPlot] {
    var plots: [NamedPlot] = []
    for environment in environments {
      let groups = groups.filter { $0.environment == environment }
      // The files of the first environment have no suffix.
      let suffix = environment == environments[0] ? "" : "-\(plainName(environment))"
      func add(_ name: String, _ plot: Plot?, _ caption: String) {
        guard var plot else { return }
        plot.title = "\(environment): \(name)"
        plots.append(NamedPlot(name: name + suffix, caption: "\(caption), \(environment)", plot))
      }
      let curves = LearningCurve.all(of: LearningCurve.evaluation, groups, bootstrap)
      add("return", Plot(returnsOf: groups, curves), "Return of evaluations")
      let losses = metricNames(of: groups) { $0.hasSuffix("loss") }
      // With several groups, only the first loss is plotted, as there would be too many lines.
      let kept = groups.count == 1 ? losses : Array(losses.prefix(1))
      add("losses", plot(kept, groups, yLabel: kept.count == 1 ? kept[0] : "loss"), "Losses")
      let values = metricNames(of: groups) { $0.hasSuffix("/q") }
      let entropies = metricNames(of: groups) { $0.hasSuffix("entropy") }
      if let name = (values + entropies).first {
        add(
          values.isEmpty ? "entropy" : "q", plot([name], groups, yLabel: name), values.isEmpty ? "Entropy" : "Q-values")
      }
    }
    return plots
  }

  /// A plot with a line for each group and metric; nil if no run has any of the metrics.
  private func plot(_ metrics: [String], _ groups: [RunGroup], yLabel: String) -> Plot? {
    let series = groups.flatMap { group in
      metrics.compactMap { metric in
        LearningCurve(of: metric, in: group, bootstrap).map { curve in
          Plot.Series(metrics.count == 1 ? group.name : metric, curve.points, band: curve.band)
        }
      }
    }
    guard !series.isEmpty else { return nil }
    return Plot(title: "", xLabel: groups.stepName, yLabel: yLabel, series: series)
  }

  private func metricNames(of groups: [RunGroup], where condition: (String) -> Bool) -> [String] {
    var seen: Set<String> = []
    return groups.flatMap(\.runs).flatMap(\.metrics.names).filter { condition($0) && seen.insert($0).inserted }
  }
}

/// Returns a name that is valid in all file systems and TeX: replaces all characters except ASCII letters, digits and
/// dots by dashes.
func plainName(_ name: String) -> String {
  String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" })
}
