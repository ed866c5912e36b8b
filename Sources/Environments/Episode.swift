import Core
import Pixels

/// Runs episodes of one environment, with its time limit, action repeat, sticky actions and camera effects.
///
/// An episode is a value: a copy is a snapshot with the same future. `step` never resets; call `reset` after an episode
/// ends. Start states, sticky actions and the camera use separate random streams, so that one setting does not change
/// the random numbers of another.
///
/// Methods throw if something outside the program fails. Built-in environments never throw.
public struct Episode<E: Environment>: Sendable, Codable {
  public let settings: EpisodeSettings
  /// The description of the environment.
  public let spec: EnvironmentSpec
  public private(set) var environment: E
  public private(set) var ending = Ending.running
  /// The number of simulator steps in this episode. An agent step counts as many as it repeats.
  public private(set) var steps = 0
  /// The number of simulator steps over all episodes.
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
  /// What distracts from the task at present; nil for nothing.
  private var distraction: Distraction?

  /// Creates an episode and resets it.
  ///
  /// - Parameter environment: The environment. The episode plays a copy of it.
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
    distraction = Distraction(settings.distractions, seed.stream("distraction"))
    try reset()
  }

  /// Checks that this episode, read from a checkpoint, can be continued.
  ///
  /// - Parameter new: A new episode with the same settings.
  /// - Throws: `InputError` that says what is wrong.
  public func validate(against new: Episode) throws(InputError) {
    guard actionRepeat == new.actionRepeat, timeLimit == new.timeLimit, views.count == new.views.count,
      ([self.distraction] + views.map(\.distraction)).allSatisfy({ ($0 == nil) == (new.distraction == nil) })
    else {
      throw InputError("an episode has different settings")
    }
    guard ending == .running, (0..<timeLimit).contains(steps), totalSteps >= steps else {
      throw InputError("an episode is \(ending) after \(steps) of \(timeLimit) steps")
    }
    if let lastAction { try spec.actionSpace.validate(lastAction) }
    try environment.validate(against: new.environment)
    for view in views { try view.environment.validate(against: new.environment) }
    if let fresh = new.distraction {
      try distraction?.validate(against: fresh)
      for view in views { try view.distraction?.validate(against: fresh) }
    }
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

  /// Starts the next episode from a state drawn uniformly from all states that an episode can reach.
  /// - Returns: false if the environment does not support this. The episode then has an ordinary start state.
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
    distraction?.begin()
    views = [View](repeating: nextView(), count: settings.frameStack)
  }

  private mutating func nextView() -> View<E> {
    View(environment: environment, noise: camera.next(), distraction: distraction)
  }

  /// Repeats an action for `actionRepeat` simulator steps, or fewer if the episode ends.
  /// - Parameter action: An action in the environment's units. Continuous actions are clipped to their bounds.
  /// - Returns: The sum of the rewards, the product of the discounts, and whether the episode ended.
  /// - Throws: An error that ends the run. No step was taken.
  public mutating func step(_ action: [Double]) throws(E.Failure) -> Step {
    precondition(ending == .running, "the episode has \(ending): call reset before the next step")
    precondition { () throws(InputError) in try spec.actionSpace.validate(action) }
    var (total, count) = try environment.hold(taken(action), for: repeats(after: steps))
    steps += count
    totalSteps += count
    if total.ending == .running && steps >= timeLimit { total.ending = .truncated }
    ending = total.ending
    episodeReturn += total.reward
    distraction?.advance(by: count)
    views.removeFirst()
    views.append(nextView())
    return total
  }

  /// Announces the actions of the next steps, up to the end of the episode. An environment in a separate process then
  /// starts on them.
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

  /// Returns the action, or the previous one if it sticks.
  private mutating func taken(_ action: [Double]) -> [Double] {
    let sticks = settings.stickyActions > 0 && stickiness.chance(settings.stickyActions)
    let taken = sticks ? lastAction ?? action : action
    lastAction = taken
    return taken
  }

  private func repeats(after steps: Int) -> Int { min(actionRepeat, timeLimit - steps) }

  /// The true state as an agent observes it, without camera effects.
  public var observation: [Double] {
    get throws(E.Failure) { try environment.readObservation() }
  }

  /// A blank frame with the size and colours of the settings.
  public var blankFrame: PixelBuffer { settings.blankFrame }

  /// Renders the current camera frame. Repeated calls before the next step give the same frame.
  /// - Parameter frame: A frame of any size and format. All of its pixels are overwritten.
  public func render(into frame: inout PixelBuffer) throws(E.Failure) {
    try views[views.count - 1].render(into: &frame, settings)
  }

  /// The current camera frame.
  public var frame: PixelBuffer {
    get throws(E.Failure) { try shown(views[views.count - 1]) }
  }

  /// The last `frameStack` frames, oldest first. At the start of an episode, the first frame is repeated.
  public var frames: [PixelBuffer] {
    get throws(E.Failure) { try views.map { (view) throws(E.Failure) in try shown(view) } }
  }

  private func shown(_ view: View<E>) throws(E.Failure) -> PixelBuffer {
    var frame = blankFrame
    try view.render(into: &frame, settings)
    return frame
  }

  // All properties are coded except `spec`, which the environment provides.
  private enum CodingKeys: CodingKey {
    case settings, environment, ending, steps, totalSteps, episodeReturn, actionRepeat, timeLimit, lastAction, views
    case starts, stickiness, camera, distraction
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
    distraction = try container.decodeIfPresent(Distraction.self, forKey: .distraction)
  }
}

extension Episode where E: BuiltInEnvironment {
  /// Creates an episode of an environment of the catalog and resets it.
  public init(_ settings: EpisodeSettings = EpisodeSettings(), seed: Seed) { self.init(E(), settings, seed: seed) }

  // Non-throwing versions: a method that is `throws(Never)` can be called without `try`, but a property cannot.
  public var observation: [Double] { environment.observation }
  public var frame: PixelBuffer { shown(views[views.count - 1]) }
  public var frames: [PixelBuffer] { views.map { shown($0) } }
}

extension Array {
  /// Steps several episodes. Environments in separate processes run in parallel.
  ///
  /// - Parameters:
  ///   - indices: The indices of the episodes, each at most once.
  ///   - actions: One action for each index.
  /// - Returns: One step for each index.
  /// - Throws: An error that ends the run. Some of the steps may already have been taken.
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

/// The camera's view at one agent step. It is rendered only on request.
private struct View<E: Environment>: Sendable, Codable {
  let environment: E
  let noise: UInt64
  let distraction: Distraction?

  func render(into frame: inout PixelBuffer, _ settings: EpisodeSettings) throws(E.Failure) {
    var style = settings.style
    style.distraction = distraction
    try environment.render(into: &frame, as: style)
    settings.disturb(&frame, noise: noise)
  }
}

/// Traps with the error's description if a check fails.
private func precondition(_ check: () throws(InputError) -> Void) {
  do { try check() } catch { preconditionFailure(error.description) }
}
