import Core
import Foundation
import Pixels
import Synchronization

/// An environment of Gymnasium by its name: what is known of it, and the Python processes that it is played in.
///
/// All values of a name share one, and with the last of them its processes end. A process belongs to the episode that it is
/// in, as long as that has values; then it is lent to the next.
final class Gymnasium: Sendable {
  private struct Play {
    /// Those that nobody talks to right now, the longest idle first.
    var idle: [GymProcess]
    var failuresInARow = 0
    var replays = 0
    /// What has been said, and is not said again.
    var said: Set<String> = []
  }

  let name: GymName
  let facts: GymFacts
  let spec: EnvironmentSpec
  /// Where Python looks for modules first.
  private let folder: String?
  private let play: Mutex<Play>

  var id: String { name.id }
  /// Episodes that had to be played again so far, such as for a copy that went on.
  var replays: Int { play.withLock { $0.replays } }

  /// Starts a first process.
  private init(_ name: GymName, in folder: String?, timeout: Int) throws {
    let process = try GymProcess(name, python: Self.python, in: folder, timeout: timeout)
    self.name = name
    facts = process.facts
    spec = EnvironmentSpec(name.id, process.facts)
    self.folder = folder
    play = Mutex(Play(idle: [process]))
  }

  // MARK: - Names

  private struct Reference {
    weak var gymnasium: Gymnasium?
  }

  /// All that values are left of, by their names.
  private static let opened = Mutex<[String: Reference]>([:])

  /// The Python that environments are played in: what `PIXELRL_PYTHON` names, else that of `.venv`, else `python3`.
  static var python: String {
    if let named = ProcessInfo.processInfo.environment["PIXELRL_PYTHON"], !named.isEmpty { return named }
    return FileManager.default.isExecutableFile(atPath: ".venv/bin/python") ? ".venv/bin/python" : "python3"
  }

  /// The environment of a name, which is started where there is none of it yet.
  ///
  /// - Parameters:
  ///   - folder: where Python looks for modules first; nil: where `PYTHONPATH` says.
  ///   - timeout: seconds that its start may take, but at least 120.
  /// - Throws: `InputError` for an unknown name; `WorldError` that says what to install.
  static func named(_ id: String, in folder: String? = nil, timeout: Int = 0) throws -> Gymnasium {
    if let found = opened(id) { return found }
    let new = try Gymnasium(GymName(id), in: folder, timeout: timeout)
    opened.withLock { $0[id] = Reference(gymnasium: new) }
    return new
  }

  /// The environment of a name, if there are values of it; nil names the only one that there is.
  static func opened(_ id: String?) -> Gymnasium? {
    opened.withLock { opened in
      if let id { return opened[id]?.gymnasium }
      let all = opened.values.compactMap(\.gymnasium)
      return all.count == 1 ? all[0] : nil
    }
  }

  // MARK: - Processes

  /// Begins an episode, without waiting for its first observation.
  ///
  /// - Parameters:
  ///   - last: the episode that the caller leaves, whose process is then free.
  ///   - draws: whether its first picture is drawn at once.
  /// - Throws: `WorldError` where no process can be had.
  func begin(
    _ trace: Trace, after last: (trace: Trace, count: Int), draws: Bool, _ settings: GymSettings
  ) throws(WorldError) {
    let process = try take({ $0.isIn(last.trace, at: last.count) }, orFree: settings)
    defer { giveBack(process) }
    // It remembers a failure, and says it when it is waited for.
    try? process.beginReset(trace, draws: draws, settings)
  }

  /// Tells an episode's process of the actions that are to follow, so that it can begin with them.
  func announce(_ entries: [Trace.Entry], in trace: Trace, at count: Int, draws: Bool, _ settings: GymSettings) {
    guard let process = take({ $0.isIn(trace, at: count) }) else { return }
    defer { giveBack(process) }
    // As above.
    try? process.announce(entries, draws: draws, settings)
  }

  /// Does something with a process that stands where an episode is; if there is none, the episode is played again in one.
  ///
  /// - Parameters:
  ///   - digest: the checksum that the episode had there; nil where it was never looked at.
  ///   - next: the entry that it may have been told already.
  /// - Returns: nil where the episode is lost, which has been said: it failed, or cannot be played again.
  /// - Throws: `WorldError` where no process can be had, or a failure is to end the play.
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
      // A step, that is: each of an environment that can do nothing but reset is a failure more.
      if next != nil { play.withLock { $0.failuresInARow = 0 } }
      giveBack(process)
      return result
    } catch {
      // Not given back: that ends the process.
      try note(process.description(of: error), settings)
      return nil
    }
  }

  /// - Returns: false where the episode did not come to the same moment.
  private func replay(
    _ trace: Trace, _ count: Int, _ digest: UInt32?, in process: GymProcess, _ settings: GymSettings
  ) throws(PythonProcess.Failure) -> Bool {
    play.withLock { $0.replays += 1 }
    try process.beginReset(trace, settings)
    var isSame = true
    for entry in trace.entries(count) where isSame {
      let outcome = try process.step(entry, in: trace, settings)
      isSame = outcome.ending == .running || process.count == count
    }
    let found = try process.observe(settings).digest
    guard isSame, digest == nil || digest == found else {
      say("\(id) does not give the same episode twice: this one ends after \(count) steps")
      return false
    }
    return true
  }

  private func take(_ fits: (GymProcess) -> Bool) -> GymProcess? {
    play.withLock { play in
      guard let index = play.idle.firstIndex(where: fits) else { return nil }
      return play.idle.remove(at: index)
    }
  }

  /// One that fits, else one that no episode needs; started if there is none.
  private func take(
    _ fits: (GymProcess) -> Bool, orFree settings: GymSettings
  ) throws(WorldError) -> GymProcess {
    if let found = take(fits) { return found }
    play.withLock { $0.idle.removeAll { $0.isFree && $0.hasFailed } }
    if let free = take({ $0.isFree }) { return free }
    let process: GymProcess
    do { process = try GymProcess(name, python: Self.python, in: folder, timeout: settings.timeout) } catch {
      throw error as? WorldError ?? WorldError("\(error)")
    }
    guard process.facts == facts else { throw WorldError(path: id, "is not the same in two Python processes") }
    return process
  }

  private func giveBack(_ process: GymProcess) {
    if process.hasMask {
      sayOnce("\(id) gives action masks, which are ignored: actions that they exclude are chosen too")
    }
    play.withLock { $0.idle.append(process) }
  }

  // MARK: - Failures

  /// Takes a process's failure as the settings say: the end of the play, which is thrown, or of the episode.
  private func note(_ reason: String, _ settings: GymSettings) throws(WorldError) {
    let count = play.withLock { play in
      play.failuresInARow += 1
      return play.failuresInARow
    }
    guard settings.failure == .truncate else { throw WorldError(path: id, reason) }
    guard count < 5 else { throw WorldError(path: id, "failed \(count) times in a row: \(reason)") }
    say("\(id): \(reason)\n  Its episode ends there, without the step.")
  }

  private func say(_ line: String) { StandardStreams.say("pixelrl: \(line)") }

  /// Says something that matters once for all episodes.
  func sayOnce(_ line: String) {
    if play.withLock({ $0.said.insert(line).inserted }) { say(line) }
  }
}

extension EnvironmentSpec {
  /// What a Python process says of an environment.
  fileprivate convenience init(_ id: String, _ facts: GymFacts) {
    var defaults = EpisodeSettings()
    // 84x84 gray, and up to 30 steps of doing nothing at the start.
    if facts.isAtari { (defaults.size, defaults.color, defaults.noOpStarts) = (84, .gray, 30) }
    self.init(
      id: id, note: "an environment of Gymnasium in a Python process", actionSpace: facts.actionSpace,
      // 108,000 frames of an Atari game, else what the environment is registered with, or 10,000 steps.
      episodeLength: facts.timeLimit,
      // 4 frames of an Atari game, else 1.
      actionRepeat: facts.actionRepeat, explorationLength: nil,
      // The size of a reward that an Atari game's agent learns from (Mnih 2015).
      rewardLimit: facts.isAtari ? 1 : nil, rewardRange: -Double.infinity...Double.infinity, returnRange: nil,
      // The observation's, since the true state stays in Python.
      stateNames: facts.observationNames,
      // The numbers of the observation, or those of an Atari game's memory that are known or all; none where it is an image.
      observationNames: facts.observationNames, wrappingAngles: [], episodeDefaults: defaults,
      lookahead: facts.placeCount - 1)
  }
}
