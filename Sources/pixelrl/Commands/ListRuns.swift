import ArgumentParser
import Core
import Reports
import Runs

/// `pixelrl runs`
struct ListRuns: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "List runs: status, environment, agent, start time, step, return and purpose.")

  @Argument(help: ArgumentHelp("the folder of the runs", valueName: "folder"), completion: .directory)
  var folder = "runs"

  @Option(
    help: ArgumentHelp(
      "began, name, status or seed: ascending; step or return: descending", valueName: "key"))
  var sort = RunEntry.SortKey.began

  @Option(help: ArgumentHelp("only runs that are running, finished, failed or interrupted", valueName: "status"))
  var status: RunStatus?

  @Option(help: ArgumentHelp("only runs in this environment", valueName: "env"))
  var env: String?

  @Option(help: ArgumentHelp("only runs of this agent, or this kind of autoencoder", valueName: "name"))
  var agent: String?

  @Option(help: ArgumentHelp("only runs of this command, such as train", valueName: "command"))
  var command: String?

  @Option(
    help: ArgumentHelp(
      "only runs that meet a condition such as 'return > 500'; can be repeated", valueName: "condition"))
  var filter: [String] = []

  @Flag(help: "print one JSON object per line")
  var json = false

  @Flag(help: "print only the paths of the runs, one per line")
  var paths = false

  func run() throws {
    let conditions = try filter.map { try RunEntry.Condition(parsing: $0) }
    guard isFolder(folder) else {
      throw WorldError(path: folder, "does not exist: 'pixelrl train' and 'pixelrl pretrain-ae' create runs")
    }
    let found = try RunEntry.all(in: folder).filter { entry in
      (status == nil || (entry.damage == nil && entry.status == status))
        && (env == nil || entry.facts?.environment == env) && (agent == nil || entry.facts?.member == agent)
        && (command == nil || entry.facts?.command == command) && conditions.allSatisfy { $0.holds(for: entry) }
    }
    let entries = RunEntry.sorted(found, by: sort)
    if paths {
      for entry in entries { try printLine(entry.run.path) }
    } else if json {
      for entry in entries { try printLine(entry.json.description) }
    } else if entries.isEmpty {
      try printLine("no runs match")
    } else {
      let rows = [["run", "status", "environment", "agent", "began (UTC)", "step", "return", "why"]] + entries.map(row)
      for line in aligned(rows) { try printLine(line) }
    }
  }

  private func row(_ entry: RunEntry) -> [String] {
    let (step, goal) = (entry.progress.step.map(String.init) ?? "-", entry.progress.goal.map { "/\($0)" } ?? "")
    let began: String? = entry.facts.map { String(date(nanoseconds: $0.began).prefix(16)) }
    let returned: String? = entry.progress.returned.map(shortened)
    let cells: [String] = [
      name(of: entry.run), entry.damage == nil ? entry.status.rawValue : "damaged", entry.facts?.environment ?? "-",
      entry.facts?.member ?? "-", began ?? "-", step + goal, returned ?? "-", entry.damage ?? entry.facts?.why ?? "",
    ]
    return cells.map { String($0.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? " " : $0 }) }
  }

  /// The run's path relative to the folder.
  private func name(of run: RunDirectory) -> String {
    let inside = folder.hasSuffix("/") ? folder : folder + "/"
    return run.path.hasPrefix(inside) ? String(run.path.dropFirst(inside.count)) : run.name
  }
}

extension RunEntry.SortKey: ExpressibleByArgument {}
extension RunStatus: ExpressibleByArgument {}
