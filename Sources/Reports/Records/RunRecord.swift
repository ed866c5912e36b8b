import Core
import Formats
import Runs

/// The contents of a run directory for a report. Missing parts are nil, and damaged ones are listed in `problems`.
struct RunRecord: Sendable {
  let directory: RunDirectory
  /// `run.json`; null if it is damaged.
  let facts: JSON
  let settings: [SettingsFile.Group]
  let status: RunStatus
  let metrics: MetricsTable
  let summary: JSON?
  let failure: JSON?
  /// The run's own `autoencoder.json`, such as a pretraining's.
  let autoencoder: JSON?
  /// The agent's autoencoder; nil if the agent observed the true state, or there was no agent.
  let encoderOrigin: EncoderOrigin?
  /// The returns of random play; nil if the run has none.
  let baseline: Baseline?
  private let sourceKinship: JSON?
  /// The errors of reading the files.
  let problems: [String]

  init(_ directory: RunDirectory) { self.init(directory, depth: 8, readsMetrics: true) }

  /// - Parameter depth: how many runs before this one, each begun from the one before, are compared.
  private init(_ directory: RunDirectory, depth: Int, readsMetrics: Bool) {
    var problems: [String] = []
    func attempt<Value>(_ read: () throws -> Value) -> Value? {
      do { return try read() } catch {
        problems.append("\(error)")
        return nil
      }
    }
    func optional(_ name: String) -> JSON? {
      exists(directory.file(name)) ? attempt { try directory.json(name) } : nil
    }
    self.directory = directory
    facts = attempt { try directory.json("run.json") } ?? .null
    settings = attempt { try directory.settings() }?.groups ?? []
    status = directory.status
    summary = optional("summary.json")
    failure = optional("failure.json")
    autoencoder = optional("autoencoder.json")
    encoderOrigin = EncoderOrigin(of: directory, facts: facts, settings: settings, summary: summary)
    sourceKinship = Self.sourceKinship(facts, depth: depth)
    baseline = attempt { try directory.baseline() } ?? nil
    let path = directory.file("metrics.jsonl")
    metrics = readsMetrics && exists(path) ? attempt { try MetricsTable(path: path) } ?? MetricsTable() : MetricsTable()
    if metrics.damagedCount > 0 {
      let lines = metrics.damagedLines.map(String.init).joined(separator: ", ")
      let more = metrics.damagedCount > metrics.damagedLines.count ? " and others" : ""
      problems.append(
        "\(path): \(metrics.damagedCount) of \(metrics.lineCount) lines are damaged (line \(lines)\(more)); left out"
      )
    }
    self.problems = problems
  }

  /// The name of the run directory.
  var name: String { directory.name }
  var command: String { facts["command"]?.text ?? "unknown command" }
  var environment: String { facts["environment"]?.text ?? "unknown environment" }
  var member: String { facts["member"]?.text ?? "unknown member" }
  var seed: String { facts["seed"]?.whole.map { String($0) } ?? "unknown" }
  /// The user's reason for the run.
  var why: String? { facts["why"]?.text.flatMap { $0.isEmpty ? nil : $0 } }

  /// Whether the agent learned from a dataset without acting.
  var isOffline: Bool { command == "train" && !(dataset ?? "").isEmpty }

  /// What a step is.
  var stepName: String { command == "pretrain-ae" || isOffline ? "updates" : "env steps" }

  private var dataset: String? {
    settings.first { $0.title == "training" }?.entries.first { $0.key == "dataset" }?.text
  }

  /// The last step: of the summary, or of the metrics if there is none. The summary of a pretraining counts the steps of
  /// its random play only.
  var lastStep: Double? {
    let ends = metrics.names.compactMap { metrics[$0]?.lastStep }
    let ended = command == "pretrain-ae" ? nil : summary?[isOffline ? "updates" : "env_steps"]?.double
    return ended ?? ends.max()
  }

  /// The number of evaluations without that of the untrained agent at step 0.
  var evaluationCount: Int {
    guard let evaluations = metrics[LearningCurve.evaluation] else { return 0 }
    return evaluations.count - (evaluations.firstStep == 0 ? 1 : 0)
  }

  /// Beyond it, a return is no number to compare: sums and differences of two would overflow.
  private static let scoreLimit = 1e100

  /// The return: the mean of the last three evaluations, from the run's summary if it has one.
  var score: Double? {
    if let mean = summary?["return_mean"]?.double, abs(mean) < Self.scoreLimit { return mean }
    let last = metrics[LearningCurve.evaluation]?.tail.suffix(evaluationCount).filter(\.isFinite) ?? []
    let mean = last.isEmpty ? nil : average(last)
    return mean.flatMap { abs($0) < Self.scoreLimit ? $0 : nil }
  }

  /// R² of each state component, from the run's summary or `autoencoder.json`.
  var probe: [(name: String, r2: Double?)] {
    let source = summary?["probe"] ?? autoencoder?["probe"]
    return (source?.members ?? []).map { ($0.key, $0.value.double ?? $0.value.text.flatMap { Double($0) }) }
  }

  /// A key that is equal for runs that differ only in their seed and in paths. If a run's autoencoder is unknown, the
  /// key has its fingerprint or path instead.
  var kinship: JSON {
    let settings = settings.map { group in
      JSON.Member(
        group.title,
        .object(
          group.entries.filter { !isOfSeed($0.key) && !($0.key == "from" && sourceKinship != nil) }
            .map { .init($0.key, .string($0.text)) }))
    }
    return [
      "command": .string(command), "environment": .string(environment), "member": .string(member),
      "settings": .object(settings), "autoencoder": encoderOrigin?.kinship ?? .null,
      "source": sourceKinship ?? .null,
    ]
  }

  /// The kinship of the run that `train --from` began with, so that each seed may continue its own; nil if there is
  /// none, or it cannot be read any more.
  private static func sourceKinship(_ facts: JSON, depth: Int) -> JSON? {
    let input = facts["inputs"]?["from"]
    let paths = [input?["absolute_path"]?.text, input?["path"]?.text].compactMap(\.self)
    guard depth > 0, let source = paths.lazy.compactMap({ try? RunDirectory(existing: $0) }).first else { return nil }
    let record = RunRecord(source, depth: depth - 1, readsMetrics: false)
    return record.facts == .null ? nil : record.kinship
  }

  /// Whether the runs of a group may differ in a setting: each seed has its own autoencoder and its data. A dataset that
  /// an agent learns from is no such setting, because its returns depend on it.
  func isOfSeed(_ key: String) -> Bool {
    ["seed", "autoencoder"].contains(key) || key == "dataset" && !isOffline
  }
}
