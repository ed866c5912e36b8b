import Core
import Synchronization

/// How an episode of a Gymnasium environment came about: its start and the actions since. Played again, it leads to the same
/// moment, where the environment is deterministic.
///
/// Shared by an episode and its copies, each of which remembers how far it has come; only the one that came furthest adds to
/// it, another that goes on gets a trace of its own.
final class Trace: Sendable {
  struct Start: Sendable, Hashable, Codable {
    var seed: UInt32 = 0
    /// Steps of doing nothing before the first action.
    var noOps = 0
  }

  /// An action, held for a number of simulator steps.
  struct Entry: Sendable, Hashable {
    let action: [Double]
    let repeats: Int
  }

  let start: Start
  /// Of all entries: the numbers of the action, then the repeats.
  private let numbers: Mutex<[Double]>
  private let stride: Int

  init(_ start: Start = Start(), numbers: [Double] = [], actionCount: Int) {
    self.start = start
    self.numbers = Mutex(numbers)
    stride = actionCount + 1
  }

  /// This trace or a new one, such that an entry follows the first `count`.
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

  /// What a checkpoint keeps of the first `count` entries.
  func firstNumbers(_ count: Int) -> [Double] { numbers.withLock { Array($0[..<(count * stride)]) } }
}
