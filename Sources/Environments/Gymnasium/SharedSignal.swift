import Foundation
import Synchronization

/// How two processes wake each other: by words in memory that both see, and by a byte on a socket for who sleeps.
///
/// To sleep and be woken takes a good part of the time that many environments take for a step. So who waits looks at the
/// word for a moment first, where there is a processor for each, and lets others have the processor meanwhile. Where that is
/// in vain, because much is to be done between two requests or because others keep the processor, the next waits sleep at
/// once: 16, then twice as many each time. The other side is in pixelrl_service.py.
///
///     word  0  the count of requests                       written here
///           1  the count of answers                        written there
///           2  not 0: sleeps, and wants a byte             of there
///           3  the same                                    of here
///           4  whether there is a processor for each       written here
///           5  the count of answers that here waits for    written here
@safe struct SharedSignal {
  enum NoAnswer: Error {
    /// The other side has closed the socket.
    case closed
    /// It has not answered in time.
    case late
  }

  /// How long to look before sleeping: what many environments take for an agent's step.
  private static let moment = Duration.microseconds(1500)
  private static let leastPenalty = 16
  private static let mostPenalty = 4096

  private let socket: Int32
  private let words: UnsafeMutablePointer<Atomic<UInt32>>
  /// How many requests there were; it starts anew after the last number.
  private(set) var count: UInt32 = 0
  private var mayLook = false
  /// Waits that sleep at once before one looks again, and how many they were to be.
  private var sleeps = 0
  private var penalty = Self.leastPenalty

  /// - Parameter memory: where the words lie, zero at first; it outlives this.
  init(socket: Int32, memory: UnsafeMutableRawPointer) {
    self.socket = socket
    unsafe words = unsafe memory.assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  /// Asks for something more.
  ///
  /// - Parameter mayLook: whether there is a processor for each that waits.
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

  /// Waits for the answer to the request of a number, which is among the last.
  ///
  /// - Parameter isAlive: whether the other side has not ended: another that it started may hold its socket open.
  mutating func listen(for number: UInt32, within limit: Duration, isAlive: () -> Bool) throws(NoAnswer) {
    let start = ContinuousClock.now
    // Where more is under way nobody waits for us, and each time we wake disturbs: a third of it may be done first.
    let wanted = number &+ (count &- number) / 3
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
      } while ContinuousClock.now - start < Self.moment
      sleeps = penalty
      penalty = min(2 * penalty, Self.mostPenalty)
    }
    unsafe words[5].store(wanted, ordering: .sequentiallyConsistent)
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
    /// There is something to be read, or the other side has closed.
    case ready
    /// Nothing has come for a moment in which one may look after the other side.
    case silent
  }

  /// Waits for something on a socket.
  static func wait(_ socket: Int32, atMost limit: Duration) -> Wait {
    var waited = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    let milliseconds = min(100, limit / .milliseconds(1) + 1)
    return unsafe poll(&waited, 1, Int32(milliseconds)) > 0 ? .ready : .silent
  }

  private func hasAnswer(to number: UInt32) -> Bool {
    Int32(bitPattern: unsafe words[1].load(ordering: .sequentiallyConsistent) &- number) >= 0
  }
}
