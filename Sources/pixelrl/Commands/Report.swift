import ArgumentParser
import Core
import Formats
import Reports
import Runs

/// `pixelrl report`
struct MakeReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write one self-contained HTML page about runs, their plots, and a LaTeX fragment."
  )

  @Argument(
    help: ArgumentHelp(
      "the folders of runs, or folders that runs lie in; those that differ only in their seed become one curve",
      valueName: "run"), completion: .directory)
  var runs: [String]

  @Option(
    help: ArgumentHelp(
      "the page to write (default: report.html in the folder of a single run, else one under reports/)",
      valueName: "file"), completion: .file())
  var out: String?

  @Flag(help: "end with one JSON object on a line of its own")
  var json = false

  func run() throws {
    let directories = try RunSelection.runs(at: runs)
    let report = Reports.Report(of: directories)
    let own = directories.count == 1 ? directories[0].file("report.html") : nil
    let path = out ?? own ?? unusedPath("reports/\(timestamp())", ending: ".html")
    let files = try report.write(to: path)
    try printLine("report: \(path)")
    if json {
      try printLine(
        JSON.object([.init("report", .string(path)), .init("files", .array(files.map { .string($0) }))]).description)
    }
  }
}
