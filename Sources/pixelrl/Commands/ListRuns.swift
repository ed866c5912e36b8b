import ArgumentParser
import Core
import Formats
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
      "began, name, status or seed: ascending; step, return, or any metric or number of the summary: descending",
      valueName: "key"),
    completion: .list(RunEntry.SortKey.allCases.map(\.rawValue)))
  var sort = RunEntry.SortKey.began.rawValue

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("show the settings in which these runs differ, instead of a list", valueName: "runs"),
    completion: .runs)
  var diff: [String] = []

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
    guard diff.isEmpty else { return try printDifferences() }
    let conditions = try filter.map { try RunEntry.Condition(parsing: $0) }
    guard isFolder(folder) else {
      throw WorldError(path: folder, "does not exist: 'pixelrl train' and 'pixelrl pretrain-ae' create runs")
    }
    let found = try RunEntry.all(in: folder).filter { entry in
      (status == nil || (entry.damage == nil && entry.status == status))
        && (env == nil || entry.facts?.environment == env) && (agent == nil || entry.facts?.member == agent)
        && (command == nil || entry.facts?.command == command) && conditions.allSatisfy { $0.holds(for: entry) }
    }
    let key = RunEntry.SortKey(rawValue: sort)
    let entries = try key.map { RunEntry.sorted(found, by: $0) } ?? RunEntry.sorted(found, byNumber: sort)
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

  private func printDifferences() throws {
    guard diff.count > 1 else { throw InputError("--diff takes two or more runs: --diff runs/A runs/B") }
    let runs = try diff.map { try RunDirectory(existing: $0) }
    let rows = try RunDifferences(of: runs).rows
    if json {
      return try printLine(
        JSON.object(
          rows.map { .init($0.key, .array($0.values.map { $0.map { .string($0) } ?? .null })) }
        ).description)
    }
    guard !rows.isEmpty else { return try printLine("the runs have the same settings") }
    let cells = rows.map { row in [row.key] + row.values.map { $0.map { $0.isEmpty ? "none" : $0 } ?? "-" } }
    for line in aligned([["setting"] + runs.map(\.name)] + cells) { try printLine(line) }
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

extension RunStatus: ExpressibleByArgument {}
