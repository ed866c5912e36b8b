import ArgumentParser
import Core
import Formats
import Reports
import Runs

/// `pixelrl report`
struct MakeReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a self-contained HTML report of runs, its plots, and a LaTeX fragment.")

  @Argument(
    help: ArgumentHelp(
      "run directories, or folders of runs; runs that differ only in their seed share one curve",
      valueName: "run"), completion: .runs)
  var runs: [String]

  @Option(
    help: ArgumentHelp(
      "the page to write (default: report.html in the directory of a single run, else a new one under reports/)",
      valueName: "file"), completion: .file())
  var out: String?

  @Flag(help: "print the paths of the files as JSON in the last line")
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
