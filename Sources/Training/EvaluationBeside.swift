import Core
import Foundation
import Pixels
import Runs
import Synchronization
import Tensors

/// The evaluation of a training's current agent, on a thread of its own, while the training goes on.
///
/// It plays with copies of the agent and the encoder, which are values, so that its returns do not depend on how far the
/// training is when it ends. It computes with one thread.
final class EvaluationBeside: Sendable {
  /// What an evaluation leaves.
  struct Result: Sendable {
    var evaluation: Evaluation
    /// The frames of the first episode.
    var film: FirstFrames
    /// Frames above their reconstructions; nil without a decoder.
    var reconstructions: PixelBuffer?
  }

  /// The simulator steps of the training when the evaluation began.
  let step: Int
  private let result = Mutex<Swift.Result<Result, any Error>?>(nil)
  private let end = DispatchSemaphore(value: 0)

  init(at step: Int, _ play: @escaping @Sendable () throws -> Result) {
    self.step = step
    let thread = Thread { [self] in
      Threads.set(1)
      let played = Swift.Result { try play() }
      result.withLock { $0 = played }
      end.signal()
    }
    thread.stackSize = 8 << 20  // as much as the main thread has
    thread.start()
  }

  var hasEnded: Bool { result.withLock { $0 != nil } }

  /// Waits for the end and returns the result. May be called once.
  func wait() throws -> Result {
    end.wait()
    guard let played = result.withLock({ $0 }) else { preconditionFailure("an evaluation ended without a result") }
    return try played.get()
  }
}

/// The logs of a training. While an evaluation goes on beside it, what the training logs is held back, so that the files
/// are the same as if the training had waited for the evaluation.
struct TrainingLog: ~Copyable {
  private var files: RunLog
  private var held: [Entry] = []
  /// Whether entries are held back.
  private(set) var isHolding = false

  private enum Entry {
    case metrics(step: Int, Metrics)
    case episode(sum: Double, length: Int, step: Int)
  }

  init(_ files: consuming RunLog) { self.files = files }

  mutating func metrics(step: Int, _ metrics: Metrics) throws { try add(.metrics(step: step, metrics)) }

  mutating func episode(return sum: Double, length: Int, step: Int) throws {
    try add(.episode(sum: sum, length: length, step: step))
  }

  mutating func hold() { isHolding = true }

  /// Logs the evaluation that the entries waited for, then these entries.
  mutating func release(after evaluation: (inout RunLog) throws -> Void) throws {
    isHolding = false
    try evaluation(&files)
    let waiting = held
    held = []
    for entry in waiting { try write(entry) }
  }

  /// Synchronises all files to disk and returns the position in them. No entry may be held back.
  mutating func synchronized() throws -> RunLog.Position {
    precondition(!isHolding, "a position in the logs before all entries are written")
    try files.synchronize()
    return files.position
  }

  private mutating func add(_ entry: Entry) throws {
    if isHolding { held.append(entry) } else { try write(entry) }
  }

  private mutating func write(_ entry: Entry) throws {
    switch entry {
    case .metrics(let step, let metrics): try files.append(step: step, metrics)
    case .episode(let sum, let length, let step): try files.episode(return: sum, length: length, step: step)
    }
  }
}
