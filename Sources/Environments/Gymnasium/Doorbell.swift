import Foundation
import Synchronization

/// How two processes wake each other: by words in memory that both see, and by a byte on a socket for who sleeps.
///
/// To sleep and be woken takes longer than many environments take for a step. So who waits looks at the word for a moment
/// first, if the last answer came within such a moment, and lets others have the processor meanwhile. The other side is in
/// server.py.
///
///     word  0  the count of requests << 8 | the request    written here
///           1  the count of requests << 8 | the answer     written there
///           2  not 0: sleeps, and wants a byte             of there
///           3  the same                                    of here
@safe struct Doorbell {
  enum Silence: Error {
    /// The other side has closed the socket.
    case closed
    /// It has not answered in time.
    case late
  }

  /// How long to look before sleeping: what sleeping and being woken may cost, and an environment's step beside it.
  private static let moment = Duration.microseconds(400)

  private let socket: Int32
  private let words: UnsafeMutablePointer<Atomic<UInt32>>
  private var count: UInt32 = 0
  private var lastWaitWasShort = true

  /// - Parameter memory: where the four words lie, zero at first; it outlives this.
  init(socket: Int32, memory: UnsafeMutableRawPointer) {
    self.socket = socket
    unsafe words = unsafe memory.assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  /// Asks for something.
  mutating func ring(_ request: UInt8) throws(Silence) {
    count = (count &+ 1) & 0xff_ffff
    unsafe words[0].store(count << 8 | UInt32(request), ordering: .sequentiallyConsistent)
    guard unsafe words[2].load(ordering: .sequentiallyConsistent) != 0 else { return }
    var byte: UInt8 = 0
    while unsafe Foundation.send(socket, &byte, 1, Int32(MSG_NOSIGNAL)) != 1 {
      guard errno == EINTR else { throw .closed }
    }
  }

  /// Waits for the answer.
  mutating func listen(within limit: Duration) throws(Silence) -> UInt8 {
    let start = ContinuousClock.now
    defer { lastWaitWasShort = ContinuousClock.now - start < Self.moment }
    if lastWaitWasShort {
      repeat {
        if let answer { return answer }
        sched_yield()
      } while ContinuousClock.now - start < Self.moment
    }
    unsafe words[3].store(1, ordering: .sequentiallyConsistent)
    defer { unsafe words[3].store(0, ordering: .sequentiallyConsistent) }
    while true {
      if let answer { return answer }
      let left = limit - (ContinuousClock.now - start)
      guard left > .zero else { throw .late }
      var waited = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&waited, 1, Int32(left / .milliseconds(1)) + 1) > 0 else { continue }
      var byte: UInt8 = 0
      let ended = unsafe recv(socket, &byte, 1, Int32(MSG_DONTWAIT)) == 0
      if ended && answer == nil { throw .closed }
    }
  }

  private var answer: UInt8? {
    let word = unsafe words[1].load(ordering: .sequentiallyConsistent)
    return word >> 8 == count ? UInt8(word & 0xff) : nil
  }
}
