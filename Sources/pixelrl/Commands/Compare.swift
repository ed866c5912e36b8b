import ArgumentParser
import Core
import Formats
import Reports
import Runs

/// `pixelrl compare`
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare groups of seeds: aggregates with intervals, and the probability of improvement.",
    discussion: """
      A group is [NAME=]PLACE[,PLACE...], where a place is the folder of a run, a folder that runs lie in, such as one of \
      an experiment, or a quoted pattern. With a name all of its runs are one group; without one, runs that differ in \
      nothing but their seed are:

        pixelrl compare runs/experiment
        pixelrl compare 'sac=runs/*-sac-*' random=runs/a,runs/b
      """)

  @Argument(help: ArgumentHelp("runs, as above", valueName: "group"), completion: .directory)
  var groups: [String]

  @Option(help: ArgumentHelp("the page to write (default: one under reports/)", valueName: "file"), completion: .file())
  var out: String?

  @Flag(help: "end with one JSON object on a line of its own")
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
      try printLine("left out, as they have no return yet: \(comparison.leftOut.joined(separator: ", "))")
    }
    if let doubt = comparison.doubt { try printLine(doubt) }
    try printLine("page: \(path)")
    if json {
      let paths = JSON.Member("files", .array(files.map { .string($0) }))
      try printLine(JSON.object((comparison.json.members ?? []) + [paths]).description)
    }
  }
}
