import Agents
import Core
import Environments
import Pixels
import Replay
import Runs
import Tensors

/// Episodes played to judge an agent.
public struct Evaluation: Sendable, Codable {
  public let returns: [Double]
  /// Simulator steps of each episode.
  public let lengths: [Int]

  public var mean: Double { returns.mean }
  /// The standard deviation over episodes.
  public var deviation: Double { returns.deviation }

  /// What the start state of an episode is drawn from.
  static func start(of episode: Int, _ seed: Seed) -> Seed { seed.child("evaluation \(episode)") }

  /// Throws `WorldError` for a return that is not finite.
  func requireFinite(_ environment: String) throws {
    guard let index = returns.firstIndex(where: { !$0.isFinite }) else { return }
    throw WorldError("the return of \(environment) is \(returns[index]) in episode \(index + 1) of an evaluation")
  }

  /// Plays episodes side by side, so that their frames are encoded and their actions chosen as one batch.
  ///
  /// - Parameters:
  ///   - watch: called with each frame of the first episode.
  ///   - outcome: called before that with the step that led to the frame.
  /// - Throws: `Interrupted` at the step after a signal, what the environment failed with, and what `watch` throws.
  public init<A: Agent, O: Observer>(
    of agent: A, in environment: some Environment, _ settings: EpisodeSettings, through observer: O,
    layout: HistoryLayout, episodes count: Int, behavior: Behavior = .exploit, seed: Seed,
    watch: (PixelBuffer) throws -> Void = { _ in }, outcome: (Step) -> Void = { _ in }
  ) throws {
    var agent = agent
    var episodes = try (0..<count).map { try Episode(environment, settings, seed: Self.start(of: $0, seed)) }
    var histories = (0..<count).map { _ in History(layout) }
    let size = layout.latentSize
    try observer.observe(episodes).withElements { latents in
      for i in 0..<count { histories[i].begin(with: latents.extracting(i * size..<(i + 1) * size)) }
    }
    try watch(try episodes[0].frame)
    var running = Array(0..<count)
    while !running.isEmpty {
      try Interruption.check()
      let observation = Tensor([running.count, layout.observationSize], of: Float.self) { target in
        for (row, i) in running.enumerated() { histories[i].write(into: &target, at: row * layout.observationSize) }
      }
      let actions = agent.act(observation, behavior)
      guard actions.isFinite else {
        throw WorldError("the actions of \(A.id) are not finite in an evaluation: its weights are too large")
      }
      let width = layout.actionSpace.arrayCount
      let chosen = actions.withElements { actions in
        running.indices.map { layout.actionSpace.denormalized(actions.extracting($0 * width..<($0 + 1) * width)) }
      }
      let steps = try episodes.step(running, chosen)
      let latents = try observer.observe(running.map { episodes[$0] })
      for (i, step) in zip(running, steps) {
        try episodes[i].requireFinite(after: step, in: "episode \(i + 1) of an evaluation")
      }
      latents.withElements { latents in
        actions.withElements { actions in
          for (row, i) in running.enumerated() {
            histories[i].append(
              action: actions.extracting(row * width..<(row + 1) * width),
              latent: latents.extracting(row * size..<(row + 1) * size))
          }
        }
      }
      if running.first == 0 {
        outcome(steps[0])
        try watch(try episodes[0].frame)
      }
      running.removeAll { episodes[$0].ending != .running }
    }
    returns = episodes.map(\.episodeReturn)
    lengths = episodes.map(\.steps)
  }
}
