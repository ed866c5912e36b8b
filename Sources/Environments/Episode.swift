import Core
import Pixels

/// One environment being played: time limit, action repeat, sticky actions and what the camera sees, as settings.
///
/// A value: a copy is a snapshot that has the same future. `step` never resets; after an ending call `reset`. The
/// start states, the sticky actions and the camera draw from streams of their own, so that one setting never shifts
/// the randomness of another.
///
/// What goes wrong outside the program is thrown where it is met; nothing can in a built-in environment.
public struct Episode<E: Environment>: Sendable, Codable {
  public let settings: EpisodeSettings
  /// What is known of the environment.
  public let spec: EnvironmentSpec
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
  ///
  /// - Parameter environment: says which; this value itself is not played.
  public init(
    _ environment: E, _ settings: EpisodeSettings = EpisodeSettings(), seed: Seed
  ) throws(E.Failure) {
    self.settings = settings
    self.environment = environment.configured(by: settings)
    spec = environment.spec
    actionRepeat = spec.actionRepeat(settings)
    timeLimit = spec.timeLimit(settings)
    starts = seed.stream("starts")
    stickiness = seed.stream("sticky-actions")
    camera = seed.stream("camera")
    try reset()
  }

  /// Checks that this episode, read from a checkpoint, can go on.
  ///
  /// - Parameter new: one of the same settings.
  /// - Throws: `InputError` that says what is wrong.
  public func validate(against new: Episode) throws(InputError) {
    guard actionRepeat == new.actionRepeat, timeLimit == new.timeLimit, views.count == new.views.count else {
      throw InputError("an episode has other settings")
    }
    guard ending == .running, (0..<timeLimit).contains(steps), totalSteps >= steps else {
      throw InputError("an episode has \(ending) after \(steps) of \(timeLimit) steps")
    }
    if let lastAction { try spec.actionSpace.validate(lastAction) }
    try environment.validate(against: new.environment)
    for view in views { try view.environment.validate(against: new.environment) }
  }

  /// Starts the next episode.
  public mutating func reset() throws(E.Failure) {
    try environment.reset(using: &starts)
    begin()
  }

  /// Starts the next episode from a given state, positions before velocities.
  public mutating func reset(to state: [Double]) {
    precondition { () throws(InputError) in try environment.validate(state: state) }
    environment.set(state: state)
    begin()
  }

  /// Starts the next episode from a state drawn uniformly from all that an episode could meet.
  /// - Returns: false where the environment does not allow it; the episode then has an ordinary start.
  public mutating func randomize() throws(E.Failure) -> Bool {
    try environment.reset(using: &starts)
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
  /// - Throws: what ends the play: no step was taken.
  public mutating func step(_ action: [Double]) throws(E.Failure) -> Step {
    precondition(ending == .running, "the episode has \(ending): call reset before the next step")
    precondition { () throws(InputError) in try spec.actionSpace.validate(action) }
    var (total, count) = try environment.hold(taken(action), for: repeats(after: steps))
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
  public func announce(_ actions: [[Double]]) throws(E.Failure) {
    guard spec.lookahead > 0 else { return }
    var ahead = self
    var plan: [(action: [Double], repeats: Int)] = []
    for action in actions where ahead.steps < timeLimit {
      let repeats = repeats(after: ahead.steps)
      plan.append((ahead.taken(action), repeats))
      ahead.steps += repeats
    }
    try environment.announce(plan)
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
  public var observation: [Double] {
    get throws(E.Failure) { try environment.readObservation() }
  }

  /// An empty frame of the size and colour that the settings ask for.
  public var blankFrame: PixelBuffer { settings.blankFrame }

  /// What the camera sees now. The same picture however often one looks, until the next step.
  /// - Parameter frame: a frame of any size and format, wholly overwritten.
  public func render(into frame: inout PixelBuffer) throws(E.Failure) {
    try views[views.count - 1].render(into: &frame, settings)
  }

  /// What the camera sees now.
  public var frame: PixelBuffer {
    get throws(E.Failure) { try shown(views[views.count - 1]) }
  }

  /// The last `frameStack` frames, oldest first; at the start of an episode, the first one repeated.
  public var frames: [PixelBuffer] {
    get throws(E.Failure) { try views.map { (view) throws(E.Failure) in try shown(view) } }
  }

  private func shown(_ view: View<E>) throws(E.Failure) -> PixelBuffer {
    var frame = blankFrame
    try view.render(into: &frame, settings)
    return frame
  }

  // Coded is all but `spec`, which the environment gives again.
  private enum CodingKeys: CodingKey {
    case settings, environment, ending, steps, totalSteps, episodeReturn, actionRepeat, timeLimit, lastAction, views
    case starts, stickiness, camera
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    settings = try container.decode(EpisodeSettings.self, forKey: .settings)
    environment = try container.decode(E.self, forKey: .environment)
    spec = environment.spec
    ending = try container.decode(Ending.self, forKey: .ending)
    steps = try container.decode(Int.self, forKey: .steps)
    totalSteps = try container.decode(Int.self, forKey: .totalSteps)
    episodeReturn = try container.decode(Double.self, forKey: .episodeReturn)
    actionRepeat = try container.decode(Int.self, forKey: .actionRepeat)
    timeLimit = try container.decode(Int.self, forKey: .timeLimit)
    lastAction = try container.decodeIfPresent([Double].self, forKey: .lastAction)
    views = try container.decode([View<E>].self, forKey: .views)
    starts = try container.decode(Random.self, forKey: .starts)
    stickiness = try container.decode(Random.self, forKey: .stickiness)
    camera = try container.decode(Random.self, forKey: .camera)
  }
}

extension Episode where E: BuiltInEnvironment {
  /// An episode of a member of the catalog at its start.
  public init(_ settings: EpisodeSettings = EpisodeSettings(), seed: Seed) { self.init(E(), settings, seed: seed) }

  // The same as for each environment, but that nothing is thrown: a method of `throws(Never)` needs no `try`, a property does.
  public var observation: [Double] { environment.observation }
  public var frame: PixelBuffer { shown(views[views.count - 1]) }
  public var frames: [PixelBuffer] { views.map { shown($0) } }
}

extension Array {
  /// Steps episodes, each with an action; environments in processes of their own work at the same time.
  ///
  /// - Parameters:
  ///   - indices: of the episodes, none twice.
  ///   - actions: one for each index.
  /// - Throws: what ends the play; some of the steps may have been taken by then.
  public mutating func step<E: Environment>(_ indices: [Int], _ actions: [[Double]]) throws(E.Failure) -> [Step]
  where Element == Episode<E> {
    if indices.count > 1 {
      for (index, action) in zip(indices, actions) { try self[index].announce([action]) }
    }
    var steps: [Step] = []
    for (index, action) in zip(indices, actions) { steps.append(try self[index].step(action)) }
    return steps
  }
}

/// What the camera saw at one agent step: it is drawn only when somebody looks.
private struct View<E: Environment>: Sendable, Codable {
  let environment: E
  let noise: UInt64

  func render(into frame: inout PixelBuffer, _ settings: EpisodeSettings) throws(E.Failure) {
    try environment.render(into: &frame, as: settings.style)
    settings.disturb(&frame, noise: noise)
  }
}

/// Traps with the error's text where a check fails.
private func precondition(_ check: () throws(InputError) -> Void) {
  do { try check() } catch { preconditionFailure(error.description) }
}
