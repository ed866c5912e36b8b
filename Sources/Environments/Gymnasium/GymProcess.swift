import Core
import Pixels

/// One Gymnasium environment in a Python process, and where in which episode it is.
///
/// A request can be sent before its answer is waited for, so that several processes work at the same time. Used by one
/// thread at a time.
final class GymProcess: @unchecked Sendable {
  typealias Failure = PythonProcess.Failure

  /// What a step gave.
  struct Outcome {
    let reward: Double
    /// Simulator steps that were taken: fewer than asked for where the episode ended.
    let steps: Int
    let ending: Ending
    let lostLife: Bool
  }

  private enum Request: Equatable {
    case reset
    case step(Trace.Entry)
  }

  let facts: GymFacts
  private let python: PythonProcess
  private var pending: Request?
  private var failure: Failure?

  /// The episode that it is in; nil once no value of it is left, or where it has gone astray.
  private(set) weak var trace: Trace?
  /// How many of the episode's entries it has taken.
  private(set) var count = 0
  /// Channels of the picture of this moment in shared memory; 0 where it has not been drawn.
  private var pictureChannels = 0
  /// The frame that was last drawn into: its size and format are likely those of the next.
  private var lastFrame: PixelBuffer?

  /// Starts the process, and waits until the environment stands.
  ///
  /// - Throws: `InputError` or `WorldError` that say what to type or to install.
  init(_ name: GymName, python path: String, in folder: String?, timeout: Duration = .seconds(120)) throws {
    python = try PythonProcess(path, script: PackageResources.server_py, [name.name, name.options], in: folder)
    do {
      facts = try GymFacts(try python.receiveLine(within: timeout), of: name.id)
    } catch let failure as Failure {
      throw WorldError(path: name.id, Self.description(of: failure, python))
    }
    try python.mapMemory(facts.memoryCount)
  }

  /// Whether it stands where an episode has taken `count` entries, and may be asked for what follows.
  ///
  /// - Parameter next: the entry that it may have been told already.
  func stands(in trace: Trace, at count: Int, next: Trace.Entry? = nil) -> Bool {
    guard self.trace === trace, self.count == count else { return false }
    if case .step(let entry) = pending { return entry == next }
    return true
  }

  /// Whether no episode needs it.
  var isFree: Bool { trace == nil }
  var hasFailed: Bool { failure != nil }

  func leave() { trace = nil }

  // MARK: - Requests

  /// Begins an episode.
  ///
  /// - Parameter draws: whether its first picture is drawn at once, without being asked for.
  func beginReset(_ trace: Trace, draws: Bool = false, _ settings: GymSettings) throws(Failure) {
    if pending != nil { try settle(settings) }
    (self.trace, count) = (trace, 0)
    python.trimLog()
    python.store(Int64(trace.start.seed), at: 8)
    python.store(Int32(trace.start.noOps), at: 16)
    try send(UInt8(ascii: "r"), draws: draws, settings)
    pending = .reset
  }

  /// Tells of the next entry of the episode; `step` waits for what it gives.
  ///
  /// - Parameter draws: as above.
  func beginStep(_ entry: Trace.Entry, draws: Bool = false, _ settings: GymSettings) throws(Failure) {
    if pending == .step(entry) { return }
    if pending != nil { try settle(settings) }
    python.store(Int32(entry.repeats), at: 0)
    for (index, number) in entry.action.enumerated() { python.store(number, at: facts.actionOffset + 8 * index) }
    try send(UInt8(ascii: "s"), draws: draws, settings)
    pending = .step(entry)
  }

  /// Takes the next entry of the episode, which is from then on in `trace`.
  func step(_ entry: Trace.Entry, in trace: Trace, _ settings: GymSettings) throws(Failure) -> Outcome {
    try beginStep(entry, settings)
    try settle(settings)
    self.trace = trace
    count += 1
    let (terminated, truncated) = (python.load(Int32.self, at: 44) != 0, python.load(Int32.self, at: 48) != 0)
    return Outcome(
      reward: python.load(Double.self, at: 32), steps: Int(python.load(Int32.self, at: 40)),
      ending: terminated ? .terminated : truncated ? .truncated : .running,
      lostLife: python.load(Int32.self, at: 52) != 0)
  }

  /// What is seen at this moment, and the checksum of the episode so far.
  func observe(_ settings: GymSettings) throws(Failure) -> (numbers: [Double], digest: UInt32) {
    if pending != nil { try settle(settings) }
    let numbers = facts.observationNames.indices.map {
      python.load(Double.self, at: facts.observationOffset + 8 * $0)
    }
    return (numbers, python.load(UInt32.self, at: 56))
  }

  /// Draws the picture of this moment, of any size, into a frame; black where the environment draws none.
  func draw(into frame: inout PixelBuffer, _ settings: GymSettings) throws(Failure) {
    if pending != nil { try settle(settings) }
    if pictureChannels == 0 {
      try send(UInt8(ascii: "p"), draws: true, settings)
      try receive(settings)
    }
    if !fill(&frame) { for index in frame.bytes.indices { frame.bytes[index] = 0 } }
    lastFrame = frame
  }

  /// The picture of this moment like the one before, while other processes are at work; nil where it has not been drawn.
  func likelyPicture() -> PixelBuffer? {
    guard pending == nil, var frame = lastFrame, fill(&frame) else { return nil }
    return frame
  }

  private func fill(_ frame: inout PixelBuffer) -> Bool {
    guard let format = PixelFormat(rawValue: pictureChannels) else { return false }
    let (width, height) = (facts.width, facts.height)
    let range = facts.pictureOffset..<facts.pictureOffset + width * height * format.channels
    python.withBytes(range) { bytes in frame.fill(resizing: bytes, width: width, height: height, format: format) }
    return true
  }

  private func send(_ request: UInt8, draws: Bool, _ settings: GymSettings) throws(Failure) {
    python.store(Int32(settings.channels), at: 4)
    python.store(Int32(draws ? 1 : 0), at: 20)
    if let failure { throw failure }
    do throws(Failure) { try python.send(request, mayLook: settings.mayLook) } catch {
      failure = error
      throw error
    }
  }

  /// Waits for what was asked.
  private func settle(_ settings: GymSettings) throws(Failure) {
    pending = nil
    try receive(settings)
  }

  private func receive(_ settings: GymSettings) throws(Failure) {
    if let failure { throw failure }
    do throws(Failure) {
      let answer = try python.receive(within: .seconds(settings.timeout))
      guard answer != UInt8(ascii: "!") else {
        let complaint = try python.receiveLine(within: .seconds(settings.timeout))
        let message = (try? JSON(parsing: Array(complaint.utf8)))?["message"]?.text
        throw Failure(reason: message ?? complaint)
      }
      pictureChannels = Int(python.load(Int32.self, at: 60))
    } catch {
      failure = error
      throw error
    }
  }

  /// What went wrong, with the last lines that Python wrote.
  func description(of failure: Failure) -> String { Self.description(of: failure, python) }

  private static func description(of failure: Failure, _ python: PythonProcess) -> String {
    let lines = python.lastLines()
    return failure.reason + (lines.isEmpty ? "" : "; its last lines were\n  " + lines.joined(separator: "\n  "))
  }
}
