import Agents
import Core
import Environments
import Pixels
import Replay
import Representations
import Runs
import Tensors

/// Episodes played to evaluate an agent.
public struct Evaluation: Sendable, Codable {
  public let returns: [Double]
  /// Simulator steps of each episode.
  public let lengths: [Int]

  public var mean: Double { returns.mean }
  /// The standard deviation over episodes.
  public var deviation: Double { returns.deviation }

  /// The seed that the start state of an episode is drawn from.
  static func start(of episode: Int, _ seed: Seed) -> Seed { seed.child("evaluation \(episode)") }

  /// Throws `WorldError` for a return that is not finite.
  func requireFinite(_ environment: String) throws {
    guard let index = returns.firstIndex(where: { !$0.isFinite }) else { return }
    throw WorldError("the return of \(environment) is \(returns[index]) in episode \(index + 1) of an evaluation")
  }

  /// Plays episodes in parallel: their frames are encoded and their actions chosen as one batch.
  ///
  /// - Parameters:
  ///   - stopsAtSignals: Whether a signal ends it.
  ///   - watch: Called with each frame of the first episode.
  ///   - outcome: Called before `watch` with the step that led to the frame.
  /// - Throws: `Interrupted` at the step after such a signal, the environment's errors, and the errors of `watch`.
  public init<A: Agent, R: Representation>(
    of agent: A, in environment: some Environment, _ settings: EpisodeSettings, through representation: R,
    layout: HistoryLayout, episodes count: Int, behavior: Behavior = .exploit, seed: Seed,
    stopsAtSignals: Bool = true, watch: (PixelBuffer) throws -> Void = { _ in }, outcome: (Step) -> Void = { _ in }
  ) throws {
    var agent = agent
    var play = Play(try (0..<count).map { try Episode(environment, settings, seed: Self.start(of: $0, seed)) }, layout)
    var running = Array(0..<count)
    _ = try play.begin(running, through: representation)
    try watch(try play.frame(0))
    while !running.isEmpty {
      if stopsAtSignals { try Interruption.check() }
      let actions = agent.act(play.observation(running), behavior)
      guard actions.isFinite else {
        throw WorldError("the actions of \(A.id) are not finite in an evaluation: its weights are too large")
      }
      let steps = try play.step(running, actions, through: representation).steps
      for (i, step) in zip(running, steps) {
        try play.episodes[i].requireFinite(after: step, in: "episode \(i + 1) of an evaluation")
      }
      if running.first == 0 {
        outcome(steps[0])
        try watch(try play.frame(0))
      }
      running.removeAll { play.episodes[$0].ending != .running }
    }
    returns = play.episodes.map(\.episodeReturn)
    lengths = play.episodes.map(\.steps)
  }
}
