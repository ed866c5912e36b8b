import Agents
import Core
import Formats
import Pixels
import Representations
import Runs

/// What a saved agent gets with deterministic and with sampled actions, episode by episode, with intervals.
public struct EvaluationReport: Sendable {
  /// One way to act.
  public struct Mode: Sendable {
    public let name: String
    public let evaluation: Evaluation
    /// Where the mean return lies, as far as so many episodes tell.
    public let interval: ClosedRange<Double>
    public var meanLength: Double {
      Double(evaluation.lengths.reduce(0, +)) / Double(evaluation.lengths.count)
    }
    /// The first episode, where it is asked for.
    fileprivate let film: Film?
  }

  public let modes: [Mode]
  private let saved: SavedAgent
  private let seed: Seed

  /// - Parameters:
  ///   - seed: where start states and sampled actions come from. The run's own seed gives the start states of its
  ///     evaluations, and with as many episodes the very returns of the last one.
  ///   - isFilmed: whether the first episode's frames are kept.
  ///   - interval: tells of returns where their mean lies.
  public init(
    of saved: SavedAgent, episodes: Int, seed: Seed, isFilmed: Bool = false,
    interval: ([Double]) -> ClosedRange<Double>
  ) throws {
    precondition(episodes > 0, "an evaluation needs at least one episode, not \(episodes)")
    self.saved = saved
    self.seed = seed
    let player = try saved.player(seed: seed.child("sampled actions"))
    modes = try [("deterministic", Behavior.exploit), ("sampled", .sample)].map { name, behavior in
      var (seen, last): (Recording?, Step?) = (nil, nil)
      let evaluation = try player.evaluate(
        episodes: episodes, behavior: behavior, seed: seed.child("evaluation"),
        watch: { frame in
          guard isFilmed, (seen?.count ?? 0) < FirstFrames.most(of: frame) else { return }
          Self.film(frame, after: last, player.layout.actionSpace, into: &seen)
        }, outcome: { last = $0 })
      try evaluation.requireFinite(saved.facts.environment)
      let drawing = player.representation.taughtDrawing
      return Mode(
        name: name, evaluation: evaluation, interval: interval(evaluation.returns),
        film: seen.map { Film(of: $0, through: drawing, $0.filmReadings) })
    }
  }

  /// Adds a frame, and the step that led to it, to what was seen of an episode.
  private static func film(
    _ frame: PixelBuffer, after step: Step?, _ actionSpace: ActionSpace, into seen: inout Recording?
  ) {
    var recording = seen ?? Recording(frame: frame, observationNames: [], actionSpace: actionSpace)
    seen = nil
    if let step {
      let nothing = [Float](repeating: 0, count: recording.actionSize)
      recording.append(action: nothing, step: step, frame: frame, observation: [])
    } else {
      recording.begin(frame: frame, observation: [])
    }
    seen = recording
  }

  /// All numbers: `{"run", "step", "seed", "episodes", "deterministic": {"mean", "deviation", "interval", "returns",
  /// "lengths"}, "sampled": {…}}`.
  public var json: JSON {
    .object(
      [
        .init("run", .string(saved.run.path)), .init("environment", .string(saved.facts.environment)),
        .init("agent", .string(saved.facts.member)), .init("step", .integer(saved.step)),
        .init("finished", .bool(saved.run.isFinished)), .init("seed", JSON(whole: seed.value)),
        .init("episodes", .integer(modes[0].evaluation.returns.count)),
      ] + modes.map { .init($0.name, $0.json) })
  }

  /// Writes `evaluation.json`, and `episode.png` and `episode-sampled.png` where it is filmed, into a folder.
  public func write(to folder: String) throws {
    try writeAtomically(Array(json.indented.utf8), to: "\(folder)/evaluation.json")
    for (mode, name) in zip(modes, Self.films) {
      try mode.film?.write(
        to: "\(folder)/\(name)",
        text: [
          "run": saved.run.name, "environment": saved.facts.environment, "step": "\(saved.step)", "actions": mode.name,
        ])
    }
  }

  /// The films' files, in the order of the modes.
  public static let films = ["episode.png", "episode-sampled.png"]
}

extension EvaluationReport.Mode {
  fileprivate var json: JSON {
    [
      "mean": .number(evaluation.mean), "deviation": .number(evaluation.deviation),
      "interval": [.number(interval.lowerBound), .number(interval.upperBound)],
      "mean_length": .number(meanLength), "returns": .array(evaluation.returns.map(JSON.number)),
      "lengths": .array(evaluation.lengths.map(JSON.integer)),
    ]
  }
}
