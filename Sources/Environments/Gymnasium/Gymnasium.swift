import Core
import Foundation
import Pixels
import Synchronization

/// The spec of a Gymnasium environment and the Python processes that run it.
///
/// All values with the same name share one instance. Its processes end with the last of them. A process belongs to its
/// episode as long as values of the episode exist. Then the next episode can use it.
final class Gymnasium: Sendable {
  private struct State {
    /// The processes that are not in use right now, the longest idle first.
    var idle: [GymProcess]
    var failuresInARow = 0
    var replays = 0
    /// The messages that have been printed and are not printed again.
    var printed: Set<String> = []
  }

  let name: GymName
  let facts: GymFacts
  let spec: EnvironmentSpec
  /// The folder in which Python looks for modules first.
  private let folder: String?
  private let state: Mutex<State>

  var id: String { name.id }
  /// The number of episodes replayed so far, for example because a copy was continued.
  var replays: Int { state.withLock { $0.replays } }

  /// Starts the first process.
  private init(_ name: GymName, in folder: String?, timeout: Int) throws {
    let process = try GymProcess(name, python: Self.python, in: folder, timeout: timeout)
    self.name = name
    facts = process.facts
    spec = EnvironmentSpec(name.id, process.facts)
    self.folder = folder
    state = Mutex(State(idle: [process]))
  }

  // MARK: - Names

  private struct Reference {
    weak var gymnasium: Gymnasium?
  }

  /// The instances that are in use, by name.
  private static let opened = Mutex<[String: Reference]>([:])

  /// The Python interpreter.
  static var python: String { pythonProgram }

  /// Returns the environment with the given name, and starts it if it is not in use yet.
  ///
  /// - Parameters:
  ///   - folder: The folder in which Python looks for modules first. If nil, `PYTHONPATH` applies.
  ///   - timeout: The time that it may take to start, in seconds. At least 120 s are allowed.
  /// - Throws: `InputError` for an unknown name; `WorldError` that says what to install.
  static func named(_ id: String, in folder: String? = nil, timeout: Int = 0) throws -> Gymnasium {
    if let found = opened(id) { return found }
    let new = try Gymnasium(GymName(id), in: folder, timeout: timeout)
    opened.withLock { $0[id] = Reference(gymnasium: new) }
    return new
  }

  /// Returns the environment with the given name if it is in use. The name nil stands for the only environment in use.
  static func opened(_ id: String?) -> Gymnasium? {
    opened.withLock { opened in
      if let id { return opened[id]?.gymnasium }
      let all = opened.values.compactMap(\.gymnasium)
      return all.count == 1 ? all[0] : nil
    }
  }

  // MARK: - Processes

  /// Starts an episode, without waiting for its first observation.
  ///
  /// - Parameters:
  ///   - last: The episode that the caller leaves. Its process is reused if it is still there.
  ///   - draws: Whether to draw the first picture with the reset.
  /// - Throws: `WorldError` if no process can be started.
  func begin(
    _ trace: Trace, after last: (trace: Trace, count: Int), draws: Bool, _ settings: GymSettings
  ) throws(WorldError) {
    let process = try take({ $0.isIn(last.trace, at: last.count) }, orFree: settings)
    defer { giveBack(process) }
    // The process stores a failure and throws it again when its answer is awaited.
    try? process.beginReset(trace, draws: draws, settings)
  }

  /// Announces the next actions to the process of an episode, so that it can start on them.
  func announce(_ entries: [Trace.Entry], in trace: Trace, at count: Int, draws: Bool, _ settings: GymSettings) {
    guard let process = take({ $0.isIn(trace, at: count) }) else { return }
    defer { giveBack(process) }
    // As above.
    try? process.announce(entries, draws: draws, settings)
  }

  /// Calls a closure with a process at the given step of an episode. If there is none, replays the episode in a
  /// process.
  ///
  /// - Parameters:
  ///   - digest: The checksum of the episode at this step, or nil if it was never read.
  ///   - next: An entry that may already have been announced.
  /// - Returns: The result of the closure, or nil if the episode is lost because it failed or its replay diverged. This
  ///   has then been reported.
  /// - Throws: `WorldError` if no process can be started, or if a failure ends the run.
  func withProcess<Result>(
    in trace: Trace, at count: Int, digest: UInt32?, next: Trace.Entry? = nil, _ settings: GymSettings,
    _ body: (GymProcess) throws(PythonProcess.Failure) -> Result
  ) throws(WorldError) -> Result? {
    let process = try take({ $0.stands(in: trace, at: count, next: next) }, orFree: settings)
    do throws(PythonProcess.Failure) {
      if !process.stands(in: trace, at: count, next: next), try !replay(trace, count, digest, in: process, settings) {
        process.leave()
        giveBack(process)
        return nil
      }
      let result = try body(process)
      // Only a successful step resets the count, so that an environment that can only reset does not run forever.
      if next != nil { state.withLock { $0.failuresInARow = 0 } }
      giveBack(process)
      return result
    } catch {
      // The process is not given back, which ends it.
      try handle(process.description(of: error), settings)
      return nil
    }
  }

  /// Replays the first `count` entries of an episode.
  ///
  /// - Returns: false if the replay diverged.
  private func replay(
    _ trace: Trace, _ count: Int, _ digest: UInt32?, in process: GymProcess, _ settings: GymSettings
  ) throws(PythonProcess.Failure) -> Bool {
    state.withLock { $0.replays += 1 }
    try process.beginReset(trace, settings)
    var isSame = true
    for entry in trace.entries(count) where isSame {
      let outcome = try process.step(entry, in: trace, settings)
      isSame = outcome.ending == .running || process.count == count
    }
    let found = try process.observe(settings).digest
    guard isSame, digest == nil || digest == found else {
      say("\(id) is not deterministic: a replayed episode diverged and ends after \(count) steps")
      return false
    }
    return true
  }

  private func take(_ fits: (GymProcess) -> Bool) -> GymProcess? {
    state.withLock { state in
      guard let index = state.idle.firstIndex(where: fits) else { return nil }
      return state.idle.remove(at: index)
    }
  }

  /// Returns a process that fits, else one that no episode uses, else a new one.
  private func take(
    _ fits: (GymProcess) -> Bool, orFree settings: GymSettings
  ) throws(WorldError) -> GymProcess {
    if let found = take(fits) { return found }
    state.withLock { $0.idle.removeAll { $0.isFree && $0.hasFailed } }
    if let free = take({ $0.isFree }) { return free }
    let process: GymProcess
    do { process = try GymProcess(name, python: Self.python, in: folder, timeout: settings.timeout) } catch {
      throw error as? WorldError ?? WorldError("\(error)")
    }
    guard process.facts == facts else { throw WorldError(path: id, "differs between two Python processes") }
    return process
  }

  private func giveBack(_ process: GymProcess) {
    if process.hasMask {
      sayOnce("\(id) returns action masks, which are ignored: masked actions can be chosen too")
    }
    state.withLock { $0.idle.append(process) }
  }

  // MARK: - Failures

  /// Handles a failure according to the settings: throws it to end the run, or reports the end of the episode.
  private func handle(_ reason: String, _ settings: GymSettings) throws(WorldError) {
    let count = state.withLock { state in
      state.failuresInARow += 1
      return state.failuresInARow
    }
    guard settings.failure == .truncate else { throw WorldError(path: id, reason) }
    guard count < 5 else { throw WorldError(path: id, "failed \(count) times in a row: \(reason)") }
    say("\(id): \(reason)\n  The episode ends without this step.")
  }

  private func say(_ line: String) { StandardStreams.say("pixelrl: \(line)") }

  /// Prints a message once, not for each episode.
  func sayOnce(_ line: String) {
    if state.withLock({ $0.printed.insert(line).inserted }) { say(line) }
  }
}

extension EnvironmentSpec {
  /// Creates the spec from the facts that a Python process reports.
  fileprivate convenience init(_ id: String, _ facts: GymFacts) {
    var defaults = EpisodeSettings()
    // Atari: 84x84 gray, up to 30 no-op steps at the start.
    if facts.isAtari { (defaults.size, defaults.color, defaults.noOpStarts) = (84, .gray, 30) }
    self.init(
      id: id, note: "a Gymnasium environment in a Python process", actionSpace: facts.actionSpace,
      // 108,000 frames for Atari games, else the registered time limit, else 10,000 steps.
      episodeLength: facts.timeLimit,
      // 4 frames for Atari games, else 1.
      actionRepeat: facts.actionRepeat, explorationLength: nil,
      // Atari rewards are clipped to [-1, 1] (Mnih 2015).
      rewardLimit: facts.isAtari ? 1 : nil, rewardRange: -Double.infinity...Double.infinity, returnRange: nil,
      // The true state stays in Python, so the observation is used instead.
      stateNames: facts.observationNames,
      // The values of the observation. For Atari games, the known or else all bytes of RAM. Empty if it is an image.
      observationNames: facts.observationNames, wrappingAngles: [], episodeDefaults: defaults,
      lookahead: facts.placeCount - 1)
  }
}
