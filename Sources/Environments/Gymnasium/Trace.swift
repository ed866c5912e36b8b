import Core
import Synchronization

/// The start and the actions of an episode of a Gymnasium environment. If the environment is deterministic, replaying
/// them reproduces the episode.
///
/// An episode and its copies share a trace. Each stores the number of entries that it has taken. Only the one that has
/// taken all of them appends to it. Any other that continues gets its own trace.
final class Trace: Sendable {
  struct Start: Sendable, Hashable, Codable {
    var seed: UInt32 = 0
    /// The number of no-op steps before the first action.
    var noOps = 0
  }

  /// An action, repeated for a number of simulator steps.
  struct Entry: Sendable, Hashable {
    let action: [Double]
    let repeats: Int
  }

  let start: Start
  /// The values of all entries: for each, the action and then the number of repeats.
  private let numbers: Mutex<[Double]>
  private let stride: Int

  init(_ start: Start = Start(), numbers: [Double] = [], actionCount: Int) {
    self.start = start
    self.numbers = Mutex(numbers)
    stride = actionCount + 1
  }

  /// Returns a trace with the first `count` entries followed by `entry`: this one if it has no more entries, else a new
  /// one.
  func appending(_ entry: Entry, after count: Int) -> Trace {
    let added = entry.action + [Double(entry.repeats)]
    let isNewest = numbers.withLock { numbers in
      guard numbers.count == count * stride else { return false }
      numbers.append(contentsOf: added)
      return true
    }
    return isNewest ? self : Trace(start, numbers: firstNumbers(count) + added, actionCount: stride - 1)
  }

  func entries(_ count: Int) -> [Entry] {
    let numbers = firstNumbers(count)
    return (0..<count).map { i in
      Entry(
        action: Array(numbers[i * stride..<(i + 1) * stride - 1]), repeats: Int(numbers[(i + 1) * stride - 1]))
    }
  }

  /// Returns the values of the first `count` entries, as stored in a checkpoint.
  func firstNumbers(_ count: Int) -> [Double] { numbers.withLock { Array($0[..<(count * stride)]) } }
}
