import Core
import Formats
import Pixels
import Plots
import Runs

extension Comparison {
  /// The page: for each environment the curves, the aggregates as intervals and table, and the probabilities of
  /// improvement.
  public func html() -> String {
    let body: Markup = """
      <a class="skip" href="#main">Skip to content</a>
      <header><p class="eyebrow">pixelrl compare</p><h1>\(title)</h1>\(note)</header>
      <main id="main">
      \(tables.map(section))
      \(card("Runs", runsTable))
      </main>
      <footer>The score of a run is the mean of its last three evaluations, or of all if there are fewer. Intervals: \
      \(Int((bootstrap.confidence * 100).rounded())) % percentile bootstrap, \(bootstrap.resamples) resamples of the \
      runs within each environment. IQM, the interquartile mean, is the mean of the middle half of all scores. \
      Probability of improvement: the Mann–Whitney U statistic divided by the number of pairs; ties count half. All \
      are computed as in Agarwal et al. 2021, “Deep reinforcement learning at the edge of the statistical precipice”, \
      except the median in one environment, which is the median over its runs. Their library rliable uses the median \
      over environments of each environment’s mean, which for one environment is the mean. For several environments, \
      the median here is the same as theirs. With three to five runs an interval is a rough guide, and narrower than \
      it should be.</footer>
      """
    return Page(title: title, body: body).html.description
  }

  private var title: String {
    var seen: Set<String> = []
    let names = groups.map(\.name).filter { seen.insert($0).inserted }
    return names.count <= 4 ? names.joined(separator: " · ") : "\(names.count) groups"
  }

  private var note: Markup {
    let doubt: Markup = doubt.map { #"<p class="note">\#($0.prefix(1).uppercased() + $0.dropFirst()).</p>"# } ?? ""
    guard !leftOut.isEmpty else { return doubt }
    let names = leftOut.prefix(8).joined(separator: ", ") + (leftOut.count > 8 ? " and others" : "")
    return #"<p class="note">Left out \#(leftOut.count) without a return: \#(names).</p>"# + doubt
  }

  private func section(_ table: Table) -> Markup {
    var parts: Markup = ""
    if let plot = curves(table) {
      parts += """
        <figure><div class="wide-plot">\(plot.svg(width: 860, height: 340))</div>\
        <div class="narrow">\(plot.svg(width: 340, height: 260))</div>
        <figcaption>Interquartile mean over seeds, with a bootstrap band. For a single run: the evaluations, with the \
        standard deviation over their episodes. Step 0 is the untrained agent. The dashed line is a random player, if \
        it was measured.</figcaption></figure>
        """
    }
    let plot = intervals(table)
    let scale =
      table.environments.count > 1
      ? " Returns are not normalised: the environments should have the same scale of returns." : ""
    parts += """
      <figure><div class="wide-plot">\(plot.svg(width: 860))</div><div class="narrow">\(plot.svg(width: 340))</div>
      <figcaption>Interquartile mean of the runs' returns and its interval.\(scale)</figcaption></figure>
      \(aggregates(table))
      """
    if table.entries.count > 1 { parts += improvement(table) }
    return card(table.title, parts) + differencesCard(table.entries.map(\.name), table.differences)
  }

  private func aggregates(_ table: Table) -> Markup {
    let rows: [[Markup]] = table.entries.map { entry in
      ["\(entry.name)", "\(entry.runCount)"]
        + entry.estimates.flatMap { ["\(shown($0.value))" as Markup, "\(interval($0, of: entry))"] }
    }
    let headers = ["group", "n"] + Aggregate.allCases.flatMap { [$0.rawValue, "95 %"] }
    return Reports.table(headers, rows, numeric: Set(1..<headers.count), caption: "Returns in \(table.title)")
  }

  private func improvement(_ table: Table) -> Markup {
    let names = table.entries.map(\.name)
    let rows: [[Markup]] = names.indices.map { a in
      ["\(names[a])"]
        + names.indices.map { b in
          guard let estimate = table.improvement(of: a, over: b) else { return "–" }
          return "\(shown(estimate.value)) <span class=\"note\">(\(shown(estimate.interval)))</span>"
        }
    }
    return """
      <h3>Probability of improvement</h3>
      <p class="note">The probability that a run of the row does better than a run of the column; 0.5 means no \
      difference.</p>
      \(Reports.table([""] + names, rows, numeric: Set(1...names.count), caption: "Probability of improvement"))
      """
  }

  private var runsTable: Markup {
    let rows: [[Markup]] = groups.flatMap { group in
      group.runs.map { run in
        [
          "\(run.directory.path)", "\(group.name)", "\(run.environment)", "\(run.seed)", RunSection(run).chip,
          "\(shown(run.score))", "\(shown(run.lastStep))",
        ]
      }
    }
    return Reports.table(
      ["run", "group", "environment", "seed", "status", "return", groups.stepName], rows, numeric: [5, 6],
      caption: "Runs")
  }

  // MARK: plots and files

  private func curves(_ table: Table) -> Plot? {
    guard table.environments.count == 1 else { return nil }
    let groups = groups.filter { $0.environment == table.environments[0] }
    return Plot(returnsOf: groups, LearningCurve.all(of: LearningCurve.evaluation, groups, bootstrap))
  }

  private func intervals(_ table: Table) -> IntervalPlot {
    IntervalPlot(
      title: "", xLabel: "return, interquartile mean",
      rows: table.entries.map {
        .init("\($0.name) (n = \($0.runCount))", $0.estimates[0].value, $0.estimates[0].interval)
      })
  }

  /// The plots of all tables, with their file names.
  private var plots: [NamedPlot] {
    tables.flatMap { table in
      let name = table.environments.count == 1 ? plainName(table.environments[0]) : "all"
      var intervals = intervals(table)
      intervals.title = table.title
      var plots = [NamedPlot(name: "\(name)-intervals", caption: "", intervals)]
      if var curves = curves(table) {
        curves.title = table.title
        plots.append(NamedPlot(name: "\(name)-curves", caption: "", curves))
      }
      return plots
    }
  }

  /// Writes the page, and the plots as PNG and SVG, and curves as TikZ too, into a folder next to it with the same
  /// name.
  ///
  /// - Returns: The paths of all files, the page first.
  /// - Throws: `InputError` if the path belongs to another file, `WorldError` with the path.
  public func write(to path: String) throws -> [String] {
    try PageFiles(path).write(html(), plots)
  }
}
