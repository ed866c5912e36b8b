import Core
import Formats
import Pixels

/// One Gymnasium environment in a Python process, and where in which episode it is.
///
/// A request can be sent before its answer is waited for, so that several processes work at the same time; and steps can be
/// told before those ahead of them are taken, so that none has to wait. Used by one thread at a time.
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

  let facts: GymFacts
  private let python: PythonProcess
  private var failure: Failure?

  /// The episode that it is in; nil once no value of it is left, or where it has gone astray.
  private(set) weak var trace: Trace?
  /// How many of the episode's entries it has taken.
  private(set) var count = 0
  /// The number of the request that led to this moment, and whether it is known to be answered.
  private var number: UInt32 = 0
  private var isAnswered = true
  /// What it has been told to take after this moment, with the numbers that follow.
  private var ahead: [Trace.Entry] = []
  /// Whether the environment has said which actions it takes at a moment, which nobody heeds.
  private(set) var hasMask = false
  /// The frame that was last drawn into, whose size and format are likely those of the next, and the picture that it shows.
  private var last: (frame: PixelBuffer, picture: [UInt8])?

  /// Starts the process, and waits until the environment stands.
  ///
  /// - Throws: `InputError` or `WorldError` that say what to type or to install.
  ///
  /// - Parameter timeout: seconds that it may take to start, but at least 120.
  init(_ name: GymName, python path: String, in folder: String?, timeout: Int = 0) throws {
    python = try PythonProcess(path, script: ServerScript.bytes, [name.name, name.options], in: folder)
    do {
      facts = try GymFacts(try python.receiveLine(within: Self.startingTime(timeout: timeout)), of: name.id)
    } catch let failure as Failure {
      throw WorldError(path: name.id, Self.description(of: failure, python))
    }
    do { try python.share(facts.memoryCount) } catch let error as WorldError {
      throw WorldError(path: name.id, "\(error)")
    }
  }

  static func startingTime(timeout: Int) -> Duration { .seconds(max(120, timeout)) }

  /// Whether an episode that has taken `count` entries is the last that it was in.
  func isIn(_ trace: Trace, at count: Int) -> Bool { self.trace === trace && self.count == count }

  /// Whether it stands there, and may be asked for what follows.
  ///
  /// - Parameter next: the entry that it may have been told already.
  func stands(in trace: Trace, at count: Int, next: Trace.Entry? = nil) -> Bool {
    isIn(trace, at: count) && (ahead.isEmpty || ahead.first == next)
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
    try settle(settings)
    // What it was told to take before comes to nothing.
    ahead = []
    (self.trace, count) = (trace, 0)
    let place = facts.place(python.nextNumber)
    python.memory.store(Int64(trace.start.seed), at: place + 8)
    python.memory.store(Int32(trace.start.noOps), at: place + 16)
    try send("r", draws: draws, settings)
    (number, isAnswered) = (python.nextNumber &- 1, false)
  }

  /// Tells of the next entries of the episode, as many as there are places for; `step` waits for what each gives. Nothing
  /// happens where it has been told of others.
  ///
  /// - Parameter draws: as above.
  func announce(_ entries: [Trace.Entry], draws: Bool = false, _ settings: GymSettings) throws(Failure) {
    guard entries.starts(with: ahead) else { return }
    try settle(settings)
    for entry in entries.prefix(facts.placeCount - 1).dropFirst(ahead.count) {
      let place = facts.place(python.nextNumber)
      python.memory.store(Int32(entry.repeats), at: place)
      for (index, number) in entry.action.enumerated() {
        python.memory.store(number, at: place + facts.actionOffset + 8 * index)
      }
      try send("s", draws: draws, settings)
      ahead.append(entry)
    }
  }

  /// Takes the next entry of the episode, which is from then on in `trace`.
  ///
  /// - Parameter draws: as above.
  func step(
    _ entry: Trace.Entry, in trace: Trace, draws: Bool = false, _ settings: GymSettings
  ) throws(Failure) -> Outcome {
    if ahead.isEmpty { try announce([entry], draws: draws, settings) }
    precondition(ahead.first == entry, "the process was told of another action")
    ahead.removeFirst()
    (number, isAnswered) = (number &+ 1, false)
    try settle(settings)
    self.trace = trace
    count += 1
    let place = facts.place(number)
    let (terminated, truncated) = (
      python.memory.load(Int32.self, at: place + 44) != 0, python.memory.load(Int32.self, at: place + 48) != 0
    )
    let steps = Int(python.memory.load(Int32.self, at: place + 40))
    guard (1...entry.repeats).contains(steps) else {
      throw fail("its Python process took \(steps) steps of \(entry.repeats)")
    }
    return Outcome(
      reward: python.memory.load(Double.self, at: place + 32), steps: steps,
      ending: terminated ? .terminated : truncated ? .truncated : .running,
      lostLife: python.memory.load(Int32.self, at: place + 52) != 0)
  }

  /// What is seen at this moment, and the checksum of the episode so far.
  func observe(_ settings: GymSettings) throws(Failure) -> (numbers: [Double], digest: UInt32) {
    try settle(settings)
    let place = facts.place(number)
    let numbers = facts.observationNames.indices.map {
      python.memory.load(Double.self, at: place + facts.observationOffset + 8 * $0)
    }
    return (numbers, python.memory.load(UInt32.self, at: place + 56))
  }

  /// Draws the picture of this moment, of any size, into a frame; black where the environment draws none.
  func draw(into frame: inout PixelBuffer, _ settings: GymSettings) throws(Failure) {
    try settle(settings)
    if pictureChannels == 0 {
      precondition(ahead.isEmpty, "the process has moved on")
      try send("p", draws: true, settings)
      (number, isAnswered) = (number &+ 1, false)
      try settle(settings)
    }
    if !fill(&frame) { for index in frame.bytes.indices { frame.bytes[index] = 0 } }
  }

  /// The picture of this moment like the one before, while it and others are at work; nil where it has not been drawn.
  func likelyPicture() -> PixelBuffer? {
    guard isAnswered, let last else { return nil }
    var frame = last.frame
    return fill(&frame, after: last.picture) ? frame : nil
  }

  /// Channels of the picture of this moment in shared memory; 0 where it has not been drawn.
  private var pictureChannels: Int { Int(python.memory.load(Int32.self, at: facts.place(number) + 60)) }

  /// - Parameter shown: the picture that the frame shows; nil where that is not known.
  private func fill(_ frame: inout PixelBuffer, after shown: [UInt8]? = nil) -> Bool {
    guard let format = PixelFormat(rawValue: pictureChannels), format.channels <= facts.channels else { return false }
    let (width, height) = (facts.width, facts.height)
    let start = facts.place(number) + facts.pictureOffset
    python.memory.withBytes(start..<start + width * height * format.channels) { bytes in
      frame.fill(resizing: bytes, width: width, height: height, format: format, after: shown)
      last = (frame, unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) })
    }
    return true
  }

  private func send(_ request: Unicode.Scalar, draws: Bool, _ settings: GymSettings) throws(Failure) {
    let place = facts.place(python.nextNumber)
    python.memory.store(Int32(settings.channels), at: place + 4)
    python.memory.store(Int32(draws ? 1 : 0), at: place + 20)
    python.memory.store(Int32(request.value), at: place + 24)
    if let failure { throw failure }
    do throws(Failure) { try python.send(mayLook: settings.mayLook) } catch {
      failure = error
      throw error
    }
  }

  /// Waits for the answer that belongs to this moment.
  private func settle(_ settings: GymSettings) throws(Failure) {
    if let failure { throw failure }
    guard !isAnswered else { return }
    do throws(Failure) {
      try python.receive(number, within: .seconds(settings.timeout))
      guard python.memory.load(Int32.self, at: facts.place(number) + 64) != Int32(UInt8(ascii: "!")) else {
        let answer = try python.receiveLine(within: .seconds(settings.timeout))
        let message = (try? JSON(parsing: Array(answer.utf8)))?["message"]?.text
        throw Failure(reason: message ?? String(answer.prefix(200)))
      }
      isAnswered = true
      if python.memory.load(Int32.self, at: facts.place(number) + 68) != 0 { hasMask = true }
    } catch {
      failure = error
      throw error
    }
  }

  private func fail(_ reason: String) -> Failure {
    let failure = Failure(reason: reason)
    self.failure = failure
    return failure
  }

  /// What went wrong, with the last lines that Python wrote.
  func description(of failure: Failure) -> String { Self.description(of: failure, python) }

  private static func description(of failure: Failure, _ python: PythonProcess) -> String {
    let lines = python.lastLines()
    return plain(failure.reason) + (lines.isEmpty ? "" : "; its last lines were\n  " + lines.joined(separator: "\n  "))
  }
}
