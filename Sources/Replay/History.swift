import Core
import Tensors

/// How an agent's observation is made from the last latents and actions: `[z_t, s(z_t - z_{t-1}), s(z_{t-1} - z_{t-2}),
/// …, a_{t-1}, a_{t-2}, …]`.
///
/// One frame has no velocity. Differences provide it, scaled to be as large as positions. Before an episode's first
/// frame the first latent is repeated and the actions are zero.
public struct HistoryLayout: Sendable, Hashable, Codable {
  /// The size of a latent, Z.
  public let latentSize: Int
  /// The number of latents in an observation, including the current one.
  public let frames: Int
  /// The number of past actions in an observation.
  public let actions: Int
  public let actionSpace: ActionSpace
  /// The factor on the differences.
  public let differenceScale: Float

  public init(
    latentSize: Int, frames: Int, actions: Int, actionSpace: ActionSpace, differenceScale: Float = 2
  ) {
    precondition(latentSize > 0 && frames > 0 && actions >= 0, "a history needs at least one latent of size 1 or more")
    self.latentSize = latentSize
    self.frames = frames
    self.actions = actions
    self.actionSpace = actionSpace
    self.differenceScale = differenceScale
  }

  /// Whether a layout read from a checkpoint is valid.
  var isPossible: Bool {
    let sizes = 1...1 << 24
    let isSpace =
      switch actionSpace {
      case .continuous(let low, let high): low.count == high.count && sizes.contains(low.count)
      case .discrete(let count): sizes.contains(count)
      }
    return isSpace && sizes.contains(latentSize) && sizes.contains(frames) && (0...1 << 24).contains(actions)
  }

  /// The size of an observation, O.
  public var observationSize: Int { latentSize * frames + actionSpace.networkSize * actions }

  /// The number of past steps that an observation depends on.
  public var reach: Int { max(frames - 1, actions) }

  /// Writes one observation.
  ///
  /// - Parameters:
  ///   - latents: all latents. The one from `age` steps ago starts at `latentStart(age)`.
  ///   - pastActions: all actions. The one taken `age` steps ago (1 is the last) starts at `actionStart(age)`, which is
  ///     nil before the start of the episode.
  @inline(__always)
  func write(
    into observation: inout MutableSpan<Float>, at start: Int, latents: Span<Float>, latentStart: (Int) -> Int,
    pastActions: Span<Float>, actionStart: (Int) -> Int?
  ) {
    let present = latentStart(0)
    for i in 0..<latentSize { observation[start + i] = latents[present + i] }
    var at = start + latentSize
    for age in 1..<max(frames, 1) {
      let (newer, older) = (latentStart(age - 1), latentStart(age))
      for i in 0..<latentSize { observation[at + i] = differenceScale * (latents[newer + i] - latents[older + i]) }
      at += latentSize
    }
    let width = actionSpace.networkSize
    for age in 1..<(actions + 1) {
      for i in 0..<width { observation[at + i] = 0 }
      if let action = actionStart(age) {
        switch actionSpace {
        case .continuous: for i in 0..<width { observation[at + i] = pastActions[action + i] }
        case .discrete: observation[at + Int(pastActions[action])] = 1
        }
      }
      at += width
    }
  }
}

extension HistoryLayout {
  /// Returns the differentiable observations `[B, O]` of latents and actions.
  ///
  /// - Parameters:
  ///   - latents: tensors `[B, Z]` of the latents 0, 1, … steps ago, `frames` of them.
  ///   - pastActions: tensors `[B, A]` of the actions 1, 2, … steps ago in the form of `seen`, `actions` of them.
  public func observation(_ latents: [Tensor], _ pastActions: [Tensor]) -> Tensor {
    precondition(
      latents.count == frames && pastActions.count == actions,
      "a history of \(latents.count) latents and \(pastActions.count) actions, not \(frames) and \(actions)")
    let differences = zip(latents, latents.dropFirst()).map { Double(differenceScale) * ($0 - $1) }
    return concatenated([latents[0]] + differences + pastActions)
  }

  /// Encodes an action as the input of a network, of `networkSize` values; zeros before the episode.
  public func seen(_ action: ArraySlice<Float>?) -> [Float] {
    action.map(actionSpace.networkInput) ?? [Float](repeating: 0, count: actionSpace.networkSize)
  }
}

/// The last latents and actions of a running episode, from which the agent's observation is made.
public struct History: Sendable, Codable {
  public let layout: HistoryLayout
  private var latents: [Float]
  private var actions: [Float]
  /// Steps since the episode's first frame.
  private var steps = 0

  public init(_ layout: HistoryLayout) {
    self.layout = layout
    latents = [Float](repeating: 0, count: layout.latentSize * layout.frames)
    actions = [Float](repeating: 0, count: layout.actionSpace.arrayCount * max(layout.actions, 1))
  }

  /// Checks that a history read from a checkpoint has a given layout.
  /// - Throws: `InputError` that says what is wrong.
  public func validate(against layout: HistoryLayout) throws(InputError) {
    let new = History(layout)
    guard self.layout == layout, latents.count == new.latents.count, actions.count == new.actions.count else {
      throw InputError("a history has a different layout")
    }
    guard steps >= 0, latents.allSatisfy(\.isFinite), layout.actionSpace.holds(actions) else {
      throw InputError("a history contains an invalid latent or action")
    }
  }

  /// Begins an episode with its first latent, Z values.
  public mutating func begin(with latent: Span<Float>) {
    steps = 0
    for age in 0..<layout.frames { write(latent, at: age) }
  }

  /// Adds an action, in the policy's units, and the latent that it led to.
  public mutating func append(action: Span<Float>, latent: Span<Float>) {
    steps += 1
    write(latent, at: steps % layout.frames)
    let width = layout.actionSpace.arrayCount
    guard layout.actions > 0 else { return }
    for i in 0..<width { actions[steps % layout.actions * width + i] = action[i] }
  }

  /// Writes the current observation, O values, starting at `start`.
  public func write(into observation: inout MutableSpan<Float>, at start: Int) {
    let (size, width) = (layout.latentSize, layout.actionSpace.arrayCount)
    layout.write(
      into: &observation, at: start, latents: latents.span,
      latentStart: { age in (steps + layout.frames - age) % layout.frames * size },
      pastActions: actions.span,
      actionStart: { age in age <= steps ? (steps - age + 1) % layout.actions * width : nil })
  }

  private mutating func write(_ latent: Span<Float>, at slot: Int) {
    precondition(latent.count == layout.latentSize, "a latent has \(layout.latentSize) values, not \(latent.count)")
    for i in 0..<latent.count { latents[slot * layout.latentSize + i] = latent[i] }
  }
}
