import Core
import Pixels
import Synchronization

/// Any Gymnasium environment, `gym:NAME`, in a Python process beside this one.
///
/// A value is the way to its moment: a seed and the actions since. The Python process that stands there plays on; where that
/// has moved on with another copy, the way is played again in another process. So copies are snapshots, and a checkpoint
/// holds all there is, as long as the environment is deterministic; an episode of one that is not ends there.
public struct GymEnvironment: Environment {
  public typealias Failure = WorldError

  private let gymnasium: Gymnasium
  private var trace: Trace
  /// How many of the trace's entries led here.
  private var count = 0
  private var moment = Moment()
  private let settings: GymSettings
  /// Whether the process failed: no step of the episode is taken any more.
  private var isLost = false

  init(_ gymnasium: Gymnasium) { self.init(gymnasium, GymSettings(gymnasium.spec.episodeDefaults)) }

  private init(_ gymnasium: Gymnasium, _ settings: GymSettings) {
    self.gymnasium = gymnasium
    self.settings = settings
    trace = Trace(actionCount: gymnasium.spec.actionSpace.arrayCount)
  }

  // MARK: - What it is

  public var spec: EnvironmentSpec { gymnasium.spec }

  public func checkPictures() throws {
    guard !gymnasium.facts.undrawn.isEmpty else { return }
    throw WorldError(
      path: spec.id,
      "draws no pictures, since \(gymnasium.facts.undrawn): pixelrl takes what render() gives, an array [height, "
        + "width, 3] of uint8, or an observation that is an image; --observe state needs none")
  }

  public func configured(by settings: EpisodeSettings) -> GymEnvironment {
    if settings.timeLimit == 0, !gymnasium.facts.declaresTimeLimit {
      gymnasium.sayOnce(
        "\(spec.id) has no time limit of its own: an episode is cut after \(spec.episodeLength) steps; "
          + "--time-limit changes that")
    }
    return GymEnvironment(gymnasium, GymSettings(settings))
  }

  // MARK: - Playing

  /// Begins an episode with a seed that is passed to `reset(seed=…)`. Returns before Python is ready with it.
  public mutating func reset(using random: inout Random) throws(WorldError) {
    let start = Trace.Start(
      seed: UInt32(random.next() >> 33),
      noOps: settings.noOpStarts > 0 ? random.integer(below: settings.noOpStarts + 1) : 0)
    let (last, draws) = ((trace, count), moment.isLookedAt)
    (trace, count, moment, isLost) = (Trace(start, actionCount: spec.actionSpace.arrayCount), 0, Moment(), false)
    try gymnasium.begin(trace, after: last, draws: draws, settings)
  }

  public mutating func step(_ action: [Double]) throws(WorldError) -> Step { try hold(action, for: 1).step }

  /// The steps are taken in Python, so that the action of an agent costs one exchange.
  public mutating func hold(
    _ action: [Double], for repeats: Int
  ) throws(WorldError) -> (step: Step, count: Int) {
    let lost = (Step(reward: 0, ending: .failed), 0)
    guard !isLost else { return lost }
    let entry = entry(action, repeats)
    // What a replay must come to.
    _ = try readObservation()
    let (settings, trace, count, draws) = (settings, trace, count, moment.isLookedAt)
    var next = trace
    let found = try gymnasium.withProcess(in: trace, at: count, digest: moment.digest, next: entry, settings) {
      process throws(PythonProcess.Failure) in
      next = trace.appending(entry, after: count)
      let outcome = try process.step(entry, in: next, draws: draws, settings)
      return (outcome, try process.observe(settings), process.likelyPicture())
    }
    guard let (outcome, seen, picture) = found else {
      isLost = true
      return lost
    }
    (self.trace, self.count, moment) = (next, count + 1, Moment(seen.numbers, digest: seen.digest, picture))
    let isOver = outcome.ending == .terminated || settings.lifeLoss && outcome.lostLife
    return (Step(reward: outcome.reward, discount: isOver ? 0 : 1, ending: outcome.ending), outcome.steps)
  }

  public func announce(_ plan: [(action: [Double], repeats: Int)]) throws(WorldError) {
    guard !isLost else { return }
    // Of this moment, which could not be looked at once the process has gone on.
    _ = try readObservation()
    let entries = plan.map { entry($0.action, $0.repeats) }
    gymnasium.announce(entries, in: trace, at: count, draws: moment.isLookedAt, settings)
  }

  private func entry(_ action: [Double], _ repeats: Int) -> Trace.Entry {
    guard case .continuous(let low, let high) = spec.actionSpace else {
      return Trace.Entry(action: action, repeats: repeats)
    }
    return Trace.Entry(action: action.indices.map { min(max(action[$0], low[$0]), high[$0]) }, repeats: repeats)
  }

  // MARK: - Seeing

  public func readObservation() throws(WorldError) -> [Double] {
    if let known = moment.observation { return known }
    let found = try gymnasium.withProcess(in: trace, at: count, digest: moment.digest, settings) {
      process throws(PythonProcess.Failure) in try process.observe(settings)
    }
    guard let found else { return [Double](repeating: 0, count: spec.observationNames.count) }
    moment.note(found.numbers, digest: found.digest)
    return found.numbers
  }

  /// What `render()` gives, or the observation where that is an image; resized by area, whatever its shape.
  public func render(into frame: inout PixelBuffer) throws(WorldError) {
    if let known = moment.picture(like: frame) {
      frame = known
      return
    }
    _ = try readObservation()
    if !gymnasium.facts.undrawn.isEmpty {
      gymnasium.sayOnce("\(spec.id) draws no pictures, since \(gymnasium.facts.undrawn): its films are black")
    }
    let drawn: Void? =
      isLost
      ? nil
      : try gymnasium.withProcess(in: trace, at: count, digest: moment.digest, settings) {
        process throws(PythonProcess.Failure) in try process.draw(into: &frame, settings)
      }
    guard drawn != nil else {
      for index in frame.bytes.indices { frame.bytes[index] = 0 }
      return
    }
    moment.note(frame)
  }

  public func readState() throws(WorldError) -> [Double] { try readObservation() }

  public mutating func set(state: [Double]) { preconditionFailure("a Gymnasium environment cannot be set to a state") }

  public func validate(state: [Double]) throws(InputError) {
    throw InputError("\(spec.id) cannot be set to a state: leave the state out, and give a seed")
  }

  public func validate(against new: GymEnvironment) throws(InputError) {
    guard spec.id == new.spec.id else { throw InputError("an episode is of \(spec.id)") }
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
    try container.encodeIfPresent(moment.digest, forKey: .digest)
    try container.encode(settings, forKey: .settings)
    try container.encode(isLost, forKey: .isLost)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // Older programs played but one, and did not write it down.
    let name = try container.decodeIfPresent(String.self, forKey: .name)
    guard let gymnasium = Gymnasium.opened(name) else {
      throw DecodingError.dataCorruptedError(
        forKey: .name, in: container, debugDescription: "\(name ?? "a Gymnasium environment") is not what is played")
    }
    self.gymnasium = gymnasium
    let actionSpace = gymnasium.spec.actionSpace
    let numbers = try container.decode([Double].self, forKey: .numbers)
    let actionCount = actionSpace.arrayCount
    guard numbers.count % (actionCount + 1) == 0 else {
      throw DecodingError.dataCorruptedError(
        forKey: .numbers, in: container, debugDescription: "\(numbers.count) numbers are no whole actions")
    }
    for start in stride(from: 0, to: numbers.count, by: actionCount + 1) {
      let (action, repeats) = (Array(numbers[start..<start + actionCount]), numbers[start + actionCount])
      guard (try? actionSpace.validate(action)) != nil, (1...1e6).contains(repeats), repeats == repeats.rounded()
      else {
        throw DecodingError.dataCorruptedError(
          forKey: .numbers, in: container, debugDescription: "\(action), \(repeats) times, is no action")
      }
    }
    trace = Trace(try container.decode(Trace.Start.self, forKey: .start), numbers: numbers, actionCount: actionCount)
    count = numbers.count / (actionCount + 1)
    moment = Moment(
      try container.decode([Double].self, forKey: .observation),
      digest: try container.decodeIfPresent(UInt32.self, forKey: .digest))
    settings = try container.decode(GymSettings.self, forKey: .settings)
    isLost = try container.decode(Bool.self, forKey: .isLost)
  }
}

/// What has been seen of one moment of an episode; copies share it, so that nobody asks Python twice.
private final class Moment: Sendable {
  private struct Seen {
    var observation: [Double]?
    var digest: UInt32?
    var picture: PixelBuffer?
    var isLookedAt = false
  }

  private let seen: Mutex<Seen>

  init(_ observation: [Double]? = nil, digest: UInt32? = nil, _ picture: PixelBuffer? = nil) {
    seen = Mutex(Seen(observation: observation, digest: digest, picture: picture))
  }

  var observation: [Double]? { seen.withLock { $0.observation } }
  var digest: UInt32? { seen.withLock { $0.digest } }
  /// Whether somebody wanted its picture: the next is then drawn with the step.
  var isLookedAt: Bool { seen.withLock { $0.isLookedAt } }

  func note(_ observation: [Double], digest: UInt32) {
    seen.withLock { ($0.observation, $0.digest) = (observation, digest) }
  }

  func note(_ picture: PixelBuffer) { seen.withLock { $0.picture = picture } }

  /// The picture, if it was seen in the size and colours of a frame.
  func picture(like frame: PixelBuffer) -> PixelBuffer? {
    let picture = seen.withLock { seen in
      seen.isLookedAt = true
      return seen.picture
    }
    guard let picture, picture.width == frame.width, picture.height == frame.height, picture.format == frame.format
    else { return nil }
    return picture
  }
}
