import Core
import Formats
import Reports
import Runs

/// The results of a sweep by environment and arm: Markdown, CSV and JSON.
public struct ResultTable: Sendable {
  /// One environment and arm.
  public struct Row: Sendable {
    public let environment: String
    public let arm: String
    /// The number of points, of which `returns` are done.
    public let planned: Int
    public var seeds: [UInt64] = []
    public var returns: [Double] = []
    public var best: [Double] = []
    public var steps = 0
    /// Of the training and of the pretraining that it waited for.
    public var minutes: [Double] = []
    /// The least R² of a position for each run with a probe: that of `pixelrl inspect` if the run was inspected, since
    /// its encoder may have changed during the training.
    public var probes: [Double] = []

    public func estimate(_ statistic: Aggregate) -> Estimate? {
      guard !returns.isEmpty else { return nil }
      return Bootstrap().estimate([returns]) { statistic($0) }
    }
  }

  public let title: String
  public let note: String
  public private(set) var rows: [Row] = []

  /// Reads the summaries of the points that are done.
  ///
  /// - Throws: `WorldError` with the path of a damaged file.
  public init(of sweep: SweepFolder) throws {
    (title, note) = (sweep.title, sweep.note)
    let trainings = sweep.points.filter { $0.command == .train }
    var places: [[String]: Int] = [:]
    let counts = Dictionary(grouping: trainings) { [$0.environment, $0.arm] }.mapValues(\.count)
    for point in trainings {
      let key = [point.environment, point.arm]
      if places[key] == nil {
        places[key] = rows.count
        rows.append(Row(environment: point.environment, arm: point.arm, planned: counts[key] ?? 0))
      }
      guard let place = places[key], sweep.isDone(point) else { continue }
      let run = try RunDirectory(existing: sweep.file(point.run))
      let summary = try run.json("summary.json")
      guard let score = summary["return_mean"]?.double else { continue }
      rows[place].seeds.append(point.seed)
      rows[place].returns.append(score)
      if let best = summary["return_best"]?.double { rows[place].best.append(best) }
      rows[place].steps = max(rows[place].steps, summary["env_steps"]?.int ?? 0)
      var seconds = summary["seconds"]?.double ?? 0
      for need in point.needs where need.key == "autoencoder" {
        guard let pretraining = try sweep.point(need.index), sweep.isDone(pretraining) else { continue }
        let shared = try RunDirectory(existing: sweep.file(pretraining.run)).json("summary.json")
        seconds += shared["seconds"]?.double ?? 0
      }
      rows[place].minutes.append(seconds / 60)
      let inspected = exists(run.file(Self.inspection)) ? try run.json(Self.inspection)["probe"]?["r2"] : nil
      if let probe = leastPosition(inspected ?? summary["probe"]) { rows[place].probes.append(probe) }
    }
  }

  private static let inspection = "inspection/inspection.json"

  /// Whether every point is done.
  public var isComplete: Bool { rows.allSatisfy { $0.returns.count == $0.planned } }
}

/// The least R² of all positions and angles of a state; velocities and touch sensors do not count.
private func leastPosition(_ probe: JSON?) -> Double? {
  let others = ["velocity", "speed", "touch"]
  return (probe?.members ?? []).filter { member in !others.contains { member.key.contains($0) } }
    .compactMap(\.value.double).min()
}

extension ResultTable {
  /// The page: the title, the note, an explanation and the table.
  public var markdown: String {
    let explanation =
      "A return is the mean of the last three evaluations, or of as many as there are. IQM is the mean of the middle half "
      + "of the runs. Intervals are 95 % bootstrap intervals over the seeds. Minutes are of one run, with the pretraining "
      + "that it uses. R² is that of the state probe on held-out frames: the least of all positions and angles."
    let head = [
      "environment", "arm", "return of each seed", "IQM", "median", "best evaluation, median", "env steps",
      "minutes, median", "least R² of a position, each seed",
    ]
    let lines = rows.map { row in
      [
        row.environment, row.arm,
        row.returns.map(shownReturn).joined(separator: ", ")
          + (row.returns.count < row.planned ? " (\(row.returns.count) of \(row.planned) runs)" : ""),
        row.estimate(.interquartileMean).map(shown) ?? "", row.estimate(.median).map(shown) ?? "",
        median(row.best).map(shownReturn) ?? "", grouped(row.steps), median(row.minutes).map(tenths) ?? "",
        row.probes.map(thousandths).joined(separator: ", "),
      ]
    }
    let table = ([head, head.map { _ in "---" }] + lines).map { "| \($0.map(escaped).joined(separator: " | ")) |" }
    let parts = ["# \(title.isEmpty ? "Sweep" : title)", note, explanation, table.joined(separator: "\n")]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  /// One line for each run.
  public var csv: String {
    let lines = rows.flatMap { row in
      zip(row.seeds, row.returns).enumerated().map { i, run in
        [
          quoted(row.environment), quoted(row.arm), "\(run.0)", "\(run.1)", i < row.best.count ? "\(row.best[i])" : "",
          "\(row.steps)", "\(row.minutes[i])", row.probes.count == row.returns.count ? "\(row.probes[i])" : "",
        ].joined(separator: ",")
      }
    }
    return (["environment,arm,seed,return,best,env_steps,minutes,probe"] + lines).joined(separator: "\n") + "\n"
  }

  public var json: JSON {
    func json(_ estimate: Estimate?) -> JSON {
      guard let estimate else { return .null }
      let (low, high) = (estimate.interval.lowerBound, estimate.interval.upperBound)
      return ["value": .number(estimate.value), "interval": [.number(low), .number(high)]]
    }
    return [
      "title": .string(title), "note": .string(note),
      "rows": .array(
        rows.map { row in
          [
            "environment": .string(row.environment), "arm": .string(row.arm), "planned": .integer(row.planned),
            "seeds": .array(row.seeds.map { JSON(whole: $0) }), "returns": .array(row.returns.map { .number($0) }),
            "best": .array(row.best.map { .number($0) }), "iqm": json(row.estimate(.interquartileMean)),
            "median": json(row.estimate(.median)), "env_steps": .integer(row.steps),
            "minutes": .array(row.minutes.map { .number($0) }), "probe": .array(row.probes.map { .number($0) }),
          ]
        }),
    ]
  }

  /// Writes `table.md`, `table.csv` and `table.json` into a folder.
  public func write(to folder: String) throws {
    try writeAtomically(Array(markdown.utf8), to: "\(folder)/table.md")
    try writeAtomically(Array(csv.utf8), to: "\(folder)/table.csv")
    try writeAtomically(Array(json.indented.utf8), to: "\(folder)/table.json")
  }
}

private func shown(_ estimate: Estimate) -> String {
  "\(shownReturn(estimate.value)) (\(shownReturn(estimate.interval.lowerBound)) to "
    + "\(shownReturn(estimate.interval.upperBound)))"
}

private func median(_ values: [Double]) -> Double? { values.isEmpty ? nil : Aggregate.median([values]) }

private func tenths(_ value: Double) -> String { fixed(value, 1) }
private func thousandths(_ value: Double) -> String { fixed(value, 3) }

private func fixed(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, abs(value) < 1e9 else { return "\(value)" }
  let unit = (0..<digits).reduce(1) { unit, _ in unit * 10 }
  let scaled = Int((abs(value) * Double(unit)).rounded())
  let fraction = String(scaled % unit)
  return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / unit)."
    + String(repeating: "0", count: digits - fraction.count) + fraction
}

private func grouped(_ number: Int) -> String {
  let digits = Array(String(number))
  return digits.indices.reduce(into: "") { text, i in
    if i > 0, (digits.count - i) % 3 == 0 { text += "," }
    text.append(digits[i])
  }
}

/// A cell of a Markdown table.
private func escaped(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("\n", with: " ") }

/// A field of a CSV file (RFC 4180).
private func quoted(_ text: String) -> String {
  text.contains { ",\"\n\r".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
}
