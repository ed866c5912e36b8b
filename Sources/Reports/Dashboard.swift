import Core
import Formats
import Pixels
import Plots
import Runs

/// A page about runs that may still be running: the status of each, the remaining time, and the curves so far.
public struct Dashboard: Sendable {
  /// A run, with the link to its page and its remaining time.
  public struct Row: Sendable {
    public let entry: RunEntry
    /// The link relative to the page.
    public let link: String
    /// The remaining time in seconds; nil if it is unknown.
    public let remaining: Double?

    public init(_ entry: RunEntry, link: String, remaining: Double?) {
      (self.entry, self.link, self.remaining) = (entry, link, remaining)
    }
  }

  private let rows: [Row]
  private let groups: [RunGroup]
  private let bootstrap: Bootstrap

  public init(_ rows: [Row], bootstrap: Bootstrap = Bootstrap(resamples: 500)) {
    // Running runs come first, then the newest ones.
    self.rows = rows.sorted { a, b in
      let (first, second) = (a.entry.status == .running, b.entry.status == .running)
      return first == second ? (a.entry.facts?.began ?? 0) > (b.entry.facts?.began ?? 0) : first
    }
    groups = RunGroup.groups(of: rows.map { RunRecord($0.entry.run) })
    self.bootstrap = bootstrap
  }

  /// The page.
  ///
  /// - Parameter refresh: The refresh interval in seconds. The server must provide `Report.liveScript` as `live.js`.
  public func html(refreshEvery refresh: Int) -> String {
    let running = rows.count { $0.entry.status == .running }
    let title = "\(counted(rows.count, "run")), \(running) running"
    let body: Markup = """
      <a class="skip" href="#main">Skip to content</a>
      <header><p class="eyebrow">pixelrl watch</p><h1>\(title)</h1>\(last)</header>
      <main id="main">
      \(card("Runs", rows.isEmpty ? #"<p class="note">There are no runs yet.</p>"# : runsTable))
      \(curves)
      </main>
      <footer>This page refreshes every \(refresh) seconds. The time left is estimated from the rate of the last \
      minutes. Runs that differ only in their seed share a curve.</footer>
      """
    return Page(title: title, body: body, refresh: refresh).html.description
  }

  /// When the last run will end.
  private var last: Markup {
    let times = rows.filter { $0.entry.status == .running }.map(\.remaining)
    guard let longest = times.compactMap(\.self).max() else { return "" }
    let rest = times.contains { $0 == nil } ? " with a known rate" : ""
    return #"<p class="note">The last run\#(rest) ends in about \#(duration(longest)).</p>"#
  }

  private var runsTable: Markup {
    let cells: [[Markup]] = rows.map { row in
      let (entry, facts) = (row.entry, row.entry.facts)
      let status = entry.damage == nil ? entry.status.rawValue : "damaged"
      return [
        #"<a href="\#(row.link)">\#(entry.run.name)</a>"#, #"<span class="chip \#(status)">\#(status)</span>"#,
        "\(facts?.environment ?? "–")", "\(facts?.member ?? "–")", "\(facts.map { String($0.seed) } ?? "–")",
        progress(of: entry.progress), "\(shown(entry.progress.returned))",
        "\(row.remaining.map(duration) ?? "–")", "\(entry.damage ?? facts?.why ?? "")",
      ]
    }
    return table(
      ["run", "status", "environment", "agent", "seed", "step", "return", "time left", "why"], cells,
      numeric: [4, 6, 7], caption: "Runs")
  }

  private func progress(of progress: RunProgress) -> Markup {
    guard let step = progress.step else { return "–" }
    guard let goal = progress.goal, goal > 0 else { return "\(shown(Double(step)))" }
    let share = 100 * min(step, goal) / goal
    return """
      <span class="bar" role="img" aria-label="\(share) %"><i style="width:\(share)%"></i></span> \
      \(shown(Double(step))) of \(shown(Double(goal)))
      """
  }

  /// The return over steps, a plot for each environment.
  private var curves: Markup {
    var seen: Set<String> = []
    return groups.map(\.environment).filter { seen.insert($0).inserted }.map { environment in
      let groups = groups.filter { $0.environment == environment }
      let curves = LearningCurve.all(of: LearningCurve.evaluation, groups, bootstrap)
      guard let plot = Plot(returnsOf: groups, curves) else { return "" }
      return card(
        "Learning curves, \(environment)",
        """
        <figure><div class="wide-plot">\(plot.svg(width: 860, height: 320))</div>\
        <div class="narrow">\(plot.svg(width: 340, height: 260))</div></figure>
        """)
    }.joined()
  }
}
