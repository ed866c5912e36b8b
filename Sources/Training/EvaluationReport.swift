import Agents
import Core
import Formats
import Pixels
import Representations
import Runs

/// The returns of a saved agent with deterministic and with sampled actions, episode by episode, with intervals.
public struct EvaluationReport: Sendable {
  /// The evaluation of one way to act: deterministic or sampled.
  public struct Mode: Sendable {
    public let name: String
    public let evaluation: Evaluation
    /// The confidence interval of the mean return.
    public let interval: ClosedRange<Double>
    public var meanLength: Double {
      Double(evaluation.lengths.reduce(0, +)) / Double(evaluation.lengths.count)
    }
    /// A video of the first episode, if requested.
    fileprivate let film: Film?
  }

  public let modes: [Mode]
  private let saved: SavedAgent
  private let seed: Seed

  /// - Parameters:
  ///   - seed: The seed of start states and sampled actions. The run's own seed gives the start states of its
  ///     evaluations and, with the same number of episodes, exactly the returns of the last one.
  ///   - isFilmed: Whether the first episode's frames are kept.
  ///   - interval: Returns the confidence interval of the mean of returns.
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
        }, outcome: { last = $0 }, again: { (seen, last) = (nil, nil) })
      try evaluation.requireFinite(saved.facts.environment)
      let drawing = player.representation.trainedDecoder
      return Mode(
        name: name, evaluation: evaluation, interval: interval(evaluation.returns),
        film: seen.map { Film(of: $0, through: drawing, $0.filmReadings) })
    }
  }

  /// Appends a frame, and the step that led to it, to the recording of an episode.
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

  /// All values: `{"run", "step", "seed", "episodes", "deterministic": {"mean", "deviation", "interval", "returns",
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

  /// Writes `evaluation.json` into a folder, and `episode.png` and `episode-sampled.png` if videos were requested.
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

  /// The file names of the videos, in the order of the modes.
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
