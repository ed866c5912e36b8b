import Core
import Formats
import Pixels
import Plots
import Runs

/// A report of one run or several: one HTML page that needs nothing but itself, plots, and a LaTeX fragment.
///
/// What the runs' folders have is read once, when the report is made. Runs that differ in nothing but their seed are
/// shown as one group. A part that is missing or damaged is told in its place.
public struct Report: Sendable {
  let runs: [RunRecord]
  let groups: [RunGroup]
  let bootstrap: Bootstrap

  /// - Parameter runs: at least one.
  public init(of runs: [RunDirectory], bootstrap: Bootstrap = Bootstrap()) {
    precondition(!runs.isEmpty, "a report needs at least one run")
    self.runs = runs.map(RunRecord.init)
    groups = RunGroup.groups(of: self.runs)
    self.bootstrap = bootstrap
  }

  /// The page.
  ///
  /// - Parameter refresh: seconds after which a page of a run that still goes on renews itself, where its server has
  ///   `liveScript` beside it as `live.js`.
  public func html(refreshEvery refresh: Int? = nil) -> String {
    let note: Markup = refresh.map { "This page renews itself every \($0) seconds. " } ?? ""
    let body: Markup = """
      <a class="skip" href="#main">To the content</a>
      \(header)
      <main id="main">
      \(tiles)
      \(curves)
      \(differences)
      \(metrics)
      \(runs.count > 1 ? card("Runs", runsTable) : "")
      \(details)
      </main>
      <footer>\(note)Made by <code>pixelrl report</code>. Bands of several seeds: 95 % percentile bootstrap of the \
      interquartile mean over runs, as in Agarwal et al. 2021, \
      “Deep reinforcement learning at the edge of the statistical precipice”.</footer>
      """
    return Page(title: title, body: body, refresh: refresh).html.description
  }

  var title: String {
    runs.count == 1 ? runs[0].name : "\(runs.count) runs of \(environments.joined(separator: ", "))"
  }

  /// In the order of their first run.
  var environments: [String] {
    var seen: Set<String> = []
    return runs.map(\.environment).filter { seen.insert($0).inserted }
  }

  // MARK: parts

  private var header: Markup {
    guard runs.count == 1 else {
      return """
        <header><p class="eyebrow">pixelrl report</p><h1>\(title)</h1>
        <p class="note">Runs that differ in nothing but their seed are one group.\(doubt)</p>\
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

  /// Why runs may be apart that belong together.
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
    if let step = run.lastStep { tiles.append(("env steps", shown(step), "")) }
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

  /// Where a training stands among those beside it; nil where it has no return yet.
  func standing(of run: RunRecord) -> String? {
    let root = run.directory.root
    return Ranking(of: run)?.sentence(
      run: runs.count > 1 ? run.name : nil, run.environment, in: root == "." ? "this folder" : root)
  }

  /// The return over the steps, a plot for each environment.
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
      ? "Mean return of an evaluation's episodes, with deterministic actions; the band is their standard deviation, within "
        + "the least and the greatest of them."
      : "Interquartile mean over seeds of the evaluations' returns, with a 95 % bootstrap band. Of so few runs the band "
        + "is a rough guide. Drawn wherever at least half of a group's runs have got."
    return """
      <figure><div class="wide-plot">\(large(plot, 860, 360))</div><div class="narrow">\(large(plot, 340, 260))</div>
      <figcaption>\(caption) At step 0 the untrained agent; dashed, where it was measured, a random player.</figcaption>\
      </figure>

      """
  }

  private func large(_ plot: Plot, _ width: Int, _ height: Int) -> Markup {
    enlargeable(plot.svg(width: width, height: height), width: width, height: height, named: "Learning curve")
  }

  /// At most 41 points of each curve as a table.
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
        + table(["env steps", "return", "band", "runs"], rows, numeric: [0, 1, 2, 3], caption: caption)
    }
    return fold("The curve in numbers", tables.joined())
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

  /// Says where points were joined.
  private var thinning: Markup {
    let most = runs.flatMap { run in run.metrics.names.compactMap { run.metrics[$0] } }.max { $0.binSize < $1.binSize }
    guard let most, most.binSize > 1 else { return "" }
    return """
      <p class="note">Up to \(shown(Double(most.count))) numbers a metric: \(most.binSize) neighbours at a time are drawn as \
      their mean, with a band from the least to the greatest where one run is shown.</p>
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
      ["run", "group", "seed", "status", "return", "env steps", "why"], rows, numeric: [4, 5], caption: "Runs")
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
