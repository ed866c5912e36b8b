import Foundation
import Synchronization

/// Lets two processes wake each other through words in shared memory, and through a byte on a socket if one sleeps.
///
/// Sleeping and waking up takes a large part of the time that many environments need for a step. If there is a CPU core
/// for each process, a waiting side therefore spins for a short time before it sleeps, and yields the core while it
/// does. If spinning fails, because there is much to do between two requests or because other processes use the cores,
/// the next waits sleep at once: 16 of them at first, then twice as many each time. The other side is in
/// pixelrl_service.py.
///
///     word  0  the number of requests                        written by Swift
///           1  the number of answers                         written by Python
///           2  not 0: Python sleeps and needs a byte         written by Python
///           3  not 0: Swift sleeps and needs a byte          written by Swift
///           4  whether both may spin                         written by Swift
///           5  the number of answers that Swift waits for    written by Swift
@safe struct SharedSignal {
  enum NoAnswer: Error {
    /// The other side has closed the socket.
    case closed
    /// It has not answered in time.
    case late
  }

  /// The time to spin before sleeping: what many environments take for an agent step.
  private static let spinTime = Duration.microseconds(1500)
  private static let leastPenalty = 16
  private static let mostPenalty = 4096

  private let socket: Int32
  private let words: UnsafeMutablePointer<Atomic<UInt32>>
  /// The number of requests so far. It wraps around.
  private(set) var count: UInt32 = 0
  private var mayLook = false
  /// The number of waits that still sleep at once, and how many will after the next failed spin.
  private var sleeps = 0
  private var penalty = Self.leastPenalty

  /// - Parameter memory: The memory of the words, initialised to 0. It must outlive this value.
  init(socket: Int32, memory: UnsafeMutableRawPointer) {
    self.socket = socket
    unsafe words = unsafe memory.assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  /// Signals a new request.
  ///
  /// - Parameter mayLook: Whether both sides may spin before they sleep.
  mutating func ring(mayLook: Bool) throws(NoAnswer) {
    count &+= 1
    self.mayLook = mayLook
    unsafe words[4].store(mayLook ? 1 : 0, ordering: .sequentiallyConsistent)
    unsafe words[0].store(count, ordering: .sequentiallyConsistent)
    guard unsafe words[2].load(ordering: .sequentiallyConsistent) != 0 else { return }
    var byte: UInt8 = 0
    while unsafe Foundation.send(socket, &byte, 1, Int32(MSG_NOSIGNAL)) != 1 {
      guard errno == EINTR else { throw .closed }
    }
  }

  /// Waits for the answer to a recent request.
  ///
  /// - Parameter isAlive: Returns whether the other side is still running. A closed socket does not show this, since a
  ///   child process of the other side may keep it open.
  mutating func listen(for number: UInt32, within limit: Duration, isAlive: () -> Bool) throws(NoAnswer) {
    let start = ContinuousClock.now
    // If more requests are pending, waking up early only disturbs: wait until a third of them are answered.
    let awaited = number &+ (count &- number) / 3
    if hasAnswer(to: number) { return }
    if sleeps > 0 {
      sleeps -= 1
    } else if mayLook && number == count {
      repeat {
        if hasAnswer(to: number) {
          penalty = Self.leastPenalty
          return
        }
        sched_yield()
      } while ContinuousClock.now - start < Self.spinTime
      sleeps = penalty
      penalty = min(2 * penalty, Self.mostPenalty)
    }
    unsafe words[5].store(awaited, ordering: .sequentiallyConsistent)
    unsafe words[3].store(1, ordering: .sequentiallyConsistent)
    defer { unsafe words[3].store(0, ordering: .sequentiallyConsistent) }
    while true {
      if hasAnswer(to: number) { return }
      let left = limit - (ContinuousClock.now - start)
      guard left > .zero else { throw .late }
      guard Self.wait(socket, atMost: left) == .ready else {
        guard isAlive() || hasAnswer(to: number) else { throw .closed }
        continue
      }
      var byte: UInt8 = 0
      let ended = unsafe recv(socket, &byte, 1, Int32(MSG_DONTWAIT)) == 0
      if ended && !hasAnswer(to: number) { throw .closed }
    }
  }

  enum Wait {
    /// There is data to read, or the other side has closed the socket.
    case ready
    /// Nothing has arrived for a while. The caller can check whether the other side is alive.
    case silent
  }

  /// Waits for data on a socket.
  static func wait(_ socket: Int32, atMost limit: Duration) -> Wait {
    var waited = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    let milliseconds = min(100, limit / .milliseconds(1) + 1)
    return unsafe poll(&waited, 1, Int32(milliseconds)) > 0 ? .ready : .silent
  }

  private func hasAnswer(to number: UInt32) -> Bool {
    Int32(bitPattern: unsafe words[1].load(ordering: .sequentiallyConsistent) &- number) >= 0
  }
}
