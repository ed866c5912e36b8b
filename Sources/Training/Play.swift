import Agents
import Core
import Environments
import Formats
import Pixels
import Replay
import Representations
import Tensors

/// An agent's input from one running episode: the history of latents and actions, and the newest frames.
struct Lane: Sendable, Codable {
  private(set) var history: History
  /// The newest frame stack, the oldest frame first. Checkpoints leave it out: the episode can render it again.
  private var frames: [PixelBuffer] = []

  private enum CodingKeys: CodingKey { case history }

  init(_ layout: HistoryLayout) { history = History(layout) }

  /// Returns the current frames and state of an episode. The newest frame is rendered once.
  ///
  /// - Parameter stack: The number of stacked frames. With 0, no frame is rendered.
  mutating func look<E: Environment>(at episode: Episode<E>, stack: Int) throws(E.Failure) -> Moment {
    if stack == 0 {
      frames = []
    } else if stack == 1 {
      frames = [try episode.frame]
    } else if frames.count == stack, episode.steps > 0 {
      frames.removeFirst()
      frames.append(try episode.frame)
    } else {
      frames = try episode.frames
    }
    return Moment(frames: frames, state: try episode.observation)
  }

  /// The newest frame that was rendered; nil if there is none.
  var frame: PixelBuffer? { frames.last }

  mutating func begin(with latent: Span<Float>) { history.begin(with: latent) }

  mutating func append(action: Span<Float>, latent: Span<Float>) { history.append(action: action, latent: latent) }

  /// Rebuilds the history with new latents of the same frames, after the encoder has changed. The latents of the last
  /// steps suffice, since observations use no others.
  mutating func rebuild(_ latents: Tensor, of frames: ReplayFrames) {
    let (count, size) = (latents.shape[0], history.layout.latentSize)
    latents.withElements { latents in
      history.begin(with: latents.extracting(0..<size))
      for i in 1..<max(count, 1) {
        let action = Array(frames.action(frames.count - count + i - 1))
        history.append(action: action.span, latent: latents.extracting(i * size..<(i + 1) * size))
      }
    }
  }
}

/// Parallel episodes, with the agent's input from each. Training, evaluation and inspection act through this type; an
/// agent that acts while frames are recorded uses a single `Lane` with the recorder's episode.
struct Play<E: Environment>: Sendable, Codable {
  var episodes: [Episode<E>]
  private(set) var lanes: [Lane]
  let layout: HistoryLayout

  init(_ episodes: [Episode<E>], _ layout: HistoryLayout) {
    self.episodes = episodes
    self.layout = layout
    lanes = episodes.map { [layout] _ in Lane(layout) }
  }

  /// The result of stepping some episodes, a row for each: the steps, the new frames and states, and the latents `[N,
  /// Z]`.
  struct Outcome {
    let steps: [Step]
    let moments: [Moment]
    let latents: Tensor
  }

  /// Starts the histories of some episodes at their first frames.
  ///
  /// - Returns: The frames and states, and the latents `[N, Z]`.
  /// - Throws: The environment's errors.
  mutating func begin(_ indices: [Int], through representation: some Representation) throws
    -> (moments: [Moment], latents: Tensor)
  {
    let moments = try moments(indices, representation)
    let latents = representation.latents(of: moments)
    eachRow(of: latents) { row, latent in lanes[indices[row]].begin(with: latent) }
    return (moments, latents)
  }

  /// Returns the observations of some episodes, `[N, O]`.
  func observation(_ indices: [Int]) -> Tensor {
    let size = layout.observationSize
    return Tensor([indices.count, size], of: Float.self) { target in
      for (row, i) in indices.enumerated() { lanes[i].history.write(into: &target, at: row * size) }
    }
  }

  /// Steps some episodes, each with its row of the actions `[N, A]`, and encodes the new frames.
  ///
  /// - Throws: The environment's errors.
  mutating func step(_ indices: [Int], _ actions: Tensor, through representation: some Representation) throws -> Outcome
  {
    let width = layout.actionSpace.arrayCount
    let chosen = actions.withElements { actions in
      indices.indices.map { layout.actionSpace.denormalized(actions.extracting($0 * width..<($0 + 1) * width)) }
    }
    let steps = try episodes.step(indices, chosen)
    let moments = try moments(indices, representation)
    let latents = representation.latents(of: moments)
    actions.withElements { actions in
      eachRow(of: latents) { row, latent in
        guard steps[row].ending != .failed else { return }
        lanes[indices[row]].append(action: actions.extracting(row * width..<(row + 1) * width), latent: latent)
      }
    }
    return Outcome(steps: steps, moments: moments, latents: latents)
  }

  /// Replaces the latents in the history of an episode.
  mutating func rebuild(_ i: Int, _ latents: Tensor, of frames: ReplayFrames) { lanes[i].rebuild(latents, of: frames) }

  /// Returns the current frame of an episode, and renders it if it was not rendered yet.
  func frame(_ i: Int) throws(E.Failure) -> PixelBuffer {
    if let frame = lanes[i].frame { return frame }
    return try episodes[i].frame
  }

  private mutating func moments(_ indices: [Int], _ representation: some Representation) throws -> [Moment] {
    try indices.map { try lanes[$0].look(at: episodes[$0], stack: representation.frameStack) }
  }

  private func eachRow(of latents: Tensor, _ body: (Int, Span<Float>) -> Void) {
    let size = layout.latentSize
    latents.withElements { latents in
      for row in 0..<latents.count / size { body(row, latents.extracting(row * size..<(row + 1) * size)) }
    }
  }
}
