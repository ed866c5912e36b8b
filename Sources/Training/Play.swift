import Agents
import Core
import Environments
import Formats
import Pixels
import Replay
import Representations
import Tensors

/// What an agent is given of one running episode: the history of its latents and actions, and the frames seen last.
struct Lane: Sendable, Codable {
  private(set) var history: History
  /// As many as are seen together, the oldest first. A checkpoint has none: the episode can draw them again.
  private var frames: [PixelBuffer] = []

  private enum CodingKeys: CodingKey { case history }

  init(_ layout: HistoryLayout) { history = History(layout) }

  /// What is there to be seen now: the frame is drawn once.
  ///
  /// - Parameter stack: frames that are seen together; 0: none is drawn.
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

  /// The frame of the last look; nil where none was drawn.
  var frame: PixelBuffer? { frames.last }

  mutating func begin(with latent: Span<Float>) { history.begin(with: latent) }

  mutating func append(action: Span<Float>, latent: Span<Float>) { history.append(action: action, latent: latent) }

  /// The same moments with other latents, as when the encoder has learned on: those of the last steps, all that
  /// observations are made of.
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

/// Episodes that are played side by side, with what an agent is given of each. Agents act through here in training, evaluation
/// and inspection; one that acts while frames are recorded has a `Lane` of its own in the recorder's episode.
struct Play<E: Environment>: Sendable, Codable {
  var episodes: [Episode<E>]
  private(set) var lanes: [Lane]
  let layout: HistoryLayout

  init(_ episodes: [Episode<E>], _ layout: HistoryLayout) {
    self.episodes = episodes
    self.layout = layout
    lanes = episodes.map { [layout] _ in Lane(layout) }
  }

  /// What was seen of some episodes, a row for each: what led there, what there is, and its latents `[N, Z]`.
  struct Outcome {
    let steps: [Step]
    let moments: [Moment]
    let latents: Tensor
  }

  /// Looks at episodes that begin.
  ///
  /// - Returns: their moments, and the latents `[N, Z]`.
  /// - Throws: what has gone wrong with the environment.
  mutating func begin(_ indices: [Int], through representation: some Representation) throws
    -> (moments: [Moment], latents: Tensor)
  {
    let moments = try look(indices, representation)
    let latents = representation.latents(of: moments)
    eachRow(of: latents) { row, latent in lanes[indices[row]].begin(with: latent) }
    return (moments, latents)
  }

  /// `[N, O]`: what the agent is given of each of some episodes.
  func observation(_ indices: [Int]) -> Tensor {
    let size = layout.observationSize
    return Tensor([indices.count, size], of: Float.self) { target in
      for (row, i) in indices.enumerated() { lanes[i].history.write(into: &target, at: row * size) }
    }
  }

  /// Steps some episodes, each by its row of actions `[N, A]`, and looks at where that led.
  ///
  /// - Throws: what has gone wrong with the environment.
  mutating func step(_ indices: [Int], _ actions: Tensor, through representation: some Representation) throws -> Outcome
  {
    let width = layout.actionSpace.arrayCount
    let chosen = actions.withElements { actions in
      indices.indices.map { layout.actionSpace.denormalized(actions.extracting($0 * width..<($0 + 1) * width)) }
    }
    let steps = try episodes.step(indices, chosen)
    let moments = try look(indices, representation)
    let latents = representation.latents(of: moments)
    actions.withElements { actions in
      eachRow(of: latents) { row, latent in
        guard steps[row].ending != .failed else { return }
        lanes[indices[row]].append(action: actions.extracting(row * width..<(row + 1) * width), latent: latent)
      }
    }
    return Outcome(steps: steps, moments: moments, latents: latents)
  }

  /// Gives the agent other latents of the moments that it remembers.
  mutating func rebuild(_ i: Int, _ latents: Tensor, of frames: ReplayFrames) { lanes[i].rebuild(latents, of: frames) }

  /// The frame of an episode as it stands: as it was seen or, where nobody looked, drawn now.
  func frame(_ i: Int) throws(E.Failure) -> PixelBuffer {
    if let frame = lanes[i].frame { return frame }
    return try episodes[i].frame
  }

  private mutating func look(_ indices: [Int], _ representation: some Representation) throws -> [Moment] {
    try indices.map { try lanes[$0].look(at: episodes[$0], stack: representation.frameStack) }
  }

  private func eachRow(of latents: Tensor, _ body: (Int, Span<Float>) -> Void) {
    let size = layout.latentSize
    latents.withElements { latents in
      for row in 0..<latents.count / size { body(row, latents.extracting(row * size..<(row + 1) * size)) }
    }
  }
}
