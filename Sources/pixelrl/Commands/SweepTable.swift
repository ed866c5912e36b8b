import ArgumentParser
import Core
import Runs
import Sweeps

/// `pixelrl sweep table`
struct TabulateSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Write table.md, table.csv and table.json: returns by environment and arm.")

  @OptionGroup var sweep: SweepArgument

  @Option(
    help: ArgumentHelp("the folder of the tables (default: the sweep's)", valueName: "folder"), completion: .directory)
  var out: String?

  @Flag(help: "print the results as JSON instead of Markdown")
  var json = false

  func run() throws {
    let sweep = try SweepFolder(path: sweep.path)
    let table = try ResultTable(of: sweep)
    let folder = out ?? sweep.path
    try makeFolder(folder)
    try table.write(to: folder)
    try printLine(json ? table.json.description : table.markdown)
  }
}
