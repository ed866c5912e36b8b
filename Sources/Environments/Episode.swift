import Core
import Pixels

/// One environment being played: time limit, action repeat, sticky actions and what the camera sees, as settings.
///
/// A value: a copy is a snapshot that has the same future. `step` never resets; after an ending call `reset`. The
/// start states, the sticky actions and the camera draw from streams of their own, so that one setting never shifts
/// the randomness of another.
public struct Episode<E: Environment>: Sendable, Codable {
  public let settings: EpisodeSettings
  public private(set) var environment: E
  public private(set) var ending = Ending.running
  /// Simulator steps since the start of this episode; an agent's step counts as many as it repeated.
  public private(set) var steps = 0
  /// Simulator steps over all episodes.
  public private(set) var totalSteps = 0
  /// The sum of rewards since the start of this episode.
  public private(set) var episodeReturn = 0.0

  private let actionRepeat: Int
  private let timeLimit: Int
  private var lastAction: [Double]?
  /// The last `frameStack` views, oldest first.
  private var views: [View<E>] = []
  private var starts: Random
  private var stickiness: Random
  private var camera: Random

  /// An episode at its start.
  public init(_ settings: EpisodeSettings = EpisodeSettings(), seed: Seed) {
    self.settings = settings
    environment = E(settings)
    actionRepeat = settings.actionRepeat > 0 ? settings.actionRepeat : E.actionRepeat
    timeLimit = settings.timeLimit > 0 ? settings.timeLimit : E.episodeLength
    starts = seed.stream("starts")
    stickiness = seed.stream("sticky-actions")
    camera = seed.stream("camera")
    reset()
  }

  /// Says what keeps a stored episode from going on, or nothing.
  ///
  /// - Parameter new: one of the same settings.
  public func complaint(like new: Episode) -> String? {
    guard actionRepeat == new.actionRepeat, timeLimit == new.timeLimit, views.count == new.views.count else {
      return "an episode has other settings"
    }
    guard ending == .running, (0..<timeLimit).contains(steps), totalSteps >= steps else {
      return "an episode has \(ending) after \(steps) of \(timeLimit) steps"
    }
    if let lastAction, let complaint = E.actionSpace.complaint(about: lastAction) { return complaint }
    // Not all environments are told by their state.
    guard E.complaint(about: new.environment.state) == nil else { return nil }
    return ([environment] + views.map(\.environment)).lazy.compactMap { E.complaint(about: $0.state) }.first
  }

  /// Starts the next episode.
  public mutating func reset() {
    environment.reset(using: &starts)
    begin()
  }

  /// Starts the next episode from a given state, positions before velocities.
  public mutating func reset(to state: [Double]) {
    if let complaint = E.complaint(about: state) { preconditionFailure(complaint) }
    environment.state = state
    begin()
  }

  /// Starts the next episode from a state drawn uniformly from all that an episode could meet.
  /// - Returns: false where the environment does not allow it; the episode then has an ordinary start.
  public mutating func randomize() -> Bool {
    environment.reset(using: &starts)
    let allowed = environment.randomize(using: &starts)
    begin()
    return allowed
  }

  private mutating func begin() {
    ending = .running
    steps = 0
    episodeReturn = 0
    lastAction = nil
    views = [View](repeating: View(environment: environment, noise: camera.next()), count: settings.frameStack)
  }

  /// Holds an action for `actionRepeat` simulator steps, fewer when the episode ends.
  /// - Parameter action: in the environment's own units; continuous ones are clipped to their bounds.
  /// - Returns: the sum of the rewards, the product of the discounts and how the episode stands.
  public mutating func step(_ action: [Double]) -> Step {
    precondition(ending == .running, "the episode has \(ending): call reset before the next step")
    if let complaint = E.actionSpace.complaint(about: action) { preconditionFailure(complaint) }
    var (total, count) = environment.hold(taken(action), for: repeats(after: steps))
    steps += count
    totalSteps += count
    if total.ending == .running && steps >= timeLimit { total.ending = .truncated }
    ending = total.ending
    episodeReturn += total.reward
    views.removeFirst()
    views.append(View(environment: environment, noise: camera.next()))
    return total
  }

  /// Says with which actions `step` is next, as long as the episode goes on: an environment in a process of its own then
  /// begins.
  public func foresee(_ actions: [[Double]]) {
    guard E.foresight > 0 else { return }
    var ahead = self
    var plan: [(action: [Double], repeats: Int)] = []
    for action in actions where ahead.steps < timeLimit {
      let repeats = repeats(after: ahead.steps)
      plan.append((ahead.taken(action), repeats))
      ahead.steps += repeats
    }
    environment.foresee(plan)
  }

  /// The action itself, or the last one where that sticks.
  private mutating func taken(_ action: [Double]) -> [Double] {
    let sticks = settings.stickyActions > 0 && stickiness.chance(settings.stickyActions)
    let taken = sticks ? lastAction ?? action : action
    lastAction = taken
    return taken
  }

  private func repeats(after steps: Int) -> Int { min(actionRepeat, timeLimit - steps) }

  /// The true state as an agent sees it, undisturbed.
  public var observation: [Double] { environment.observation }

  /// An empty frame of the size and colour that the settings ask for.
  public var blankFrame: PixelBuffer {
    PixelBuffer(width: settings.size, height: settings.size, format: settings.color.format)
  }

  /// What the camera sees now. The same picture however often one looks, until the next step.
  /// - Parameter frame: a frame of any size and format, wholly overwritten.
  public func render(into frame: inout PixelBuffer) { views[views.count - 1].render(into: &frame, settings) }

  /// What the camera sees now.
  public var frame: PixelBuffer {
    var frame = blankFrame
    render(into: &frame)
    return frame
  }

  /// The last `frameStack` frames, oldest first; at the start of an episode, the first one repeated.
  public var frames: [PixelBuffer] {
    views.map { view in
      var frame = blankFrame
      view.render(into: &frame, settings)
      return frame
    }
  }
}

extension Array {
  /// Steps episodes, each with an action; environments in processes of their own work at the same time.
  ///
  /// - Parameters:
  ///   - indices: of the episodes, none twice.
  ///   - actions: one for each index.
  public mutating func step<E: Environment>(_ indices: [Int], _ actions: [[Double]]) -> [Step]
  where Element == Episode<E> {
    if indices.count > 1 {
      for (index, action) in zip(indices, actions) { self[index].foresee([action]) }
    }
    return zip(indices, actions).map { index, action in self[index].step(action) }
  }
}

/// What the camera saw at one agent step: it is drawn only when somebody looks.
private struct View<E: Environment>: Sendable, Codable {
  let environment: E
  let noise: UInt64

  func render(into frame: inout PixelBuffer, _ settings: EpisodeSettings) {
    environment.render(into: &frame, as: settings.look)
    settings.disturb(&frame, noise: noise)
  }
}
