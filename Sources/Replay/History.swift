import Core
import Tensors

/// How an agent's observation is made of the last latents and actions: `[z_t, s(z_t - z_{t-1}), s(z_{t-1} - z_{t-2}), …,
/// a_{t-1}, a_{t-2}, …]`.
///
/// One frame holds no velocity; differences give it, scaled so that they weigh as much as positions. Before an episode's
/// first frame the first latent repeats and the actions are zero.
public struct HistoryLayout: Sendable, Hashable, Codable {
  /// Numbers of a latent, Z.
  public let latentSize: Int
  /// Latents that are seen, the present one included.
  public let frames: Int
  /// Past actions that are seen.
  public let actions: Int
  public let actionSpace: ActionSpace
  /// The weight of the differences.
  public let differenceScale: Float

  public init(
    latentSize: Int, frames: Int, actions: Int, actionSpace: ActionSpace, differenceScale: Float = 2
  ) {
    precondition(latentSize > 0 && frames > 0 && actions >= 0, "a history needs at least one latent of one number")
    self.latentSize = latentSize
    self.frames = frames
    self.actions = actions
    self.actionSpace = actionSpace
    self.differenceScale = differenceScale
  }

  /// Whether a layout that was stored is one.
  var isPossible: Bool {
    let sizes = 1...1 << 24
    let isSpace =
      switch actionSpace {
      case .continuous(let low, let high): low.count == high.count && sizes.contains(low.count)
      case .discrete(let count): sizes.contains(count)
      }
    return isSpace && sizes.contains(latentSize) && sizes.contains(frames) && (0...1 << 24).contains(actions)
  }

  /// Numbers of an observation, O.
  public var observationSize: Int { latentSize * frames + actionSpace.networkSize * actions }

  /// How many steps back anything is seen.
  public var reach: Int { max(frames - 1, actions) }

  /// Writes one observation.
  ///
  /// - Parameters:
  ///   - latents: all latents; the one of `age` steps ago starts at `latentStart(age)`.
  ///   - pastActions: all actions; the one taken `age` steps ago (1 is the last) starts at `actionStart(age)`, or is not
  ///     there because the episode had not begun.
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
  /// The observations `[B, O]` of latents and actions, as an expression that a gradient can be followed through.
  ///
  /// - Parameters:
  ///   - latents: `[B, Z]` of the moments of 0, 1, … steps ago, `frames` of them.
  ///   - pastActions: `[B, A]` of the actions of 1, 2, … steps ago as networks see them, `actions` of them.
  public func observation(_ latents: [Tensor], _ pastActions: [Tensor]) -> Tensor {
    precondition(latents.count == frames && pastActions.count == actions, "a history has another length")
    let differences = zip(latents, latents.dropFirst()).map { Double(differenceScale) * ($0 - $1) }
    return concatenated([latents[0]] + differences + pastActions)
  }

  /// An action as networks see it, `networkSize` numbers: the numbers themselves, or a 1 in the place of its index; zeros
  /// before the episode.
  public func seen(_ action: ArraySlice<Float>?) -> [Float] {
    var numbers = [Float](repeating: 0, count: actionSpace.networkSize)
    guard let action else { return numbers }
    switch actionSpace {
    case .continuous: numbers = Array(action)
    case .discrete: numbers[Int(action[action.startIndex])] = 1
    }
    return numbers
  }
}

/// The last latents and actions of a running episode: what an agent acts on.
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

  /// Checks that a history read from a checkpoint has a layout.
  /// - Throws: `InputError` that says what is wrong.
  public func validate(against layout: HistoryLayout) throws(InputError) {
    let new = History(layout)
    guard self.layout == layout, latents.count == new.latents.count, actions.count == new.actions.count else {
      throw InputError("a history has another layout")
    }
    guard steps >= 0, latents.allSatisfy(\.isFinite), layout.actionSpace.holds(actions) else {
      throw InputError("a history holds what is no latent or no action")
    }
  }

  /// Begins an episode with its first latent, Z numbers.
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

  /// Writes the present observation, O numbers, from `start` on.
  public func write(into observation: inout MutableSpan<Float>, at start: Int) {
    let (size, width) = (layout.latentSize, layout.actionSpace.arrayCount)
    layout.write(
      into: &observation, at: start, latents: latents.span,
      latentStart: { age in (steps + layout.frames - age) % layout.frames * size },
      pastActions: actions.span,
      actionStart: { age in age <= steps ? (steps - age + 1) % layout.actions * width : nil })
  }

  private mutating func write(_ latent: Span<Float>, at slot: Int) {
    precondition(latent.count == layout.latentSize, "a latent has \(layout.latentSize) numbers, not \(latent.count)")
    for i in 0..<latent.count { latents[slot * layout.latentSize + i] = latent[i] }
  }
}
