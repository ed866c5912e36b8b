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

  /// Counts a failure of an episode, which is then played again: an episode that failed has no return.
  ///
  /// - Throws: `WorldError` at the fifth failure in a row. A failure that belongs to the start or to the actions of the
  ///   episode would come back for ever.
  static func count(_ failures: inout Int, of name: String, in environment: String) throws {
    failures += 1
    guard failures < 5 else {
      throw WorldError(
        "\(environment) failed \(failures) times in a row in \(name), for the reasons printed above: it cannot be evaluated"
      )
    }
  }

  /// Plays episodes in parallel: their frames are encoded and their actions chosen as one batch. An episode that fails
  /// is played again from the same start state.
  ///
  /// - Parameters:
  ///   - stopsAtSignals: Whether a signal ends it.
  ///   - watch: Called with each frame of the first episode.
  ///   - outcome: Called before `watch` with the step that led to the frame.
  ///   - again: Called if the first episode failed, before it is watched from the start again.
  /// - Throws: `Interrupted` at the step after such a signal, the environment's errors, and the errors of `watch`.
  public init<A: Agent, R: Representation>(
    of agent: A, in environment: some Environment, _ settings: EpisodeSettings, through representation: R,
    layout: HistoryLayout, episodes count: Int, behavior: Behavior = .exploit, seed: Seed,
    stopsAtSignals: Bool = true, watch: (PixelBuffer) throws -> Void = { _ in }, outcome: (Step) -> Void = { _ in },
    again: () -> Void = {}
  ) throws {
    var agent = agent
    var play = Play(try (0..<count).map { try Episode(environment, settings, seed: Self.start(of: $0, seed)) }, layout)
    var running = Array(0..<count)
    var failures = [Int](repeating: 0, count: count)
    _ = try play.begin(running, through: representation)
    try watch(try play.frame(0))
    while !running.isEmpty {
      if stopsAtSignals { try Interruption.check() }
      let actions = agent.act(play.observation(running), behavior)
      guard actions.isFinite else {
        throw WorldError("the actions of \(A.id) are not finite in an evaluation: its weights are too large")
      }
      let steps = try play.step(running, actions, through: representation).steps
      for (i, step) in zip(running, steps) where step.ending != .failed {
        try play.episodes[i].requireFinite(after: step, in: "episode \(i + 1) of an evaluation")
      }
      if running.first == 0, steps[0].ending != .failed {
        outcome(steps[0])
        try watch(try play.frame(0))
      }
      for i in running where play.episodes[i].ending == .failed {
        try Self.count(&failures[i], of: "episode \(i + 1) of an evaluation", in: environment.spec.id)
        play.episodes[i] = try Episode(environment, settings, seed: Self.start(of: i, seed))
        _ = try play.begin([i], through: representation)
        guard i == 0 else { continue }
        again()
        try watch(try play.frame(0))
      }
      running.removeAll { play.episodes[$0].ending != .running }
    }
    returns = play.episodes.map(\.episodeReturn)
    lengths = play.episodes.map(\.steps)
  }
}
