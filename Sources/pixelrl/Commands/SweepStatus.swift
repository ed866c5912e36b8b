import ArgumentParser
import Core
import Foundation
import Runs
import Sweeps

/// `pixelrl sweep status`
struct SweepStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show which points of a sweep wait, run, failed or are done, and their returns.")

  @OptionGroup var sweep: SweepArgument

  @Flag(help: "show running, lost and failed points again and again, until all points are done or failed")
  var watch = false

  @Flag(help: "print a JSON array with an object for each point")
  var json = false

  func run() throws {
    var sweep = try SweepFolder(path: sweep.path)
    while true {
      let table = try StatusTable(of: sweep)
      if json { return try printLine(table.json.description) }
      guard watch else {
        for line in aligned(table.rows) { try printLine(line) }
        return try printLine(table.summary)
      }
      let shown = zip(table.rows.dropFirst(), table.entries).filter { !["waiting", "done"].contains($0.1.status.name) }
      // Clears the terminal.
      if isatty(STDOUT_FILENO) == 1 { try StandardStreams.print("\u{1B}[H\u{1B}[2J") }
      for line in aligned([table.rows[0]] + shown.map(\.0)) { try printLine(line) }
      try printLine(table.summary)
      guard table.entries.contains(where: { !["done", "failed"].contains($0.status.name) }) else { return }
      sleep(5)
      sweep = try SweepFolder(path: sweep.path)
    }
  }
}

/// `pixelrl sweep retry`
struct RetrySweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Let failed and lost points of a sweep run again.")

  @OptionGroup var sweep: SweepArgument

  @Option(
    help: ArgumentHelp(
      "a host that is gone: its points, which seem to run, are lost and can run elsewhere", valueName: "name"))
  var host: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("only these points, such as 0-49 or 0-4,7 (default: all)", valueName: "ranges"))
  var indices: String?

  func run() throws {
    let sweep = try SweepFolder(path: sweep.path)
    let selection = try indices.map { try IndexSelection(parsing: $0) }
    var count = 0
    for point in sweep.points where selection?.contains(point.index) ?? true {
      if try sweep.retry(point, afterLossOf: host) {
        count += 1
        try printLine("waits again: point \(point.index) (\(point.title))")
      }
    }
    try printLine("\(counted(count, "point")) \(count == 1 ? "waits" : "wait") again")
  }
}
