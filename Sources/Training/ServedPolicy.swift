import Agents
import Autoencoders
import Core
import Environments
import Pixels
import Replay
import Representations
import Tensors

/// A trained agent that acts on what another program observes, such as the frames of a robot's camera.
public struct ServedPolicy: Sendable {
  /// The environment that it was trained in.
  public let environment: String
  /// The frames that it takes; nil: it takes states.
  public let frame: FrameShape?
  /// The names of a state's numbers.
  public let stateNames: [String]
  public let actionSpace: ActionSpace
  private var actor: any MomentActor

  /// - Throws: `WorldError` with the path of a file that is missing, damaged or does not fit.
  public init(_ saved: SavedAgent) throws {
    let player = try saved.player(seed: Seed(saved.facts.seed))
    environment = saved.facts.environment
    frame = saved.autoencoder.isEmpty ? nil : try AutoencoderRecord(folder: saved.autoencoder).frame
    stateNames = player.environment.spec.observationNames
    actionSpace = player.layout.actionSpace
    actor = player.actor
  }

  /// Forgets what was observed: the next observation is the first one of an episode.
  public mutating func begin() { actor.begin() }

  /// Returns the action, in the environment's units, for the next frame.
  ///
  /// - Throws: `InputError` if it acts on states, if the size is wrong, or if the action would not be finite.
  public mutating func action(frame bytes: [UInt8]) throws -> [Double] {
    guard let frame else {
      throw InputError("this agent observes the state: send \"state\" with \(stateNames.count) numbers")
    }
    guard bytes.count == frame.count else {
      throw InputError(
        "a frame has \(frame.count) bytes, \(frame.height) x \(frame.width) x \(frame.channels), not \(bytes.count)")
    }
    let format: PixelFormat = frame.channels == 1 ? .gray : .rgb
    return try actor.act(
      frame: PixelBuffer(width: frame.width, height: frame.height, format: format, bytes: bytes), state: [])
  }

  /// Returns the action, in the environment's units, for the next state.
  ///
  /// - Throws: `InputError` if it acts on frames, if the number of values is wrong, if one is too large, or if the action
  ///   would not be finite.
  public mutating func action(state: [Double]) throws -> [Double] {
    guard frame == nil else { throw InputError("this agent observes frames: send \"bytes\" and a frame") }
    guard state.count == stateNames.count else {
      throw InputError(
        "a state has \(stateNames.count) numbers, not \(state.count): \(stateNames.joined(separator: ", "))")
    }
    if let index = state.firstIndex(where: { !Float($0).isFinite }) {
      throw InputError(
        "\(stateNames[index]) is \(state[index]): send a number of at most \(Float.greatestFiniteMagnitude), or its negative"
      )
    }
    return try actor.act(frame: nil, state: state)
  }
}

extension Player {
  fileprivate var actor: any MomentActor {
    PolicyActor(agent: agent, representation: representation, history: History(layout))
  }
}

private protocol MomentActor: Sendable {
  mutating func begin()
  mutating func act(frame: PixelBuffer?, state: [Double]) throws(InputError) -> [Double]
}

private struct PolicyActor<A: Agent, R: Representation>: MomentActor {
  var agent: A
  let representation: R
  var history: History
  /// The last frames, the oldest first.
  private var frames: [PixelBuffer] = []
  /// The action taken since the last observation, `[1, A]`; nil before the first one of an episode.
  private var lastAction: Tensor?

  init(agent: A, representation: R, history: History) {
    (self.agent, self.representation, self.history) = (agent, representation, history)
  }

  mutating func begin() { lastAction = nil }

  mutating func act(frame: PixelBuffer?, state: [Double]) throws(InputError) -> [Double] {
    let before = self
    if let frame {
      frames =
        lastAction == nil
        ? [PixelBuffer](repeating: frame, count: representation.frameStack) : frames.dropFirst() + [frame]
    }
    let latent = representation.latents(of: [Moment(frames: frames, state: state)])
    latent.withElements { latent in
      if let lastAction {
        lastAction.withElements { history.append(action: $0, latent: latent) }
      } else {
        history.begin(with: latent)
      }
    }
    let layout = history.layout
    let observation = Tensor([1, layout.observationSize], of: Float.self) { history.write(into: &$0, at: 0) }
    let action = agent.act(observation, .exploit)
    guard action.isFinite else {
      self = before  // as if it had not observed this
      throw InputError("the policy has no finite action for this observation: send one like those it was trained on")
    }
    lastAction = action
    return action.withElements { layout.actionSpace.denormalized($0) }
  }
}
