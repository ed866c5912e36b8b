import Core
import Formats
import Pixels
import Plots
import Runs

/// A report on one or more runs: a self-contained HTML page, plots, and a LaTeX fragment.
///
/// The run directories are read once, by the initialiser. Runs that differ only in their seed are shown as one group.
/// The page has a warning for each damaged part.
public struct Report: Sendable {
  let runs: [RunRecord]
  let groups: [RunGroup]
  let bootstrap: Bootstrap

  /// - Parameter runs: At least one run.
  public init(of runs: [RunDirectory], bootstrap: Bootstrap = Bootstrap()) {
    precondition(!runs.isEmpty, "a report needs at least one run")
    self.runs = runs.map(RunRecord.init)
    groups = RunGroup.groups(of: self.runs)
    self.bootstrap = bootstrap
  }

  /// The page.
  ///
  /// - Parameter refresh: The refresh interval in seconds for a page of a running run; nil for a static page. The
  ///   server must provide `liveScript` as `live.js`.
  public func html(refreshEvery refresh: Int? = nil) -> String {
    let note: Markup = refresh.map { "This page refreshes every \($0) seconds. " } ?? ""
    let body: Markup = """
      <a class="skip" href="#main">Skip to content</a>
      \(header)
      <main id="main">
      \(tiles)
      \(curves)
      \(differences)
      \(metrics)
      \(runs.count > 1 ? card("Runs", runsTable) : "")
      \(details)
      </main>
      <footer>\(note)Made by <code>pixelrl report</code>. Bands over several seeds: 95 % percentile bootstrap of the \
      interquartile mean over runs, as in Agarwal et al. 2021, \
      “Deep reinforcement learning at the edge of the statistical precipice”.</footer>
      """
    return Page(title: title, body: body, refresh: refresh).html.description
  }

  var title: String {
    runs.count == 1 ? runs[0].name : "\(runs.count) runs of \(environments.joined(separator: ", "))"
  }

  /// The environments in the order of their first run.
  var environments: [String] {
    var seen: Set<String> = []
    return runs.map(\.environment).filter { seen.insert($0).inserted }
  }

  // MARK: parts

  private var header: Markup {
    guard runs.count == 1 else {
      return """
        <header><p class="eyebrow">pixelrl report</p><h1>\(title)</h1>
        <p class="note">Runs that differ only in their seed are one group.\(doubt)</p>\
        \(runs.map { RunSection($0).warnings })</header>
        """
    }
    let run = runs[0]
    let section = RunSection(run)
    return """
      <header><p class="eyebrow">\(run.command) · \(run.environment) · \(run.member) · seed \(run.seed) \
      \(section.chip)</p>
      <h1>\(run.name)</h1>
      \(section.why)\(section.warnings)</header>
      """
  }

  /// Why runs that belong together may be in different groups.
  private var doubt: Markup {
    RunGroup.doubt(about: runs).map { " \($0.prefix(1).uppercased() + $0.dropFirst())." } ?? ""
  }

  private var differences: Markup {
    groups.count > 1 ? differencesCard(groups.map(\.name), DifferingSettings(of: groups.map(\.runs))) : ""
  }

  private var tiles: Markup {
    guard runs.count == 1 else { return "" }
    let run = runs[0]
    var tiles: [(String, String, String)] = []
    if let score = run.score {
      tiles.append(("return", shown(score), RunProgress.meaning(of: run.evaluationCount)))
    }
    if let random = run.baseline?.mean { tiles.append(("random player", shown(random), "")) }
    if let best = run.summary?["return_best"]?.double { tiles.append(("best evaluation", shown(best), "")) }
    if let worst = run.summary?["probe_worst"]?.double {
      tiles.append(("worst R²", shown(worst), "of the state probe"))
    }
    if let psnr = run.summary?["psnr"]?.double {
      tiles.append(("reconstruction", "\(shown(psnr)) dB", "PSNR of held-out frames"))
    }
    if let step = run.lastStep { tiles.append((run.stepName, shown(step), "")) }
    if let seconds = run.summary?["seconds"]?.double { tiles.append(("time", duration(seconds), "")) }
    if let megabytes = run.summary?["peak_mb"]?.double {
      tiles.append(("memory", "\(shown(megabytes.rounded())) MB", "at its peak"))
    }
    let boxes: [Markup] = tiles.map { name, value, note in
      "<div><dt>\(name)</dt><dd>\(value)<small>\(note)</small></dd></div>"
    }
    let standing: Markup = standing(of: run).map { #"<p class="note">\#($0).</p>"# } ?? ""
    return (boxes.isEmpty ? "" : #"<dl class="tiles">\#(boxes)</dl>"#) + standing
  }

  /// The rank of a training among those in the same folder; nil if it has no return yet.
  func standing(of run: RunRecord) -> String? {
    let root = run.directory.root
    return Ranking(of: run)?.sentence(
      run: runs.count > 1 ? run.name : nil, run.environment, in: root == "." ? "this folder" : root)
  }

  /// The return over steps, a plot for each environment.
  private var curves: Markup {
    environments.map { environment in
      let groups = groups.filter { $0.environment == environment }
      let curves = LearningCurve.all(of: LearningCurve.evaluation, groups, bootstrap)
      guard let plot = Plot(returnsOf: groups, curves) else { return "" }
      return card("Learning curve, \(environment)", curveFigure(plot, groups) + numbers(of: curves))
    }.joined()
  }

  private func curveFigure(_ plot: Plot, _ groups: [RunGroup]) -> Markup {
    let size = groups.map(\.runs.count).max() ?? 1
    let caption =
      size == 1
      ? "Mean return of an evaluation's episodes, with deterministic actions. The band is their standard deviation, "
        + "limited to their minimum and maximum."
      : "Interquartile mean over seeds of the evaluations' returns, with a 95 % bootstrap band. With few runs the band "
        + "is a rough guide. Shown up to the step that at least half of a group's runs have reached."
    return """
      <figure><div class="wide-plot">\(large(plot, 860, 360))</div><div class="narrow">\(large(plot, 340, 260))</div>
      <figcaption>\(caption) Step 0 is the untrained agent. The dashed line is a random player, if it was measured.\
      </figcaption></figure>

      """
  }

  private func large(_ plot: Plot, _ width: Int, _ height: Int) -> Markup {
    enlargeable(plot.svg(width: width, height: height), width: width, height: height, named: "Learning curve")
  }

  /// The points of each curve as a table, at most 41 of them.
  private func numbers(of curves: [LearningCurve]) -> Markup {
    let tables: [Markup] = curves.map { curve in
      let stride = max(1, (curve.points.count + 39) / 40)
      let kept = curve.points.indices.filter { $0 % stride == 0 || $0 == curve.points.count - 1 }
      let rows: [[Markup]] = kept.map { index in
        let band = curve.band.isEmpty ? "–" : shown(curve.band[index])
        return [
          "\(shown(curve.points[index].x))", "\(shown(curve.points[index].y))", "\(band)", "\(curve.counts[index])",
        ]
      }
      let caption = "Learning curve of \(curve.name)"
      return "<h3>\(curve.name)</h3>"
        + table([groups.stepName, "return", "band", "runs"], rows, numeric: [0, 1, 2, 3], caption: caption)
    }
    return fold("Values of the curve", tables.joined())
  }

  /// All other metrics as small multiples.
  private var metrics: Markup {
    var seen: Set<String> = ["evaluation/deviation", LearningCurve.evaluation]
    let names = runs.flatMap(\.metrics.names).filter { seen.insert($0).inserted }
    let shown = names.prefix(48)
    let plots: [Markup] = shown.compactMap { name in
      guard var plot = Plot(LearningCurve.all(of: name, groups, bootstrap), title: name) else { return nil }
      // A single line needs no name.
      if groups.count == 1 { plot.series[0].name = "" }
      let picture = enlargeable(plot.svg(width: 340, height: 210), width: 340, height: 210, named: name)
      return "<figure>\(picture)</figure>"
    }
    guard !plots.isEmpty else {
      return card("Metrics", #"<p class="note">There are no metrics yet.</p>"#)
    }
    return card("Metrics", #"<div class="grid">\#(plots)</div>\#(thinning)\#(left(names.count - shown.count))"#)
  }

  private func left(_ count: Int) -> Markup {
    count > 0 ? #"<p class="note">\#(count) more metrics are in metrics.jsonl.</p>"# : ""
  }

  /// A note if points were merged.
  private var thinning: Markup {
    let most = runs.flatMap { run in run.metrics.names.compactMap { run.metrics[$0] } }.max { $0.binSize < $1.binSize }
    guard let most, most.binSize > 1 else { return "" }
    return """
      <p class="note">Metrics have up to \(shown(Double(most.count))) values: up to \(most.binSize) neighbours are \
      plotted as their mean, for a single run with a band from their minimum to their maximum.</p>
      """
  }

  private var runsTable: Markup {
    let rows: [[Markup]] = groups.flatMap { group in
      group.runs.map { run in
        [
          "\(run.name)", "\(group.name)", "\(run.seed)", RunSection(run).chip, "\(shown(run.score))",
          "\(shown(run.lastStep))", "\(run.why ?? "–")",
        ]
      }
    }
    return table(
      ["run", "group", "seed", "status", "return", groups.stepName, "why"], rows, numeric: [4, 5], caption: "Runs")
  }

  private var details: Markup {
    guard runs.count > 1 else { return RunSection(runs[0]).cards }
    let sections: [Markup] = runs.map { run in
      let section = RunSection(run, among: runs.count)
      return fold(run.name, section.why + section.cards)
    }
    return card("Each run", sections.joined())
  }
}
