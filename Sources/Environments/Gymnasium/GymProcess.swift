import Core
import Formats
import Pixels

/// One Gymnasium environment in a Python process, with the episode and step that it is at.
///
/// Sending a request and waiting for its answer are separate, so that several processes can work in parallel. Steps can
/// be announced before earlier ones are finished, so that the process does not wait for requests. Not thread-safe.
final class GymProcess: @unchecked Sendable {
  typealias Failure = PythonProcess.Failure

  /// The result of a step.
  struct Outcome {
    let reward: Double
    /// The number of simulator steps taken. Fewer than requested if the episode ended.
    let steps: Int
    let ending: Ending
    let lostLife: Bool
  }

  let facts: GymFacts
  private let python: PythonProcess
  private var failure: Failure?

  /// The current episode. Nil if no value of the episode exists any more, or if a replay diverged.
  private(set) weak var trace: Trace?
  /// The number of the episode's entries that it has taken.
  private(set) var count = 0
  /// The number of the request that led to the current step, and whether its answer has been received.
  private var number: UInt32 = 0
  private var isAnswered = true
  /// The entries announced after the current step. Their requests have the following numbers.
  private var ahead: [Trace.Entry] = []
  /// Whether the environment has reported an action mask. Masks are ignored.
  private(set) var hasMask = false
  /// The last frame drawn, whose size and format are probably those of the next, and the picture that it shows.
  private var last: (frame: PixelBuffer, picture: [UInt8], fit: PictureFit?)?

  /// Starts the process and waits until the environment is ready.
  ///
  /// - Parameter timeout: The time that it may take to start, in seconds. At least 120 s are allowed.
  /// - Throws: `InputError` or `WorldError` that says what to change or to install.
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

  /// Returns whether it is in this episode and has taken `count` of its entries.
  func isIn(_ trace: Trace, at count: Int) -> Bool { self.trace === trace && self.count == count }

  /// Returns whether it is at this step of the episode and can continue from there.
  ///
  /// - Parameter next: An entry that may already have been announced.
  func stands(in trace: Trace, at count: Int, next: Trace.Entry? = nil) -> Bool {
    isIn(trace, at: count) && (ahead.isEmpty || ahead.first == next)
  }

  /// Whether no episode uses it.
  var isFree: Bool { trace == nil }
  var hasFailed: Bool { failure != nil }

  func leave() { trace = nil }

  // MARK: - Requests

  /// Starts an episode, without waiting for the answer.
  ///
  /// - Parameter draws: Whether to draw the first picture with the reset.
  func beginReset(_ trace: Trace, draws: Bool = false, _ settings: GymSettings) throws(Failure) {
    try settle(settings)
    // Announced entries are discarded.
    ahead = []
    (self.trace, count) = (trace, 0)
    let place = facts.place(python.nextNumber)
    python.memory.store(Int64(trace.start.seed), at: place + 8)
    python.memory.store(Int32(trace.start.noOps), at: place + 16)
    try send("r", draws: draws, settings)
    (number, isAnswered) = (python.nextNumber &- 1, false)
  }

  /// Announces the next entries of the episode, as many as there are slots for. `step` waits for their results. Does
  /// nothing if different entries have been announced.
  ///
  /// - Parameter draws: Whether to draw a picture with each step.
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

  /// Takes the next entry of the episode and waits for its result.
  ///
  /// - Parameters:
  ///   - trace: The trace of the episode, including this entry.
  ///   - draws: Whether to draw a picture with the step.
  func step(
    _ entry: Trace.Entry, in trace: Trace, draws: Bool = false, _ settings: GymSettings
  ) throws(Failure) -> Outcome {
    if ahead.isEmpty { try announce([entry], draws: draws, settings) }
    precondition(ahead.first == entry, "a different action was announced")
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
      throw fail("its Python process reported \(steps) steps, not 1 to \(entry.repeats)")
    }
    return Outcome(
      reward: python.memory.load(Double.self, at: place + 32), steps: steps,
      ending: terminated ? .terminated : truncated ? .truncated : .running,
      lostLife: python.memory.load(Int32.self, at: place + 52) != 0)
  }

  /// Returns the current observation and the checksum of the episode so far.
  func observe(_ settings: GymSettings) throws(Failure) -> (numbers: [Double], digest: UInt32) {
    try settle(settings)
    let place = facts.place(number)
    let numbers = facts.observationNames.indices.map {
      python.memory.load(Double.self, at: place + facts.observationOffset + 8 * $0)
    }
    return (numbers, python.memory.load(UInt32.self, at: place + 56))
  }

  /// Draws the current picture into a frame of any size. The frame is black if the environment draws no pictures.
  func draw(into frame: inout PixelBuffer, _ settings: GymSettings) throws(Failure) {
    try settle(settings)
    if pictureChannels == 0 {
      precondition(ahead.isEmpty, "the process has moved on")
      try send("p", draws: true, settings)
      (number, isAnswered) = (number &+ 1, false)
      try settle(settings)
    }
    if !fill(&frame, settings.fit) { for index in frame.bytes.indices { frame.bytes[index] = 0 } }
  }

  /// Returns the current picture with the size and format of the last frame, or nil if the picture has not been drawn.
  /// It is resized here while the processes are working.
  func likelyPicture(_ settings: GymSettings) -> PixelBuffer? {
    guard isAnswered, let last else { return nil }
    var frame = last.frame
    return fill(&frame, settings.fit, after: last.fit == settings.fit ? last.picture : nil) ? frame : nil
  }

  /// The number of channels of the current picture in shared memory. 0 if it has not been drawn.
  private var pictureChannels: Int { Int(python.memory.load(Int32.self, at: facts.place(number) + 60)) }

  /// Fits the current picture into a frame.
  ///
  /// - Parameter shown: The picture that the frame already shows, or nil if it is unknown.
  /// - Returns: false if there is no picture.
  private func fill(_ frame: inout PixelBuffer, _ fit: PictureFit?, after shown: [UInt8]? = nil) -> Bool {
    guard let format = PixelFormat(rawValue: pictureChannels), format.channels <= facts.channels else { return false }
    let (width, height) = (facts.width, facts.height)
    let start = facts.place(number) + facts.pictureOffset
    python.memory.withBytes(start..<start + width * height * format.channels) { bytes in
      let copy = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
      if let fit {
        let picture = PixelBuffer(width: width, height: height, format: format, bytes: copy)
        frame = picture.fitted(to: frame.size, fit).converted(to: frame.format)
      } else {
        frame.fill(resizing: bytes, width: width, height: height, format: format, after: shown)
      }
      last = (frame, copy, fit)
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

  /// Waits for the answer to the current request.
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

  /// Returns the reason of a failure with the last lines that Python wrote.
  func description(of failure: Failure) -> String { Self.description(of: failure, python) }

  private static func description(of failure: Failure, _ python: PythonProcess) -> String {
    let lines = python.lastLines()
    return plain(failure.reason) + (lines.isEmpty ? "" : "; its last lines were\n  " + lines.joined(separator: "\n  "))
  }
}
