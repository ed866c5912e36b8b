import Core
import Pixels
import Synchronization

/// Any Gymnasium environment, `gym:NAME`, running in a separate Python process.
///
/// A value stores how its state was reached: the seed and the actions since the reset. The Python process in that state
/// continues the episode. If it has moved on with another copy, the actions are replayed in another process. Copies are
/// therefore snapshots, and a checkpoint is complete, provided that the environment is deterministic. If it is not, the
/// episode fails when it is replayed.
public struct GymEnvironment: Environment {
  public typealias Failure = WorldError

  private let gymnasium: Gymnasium
  private var trace: Trace
  /// The number of entries of the trace that led to this state.
  private var count = 0
  private var cache = StepCache()
  private let settings: GymSettings
  /// Whether a step failed.
  private var hasFailed = false
  /// Whether the process failed. No further steps of the episode are then taken.
  private var isLost: Bool { hasFailed || cache.isLost }

  init(_ gymnasium: Gymnasium) { self.init(gymnasium, GymSettings(gymnasium.spec.episodeDefaults)) }

  private init(_ gymnasium: Gymnasium, _ settings: GymSettings) {
    self.gymnasium = gymnasium
    self.settings = settings
    trace = Trace(actionCount: gymnasium.spec.actionSpace.arrayCount)
  }

  // MARK: - Description

  public var spec: EnvironmentSpec { gymnasium.spec }

  public func checkRendering() throws {
    guard !gymnasium.facts.undrawn.isEmpty else { return }
    throw WorldError(
      path: spec.id,
      "cannot draw frames: \(gymnasium.facts.undrawn); pixelrl needs a render() that returns a uint8 array [height, "
        + "width, 3], or an image as observation; use --observe state to train without frames")
  }

  public func configured(by settings: EpisodeSettings) -> GymEnvironment {
    if settings.timeLimit == 0, !gymnasium.facts.declaresTimeLimit {
      gymnasium.sayOnce(
        "\(spec.id) has no time limit: episodes are truncated after \(spec.episodeLength) steps; "
          + "use --time-limit to change this")
    }
    return GymEnvironment(gymnasium, GymSettings(settings))
  }

  // MARK: - Stepping

  /// Starts an episode with a seed that is passed to `reset(seed=…)`. Returns before Python has finished the reset.
  public mutating func reset(using random: inout Random) throws(WorldError) {
    let start = Trace.Start(
      seed: UInt32(random.next() >> 33),
      noOps: settings.noOpStarts > 0 ? random.integer(below: settings.noOpStarts + 1) : 0)
    let (last, draws) = ((trace, count), cache.wasRendered)
    (trace, count, cache, hasFailed) = (Trace(start, actionCount: spec.actionSpace.arrayCount), 0, StepCache(), false)
    try gymnasium.begin(trace, after: last, draws: draws, settings)
  }

  public mutating func step(_ action: [Double]) throws(WorldError) -> Step { try hold(action, for: 1).step }

  /// Python takes all the steps, so that an agent step costs one exchange.
  public mutating func hold(
    _ action: [Double], for repeats: Int
  ) throws(WorldError) -> (step: Step, count: Int) {
    let lost = (Step(reward: 0, ending: .failed), 0)
    guard !isLost else { return lost }
    let entry = entry(action, repeats)
    // Caches the checksum that a replay must reproduce.
    _ = try readObservation()
    guard !isLost else { return lost }
    let (settings, trace, count, draws) = (settings, trace, count, cache.wasRendered)
    var next = trace
    let result = try gymnasium.withProcess(in: trace, at: count, digest: cache.digest, next: entry, settings) {
      process throws(PythonProcess.Failure) in
      next = trace.appending(entry, after: count)
      let outcome = try process.step(entry, in: next, draws: draws, settings)
      return (outcome, try process.observe(settings), process.likelyPicture(settings))
    }
    guard let (outcome, observed, picture) = result else {
      hasFailed = true
      return lost
    }
    (self.trace, self.count) = (next, count + 1)
    cache = StepCache(observed.numbers, digest: observed.digest, picture)
    let isOver = outcome.ending == .terminated || settings.lifeLoss && outcome.lostLife
    return (Step(reward: outcome.reward, discount: isOver ? 0 : 1, ending: outcome.ending), outcome.steps)
  }

  public func announce(_ plan: [(action: [Double], repeats: Int)]) throws(WorldError) {
    guard !isLost else { return }
    // Caches the current observation, which cannot be read once the process has moved on.
    _ = try readObservation()
    guard !isLost else { return }
    let entries = plan.map { entry($0.action, $0.repeats) }
    gymnasium.announce(entries, in: trace, at: count, draws: cache.wasRendered, settings)
  }

  private func entry(_ action: [Double], _ repeats: Int) -> Trace.Entry {
    guard case .continuous(let low, let high) = spec.actionSpace else {
      return Trace.Entry(action: action, repeats: repeats)
    }
    return Trace.Entry(action: action.indices.map { min(max(action[$0], low[$0]), high[$0]) }, repeats: repeats)
  }

  // MARK: - Observing

  /// If the process fails while its answer is awaited, the next step is a failed one: the zeros that are returned then
  /// belong to no transition.
  public func readObservation() throws(WorldError) -> [Double] {
    if let known = cache.observation { return known }
    var found: (numbers: [Double], digest: UInt32)?
    // Nothing has happened yet in an episode that has just begun, so another process can begin it.
    for _ in 0..<(count == 0 ? 2 : 1) where found == nil && !isLost {
      found = try gymnasium.withProcess(in: trace, at: count, digest: cache.digest, settings) {
        process throws(PythonProcess.Failure) in try process.observe(settings)
      }
    }
    guard let observed = found else {
      cache.lose()
      return [Double](repeating: 0, count: spec.observationNames.count)
    }
    cache.store(observed.numbers, digest: observed.digest)
    return observed.numbers
  }

  /// Draws the output of `render()`, or the observation if that is an image, fitted into the frame.
  public func render(into frame: inout PixelBuffer) throws(WorldError) {
    if let known = cache.picture(like: frame) {
      frame = known
      return
    }
    _ = try readObservation()
    if !gymnasium.facts.undrawn.isEmpty {
      gymnasium.sayOnce("\(spec.id) cannot draw frames: \(gymnasium.facts.undrawn); its videos are black")
    } else if settings.fit == nil, let advice = gymnasium.facts.adviceAgainstStretching(to: frame.size) {
      gymnasium.sayOnce("\(spec.id) \(advice)")
    }
    let drawn: Void? =
      isLost
      ? nil
      : try gymnasium.withProcess(in: trace, at: count, digest: cache.digest, settings) {
        process throws(PythonProcess.Failure) in try process.draw(into: &frame, settings)
      }
    guard drawn != nil else {
      for index in frame.bytes.indices { frame.bytes[index] = 0 }
      return
    }
    cache.store(frame)
  }

  public func readState() throws(WorldError) -> [Double] { try readObservation() }

  public mutating func set(state: [Double]) { preconditionFailure("a Gymnasium environment cannot be set to a state") }

  public func validate(state: [Double]) throws(InputError) {
    throw InputError("\(spec.id) cannot be set to a state: use a seed instead")
  }

  public func validate(against new: GymEnvironment) throws(InputError) {
    guard spec.id == new.spec.id else { throw InputError("an episode belongs to \(spec.id), not to \(new.spec.id)") }
  }
}

extension GymEnvironment: Codable {
  private enum CodingKeys: CodingKey {
    case name, start, numbers, observation, digest, settings, isLost
  }

  public func encode(to encoder: any Encoder) throws {
    let observation = try readObservation()
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(spec.id, forKey: .name)
    try container.encode(trace.start, forKey: .start)
    try container.encode(trace.firstNumbers(count), forKey: .numbers)
    try container.encode(observation, forKey: .observation)
    try container.encodeIfPresent(cache.digest, forKey: .digest)
    try container.encode(settings, forKey: .settings)
    try container.encode(isLost, forKey: .isLost)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // Older versions had only one Gymnasium environment and did not store its name.
    let name = try container.decodeIfPresent(String.self, forKey: .name)
    guard let gymnasium = Gymnasium.opened(name) else {
      throw DecodingError.dataCorruptedError(
        forKey: .name, in: container, debugDescription: "\(name ?? "a Gymnasium environment") is not open")
    }
    self.gymnasium = gymnasium
    let actionSpace = gymnasium.spec.actionSpace
    let numbers = try container.decode([Double].self, forKey: .numbers)
    let actionCount = actionSpace.arrayCount
    guard numbers.count % (actionCount + 1) == 0 else {
      throw DecodingError.dataCorruptedError(
        forKey: .numbers, in: container, debugDescription: "\(numbers.count) values are not a whole number of actions")
    }
    for start in stride(from: 0, to: numbers.count, by: actionCount + 1) {
      let (action, repeats) = (Array(numbers[start..<start + actionCount]), numbers[start + actionCount])
      guard (try? actionSpace.validate(action)) != nil, (1...1e6).contains(repeats), repeats == repeats.rounded()
      else {
        throw DecodingError.dataCorruptedError(
          forKey: .numbers, in: container,
          debugDescription: "\(action), repeated \(repeats) times, is not a valid action")
      }
    }
    trace = Trace(try container.decode(Trace.Start.self, forKey: .start), numbers: numbers, actionCount: actionCount)
    count = numbers.count / (actionCount + 1)
    cache = StepCache(
      try container.decode([Double].self, forKey: .observation),
      digest: try container.decodeIfPresent(UInt32.self, forKey: .digest))
    settings = try container.decode(GymSettings.self, forKey: .settings)
    hasFailed = try container.decode(Bool.self, forKey: .isLost)
  }
}

/// The cached results of one step of an episode. Copies share it, so that each result is requested from Python once.
private final class StepCache: Sendable {
  private struct Values {
    var observation: [Double]?
    var digest: UInt32?
    var picture: PixelBuffer?
    var wasRendered = false
    var isLost = false
  }

  private let values: Mutex<Values>

  init(_ observation: [Double]? = nil, digest: UInt32? = nil, _ picture: PixelBuffer? = nil) {
    values = Mutex(Values(observation: observation, digest: digest, picture: picture))
  }

  var observation: [Double]? { values.withLock { $0.observation } }
  var digest: UInt32? { values.withLock { $0.digest } }
  /// Whether the picture was requested. The next step then draws its picture without being asked.
  var wasRendered: Bool { values.withLock { $0.wasRendered } }

  /// Whether the observation could not be read.
  var isLost: Bool { values.withLock { $0.isLost } }

  func lose() { values.withLock { $0.isLost = true } }

  func store(_ observation: [Double], digest: UInt32) {
    values.withLock { ($0.observation, $0.digest) = (observation, digest) }
  }

  func store(_ picture: PixelBuffer) { values.withLock { $0.picture = picture } }

  /// Returns the picture if it was drawn with the size and format of `frame`, else nil.
  func picture(like frame: PixelBuffer) -> PixelBuffer? {
    let picture = values.withLock { values in
      values.wasRendered = true
      return values.picture
    }
    guard let picture, picture.width == frame.width, picture.height == frame.height, picture.format == frame.format
    else { return nil }
    return picture
  }
}
