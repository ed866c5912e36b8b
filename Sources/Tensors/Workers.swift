import Core
import Foundation
import Synchronization

/// Threads that help with the parts of a pass.
///
/// The caller and the threads take one part after the other. A thread without a part waits awake for some microseconds,
/// because the next pass of an update begins soon, then it sleeps. The caller waits only for parts that have begun.
final class Workers: Sendable {
  static let shared = Workers()

  /// The current pass: its number in the upper 32 bits, then the ends of the parts that are left, 16 bits each. One word,
  /// so that a part is taken in one step, and never of a pass that has ended.
  private let ticket = Atomic<UInt64>(0)
  /// The parts of the current pass that have ended.
  private let ended = Atomic<Int>(0)
  /// Whether a pass is running: another caller then computes its parts alone.
  private let isBusy = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  /// The address of the current `Pass`. Written before the ticket is issued, read only by who holds a part.
  private let pass = Atomic<UInt>(0)
  private let threads = Mutex(0)
  /// Guards going to sleep and waking up.
  private let bed = NSCondition()

  /// What the parts call, on the caller's stack.
  @unsafe private struct Pass {
    let body: (Int) -> Void
  }

  /// How often a thread looks for what it waits for before it sleeps, about 30 µs.
  private static let patience = 1000

  /// Calls `body` for each index below `parts`, on this thread and on up to `helpers` others.
  func run(_ parts: Int, helpers: Int, _ body: (Int) -> Void) {
    precondition(parts < 1 << 16, "\(parts) parts are more than \(1 << 16)")
    guard !isBusy.exchange(true, ordering: .acquiring) else {
      for index in 0..<parts { body(index) }
      return
    }
    start(helpers)
    withoutActuallyEscaping(body) { body in
      var work = unsafe Pass(body: body)
      unsafe withUnsafeMutablePointer(to: &work) { work in
        pass.store(UInt(bitPattern: work), ordering: .relaxed)
        ended.store(0, ordering: .relaxed)
        let number = (ticket.load(ordering: .relaxed) >> 32) &+ 1
        ticket.store(number << 32 | UInt64(parts) << 16, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
        computeParts(isHelper: false)
        waitForEnd(of: parts)
      }
    }
    isBusy.store(false, ordering: .releasing)
  }

  /// Computes parts of the current pass until none is left. The caller begins with the first one and a helper with the
  /// last one, so that each core mostly has the same rows in its cache as in the pass before.
  private func computeParts(isHelper: Bool) {
    while let index = take(last: isHelper) {
      call(index)
      ended.add(1, ordering: .sequentiallyConsistent)
      if callerSleeps.load(ordering: .sequentiallyConsistent) { wake() }
    }
  }

  /// Never inlined, so that it has let go of the caller's function before the part counts as ended.
  @inline(never)
  private func call(_ index: Int) {
    let pass = unsafe UnsafePointer<Pass>(bitPattern: pass.load(ordering: .relaxed))
    unsafe pass?.pointee.body(index)
  }

  /// Takes the first or the last part of the current pass that is left, if any.
  private func take(last: Bool) -> Int? {
    var current = ticket.load(ordering: .acquiring)
    while true {
      let (end, start) = (current >> 16 & 0xffff, current & 0xffff)
      guard start < end else { return nil }
      let result = ticket.weakCompareExchange(
        expected: current, desired: last ? current - (1 << 16) : current + 1, ordering: .acquiringAndReleasing)
      if result.exchanged { return Int(last ? end - 1 : start) }
      current = result.original
    }
  }

  private func waitForEnd(of parts: Int) {
    for _ in 0..<Self.patience {
      if ended.load(ordering: .acquiring) == parts { return }
      Processor.pause()
    }
    bed.lock()
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while ended.load(ordering: .sequentiallyConsistent) < parts { bed.wait() }
    callerSleeps.store(false, ordering: .relaxed)
    bed.unlock()
  }

  private func wake() {
    bed.lock()
    bed.broadcast()
    bed.unlock()
  }

  /// Starts threads until there are `count`.
  private func start(_ count: Int) {
    threads.withLock { started in
      while started < count {
        started += 1
        let thread = Thread { [self] in work() }
        thread.stackSize = 8 << 20  // as much as the main thread has
        thread.start()
      }
    }
  }

  /// The life of a thread.
  private func work() {
    Threads.set(1)
    var seen: UInt64 = 0
    while true {
      seen = waitForPass(after: seen)
      computeParts(isHelper: true)
    }
  }

  /// Returns the number of a pass after `seen`, once there is one.
  private func waitForPass(after seen: UInt64) -> UInt64 {
    func newer() -> UInt64? {
      let pass = ticket.load(ordering: .sequentiallyConsistent) >> 32
      return pass == seen ? nil : pass
    }
    for _ in 0..<Self.patience {
      if let pass = newer() { return pass }
      Processor.pause()
    }
    bed.lock()
    defer { bed.unlock() }
    sleepers.add(1, ordering: .sequentiallyConsistent)
    defer { sleepers.subtract(1, ordering: .sequentiallyConsistent) }
    while true {
      if let pass = newer() { return pass }
      bed.wait()
    }
  }
}
