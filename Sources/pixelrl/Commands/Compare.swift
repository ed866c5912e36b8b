import ArgumentParser
import Core
import Formats
import Reports
import Runs

/// `pixelrl compare`
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Compare groups of runs: aggregate returns with confidence intervals, and the probability of improvement.",
    discussion: """
      A group is [NAME=]PATH[,PATH...]. A path is a run directory, a folder of runs, or a quoted pattern. With a name, \
      all its runs form one group. Without a name, runs that differ only in their seed form a group:

        pixelrl compare runs/experiment
        pixelrl compare 'sac=runs/*-sac-*' random=runs/a,runs/b
      """)

  @Argument(help: ArgumentHelp("groups of runs, as described above", valueName: "group"), completion: .runs)
  var groups: [String]

  @Option(
    help: ArgumentHelp("the page to write (default: a new one under reports/)", valueName: "file"), completion: .file())
  var out: String?

  @Flag(help: "print the results as JSON in the last line")
  var json = false

  func run() throws {
    let comparison = try Comparison(of: RunSelection.all(parsing: groups))
    let path = out ?? unusedPath("reports/\(timestamp())-compare", ending: ".html")
    let files = try comparison.write(to: path)
    for (title, rows) in comparison.rows {
      try printLine(title)
      for line in aligned(rows) { try printLine("  " + line) }
    }
    if !comparison.leftOut.isEmpty {
      try printLine("left out because they have no return: \(comparison.leftOut.joined(separator: ", "))")
    }
    if let doubt = comparison.doubt { try printLine(doubt) }
    try printLine("page: \(path)")
    if json {
      let paths = JSON.Member("files", .array(files.map { .string($0) }))
      try printLine(JSON.object((comparison.json.members ?? []) + [paths]).description)
    }
  }
}
