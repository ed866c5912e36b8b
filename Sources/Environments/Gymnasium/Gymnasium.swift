import Core
import Foundation
import Pixels
import Synchronization

/// The Gymnasium environment that this process plays, and the Python processes that it is played in.
///
/// There is one environment in a process, since `Environment` says in static properties what it is. A Python process belongs
/// to the episode that it is in, as long as that has values; then it is lent to the next.
enum Gymnasium {
  private struct Shared {
    var name: GymName?
    var facts: GymFacts?
    /// Where Python looks for modules first.
    var folder: String?
    /// Those that nobody talks to right now, the longest idle first.
    var idle: [GymProcess] = []
    /// What stopped the play, and has not been told.
    var problem: WorldError?
    var failuresInARow = 0
    var replays = 0
    /// What has been said, and is not said again.
    var said: Set<String> = []
  }

  private static let shared = Mutex(Shared())

  /// The Python that environments are played in: what `PIXELRL_PYTHON` names, else that of `.venv`, else `python3`.
  static var python: String {
    if let named = ProcessInfo.processInfo.environment["PIXELRL_PYTHON"], !named.isEmpty { return named }
    return FileManager.default.isExecutableFile(atPath: ".venv/bin/python") ? ".venv/bin/python" : "python3"
  }

  /// Makes a name that of this process's environment.
  ///
  /// - Parameters:
  ///   - folder: where Python looks for modules first; nil: where `PYTHONPATH` says.
  ///   - timeout: seconds that its start may take, but at least 120.
  /// - Throws: `InputError` for an unknown name, or where another is played already; `WorldError` that says what to install.
  static func choose(_ id: String, in folder: String? = nil, timeout: Int = 0) throws {
    if let chosen = shared.withLock({ $0.name }) {
      guard chosen.id == id else {
        throw InputError("this process plays \(chosen.id): play \(id) in another")
      }
      return
    }
    let name = try GymName(id)
    let process = try GymProcess(name, python: python, in: folder, timeout: timeout)
    shared.withLock { shared in
      (shared.name, shared.facts, shared.folder) = (name, process.facts, folder)
      shared.idle.append(process)
    }
  }

  private static var chosen: (name: GymName, facts: GymFacts) {
    let chosen = shared.withLock { ($0.name, $0.facts) }
    guard let name = chosen.0, let facts = chosen.1 else {
      preconditionFailure("no Gymnasium environment was chosen: call Environments.named(\"gym:…\") first")
    }
    return (name, facts)
  }
  static var id: String { chosen.name.id }
  static var facts: GymFacts { chosen.facts }
  /// Episodes that had to be played again so far, such as for a copy that went on.
  static var replays: Int { shared.withLock { $0.replays } }

  // MARK: - Processes

  /// Begins an episode, without waiting for its first observation.
  ///
  /// - Parameters:
  ///   - last: the episode that the caller leaves, whose process is then free.
  ///   - draws: whether its first picture is drawn at once.
  static func begin(_ trace: Trace, after last: (trace: Trace, count: Int), draws: Bool, _ settings: GymSettings) {
    guard shared.withLock({ $0.problem == nil }) else { return }
    do {
      let process = try take { $0.isIn(last.trace, at: last.count) } ?? freeProcess(settings)
      defer { giveBack(process) }
      // It remembers a failure, and says it when it is waited for.
      try? process.beginReset(trace, draws: draws, settings)
    } catch { stop(error) }
  }

  /// Tells an episode's process of the actions that are to follow, so that it can begin with them.
  static func foresee(
    _ entries: [Trace.Entry], in trace: Trace, at count: Int, draws: Bool, _ settings: GymSettings
  ) {
    guard let process = take({ $0.isIn(trace, at: count) }) else { return }
    defer { giveBack(process) }
    // As above.
    try? process.foresee(entries, draws: draws, settings)
  }

  /// Does something with a process that stands where an episode is; if there is none, the episode is played again in one.
  ///
  /// - Parameters:
  ///   - digest: the checksum that the episode had there; nil where it was never looked at.
  ///   - next: the entry that it may have been told already.
  /// - Returns: nil where it failed or the episode cannot be played again, which has been told: the episode is lost.
  static func withProcess<Result>(
    in trace: Trace, at count: Int, digest: UInt32?, next: Trace.Entry? = nil, _ settings: GymSettings,
    _ body: (GymProcess) throws(PythonProcess.Failure) -> Result
  ) -> Result? {
    // Once play has stopped, all other episodes end too.
    guard shared.withLock({ $0.problem == nil }) else { return nil }
    do {
      let process = try take { $0.stands(in: trace, at: count, next: next) } ?? freeProcess(settings)
      do {
        if !process.stands(in: trace, at: count, next: next) {
          guard try replay(trace, count, digest, in: process, settings) else {
            process.leave()
            giveBack(process)
            return nil
          }
        }
        let result = try body(process)
        // A step, that is: each of an environment that can do nothing but reset is a failure more.
        if next != nil { shared.withLock { $0.failuresInARow = 0 } }
        giveBack(process)
        return result
      } catch let failure as PythonProcess.Failure {
        // Not given back: that ends the process.
        fail(process.description(of: failure), settings)
      }
    } catch { stop(error) }
    return nil
  }

  /// - Returns: false where the episode did not come to the same moment.
  private static func replay(
    _ trace: Trace, _ count: Int, _ digest: UInt32?, in process: GymProcess, _ settings: GymSettings
  ) throws -> Bool {
    shared.withLock { $0.replays += 1 }
    try process.beginReset(trace, settings)
    var isSame = true
    for entry in trace.entries(count) where isSame {
      let outcome = try process.step(entry, in: trace, settings)
      isSame = outcome.ending == .running || process.count == count
    }
    let found = try process.observe(settings).digest
    guard isSame, digest == nil || digest == found else {
      tell("\(id) does not give the same episode twice: this one ends after \(count) steps")
      return false
    }
    return true
  }

  private static func take(_ fits: (GymProcess) -> Bool) -> GymProcess? {
    shared.withLock { shared in
      guard let index = shared.idle.firstIndex(where: fits) else { return nil }
      return shared.idle.remove(at: index)
    }
  }

  /// One that no episode needs; started if there is none.
  private static func freeProcess(_ settings: GymSettings) throws -> GymProcess {
    shared.withLock { $0.idle.removeAll { $0.isFree && $0.hasFailed } }
    if let free = take({ $0.isFree }) { return free }
    let process = try GymProcess(
      chosen.name, python: python, in: shared.withLock { $0.folder }, timeout: settings.timeout)
    guard process.facts == facts else { throw WorldError(path: id, "is not the same in two Python processes") }
    return process
  }

  private static func giveBack(_ process: GymProcess) {
    if process.hasMask {
      tellOnce("\(id) gives action masks, which are ignored: actions that they exclude are chosen too")
    }
    shared.withLock { $0.idle.append(process) }
  }

  // MARK: - Failures

  /// Takes a process's failure as the settings say: the end of the play, or of the episode.
  private static func fail(_ reason: String, _ settings: GymSettings) {
    let count = shared.withLock { shared in
      shared.failuresInARow += 1
      return shared.failuresInARow
    }
    guard settings.failure == .truncate else { return stop(WorldError(path: id, reason)) }
    guard count < 5 else { return stop(WorldError(path: id, "failed \(count) times in a row: \(reason)")) }
    tell("\(id): \(reason)\n  Its episode ends there, without the step.")
  }

  private static func stop(_ error: any Error) {
    let problem = error as? WorldError ?? WorldError("\(error)")
    shared.withLock { $0.problem = $0.problem ?? problem }
  }

  private static func tell(_ line: String) { StandardStreams.say("pixelrl: \(line)") }

  /// Says something that matters once for all episodes.
  static func tellOnce(_ line: String) {
    if shared.withLock({ $0.said.insert(line).inserted }) { tell(line) }
  }

  /// Throws what stopped the play, once.
  static func check() throws {
    let problem = shared.withLock { shared in
      defer { shared.problem = nil }
      return shared.problem
    }
    if let problem { throw problem }
  }
}
