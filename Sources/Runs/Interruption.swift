import Core
import Foundation
import Synchronization

/// A signal from outside that asks the program to stop.
///
/// No handler ever runs: the signals are blocked in every thread, and one thread waits for them. A handler would run on the
/// stack of whichever thread the system picks, such as one in the middle of a kernel of the matrix library.
///
/// SIGTERM and SIGUSR1 are what queues of clusters send before they take the machine away, SIGINT comes from the keyboard,
/// SIGHUP from a terminal that closes.
public enum Interruption {
  private static let received = Atomic<Int32>(0)
  private static let isListening = Atomic<Bool>(false)
  private static let firstCame = Mutex<ContinuousClock.Instant?>(nil)
  private static let reaction = Mutex<(@Sendable () -> Void)?>(nil)

  static let signals = [SIGTERM, SIGUSR1, SIGINT, SIGHUP]

  /// Blocks the signals in this thread, and so in all that it starts, and waits for them on a thread of its own. Call it
  /// once, before there is any other thread.
  ///
  /// Until `listen` a signal ends the program as the system has it. Writes to a closed pipe and beyond a file's size limit
  /// fail with an error instead of ending the program. Programs that are started must have their signals restored:
  /// `SpawnedProcess` does it.
  public static func begin() {
    for signal in [SIGPIPE, SIGXFSZ] { _ = Glibc.signal(signal, SIG_IGN) }
    var waited = sigset_t()
    unsafe sigemptyset(&waited)
    for signal in signals where !(signal == SIGHUP && isIgnored(signal)) { unsafe sigaddset(&waited, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &waited, nil)
    let set = waited
    Thread.detachNewThread {
      while true {
        var (waited, signal) = (set, Int32(0))
        if unsafe sigwait(&waited, &signal) == 0 { receive(signal) }
      }
    }
  }

  /// Notes the first signal from now on, so that a loop can write a checkpoint at its next step; one that comes a second or
  /// more later ends the program at once.
  public static func listen() { isListening.store(true, ordering: .sequentiallyConsistent) }

  /// The same, with something to be done when the first signal comes, on the thread that waits for it.
  public static func listen(_ reaction: @escaping @Sendable () -> Void) {
    self.reaction.withLock { $0 = reaction }
    listen()
  }

  /// Whether a signal has come.
  public static var isWanted: Bool { received.load(ordering: .relaxed) != 0 }

  /// Throws `Interrupted` if a signal has come.
  public static func check() throws {
    let number = received.load(ordering: .relaxed)
    if number != 0 { throw Interrupted(signal: number) }
  }

  private static func receive(_ signal: Int32) {
    guard isListening.load(ordering: .sequentiallyConsistent) else { return endBySignal(signal) }
    guard received.exchange(signal, ordering: .relaxed) == 0 else {
      // Launchers such as `timeout` signal the process and then its group: that is one wish.
      if let first = firstCame.withLock({ $0 }), ContinuousClock.now - first >= .seconds(1) { _exit(128 + signal) }
      return
    }
    firstCame.withLock { $0 = ContinuousClock.now }
    reaction.withLock { $0 }?()
  }

  /// Ends the program as if the signal had never been blocked, so that a shell sees which one it was.
  private static func endBySignal(_ signal: Int32) {
    guard !isIgnored(signal) else { return }
    var only = sigset_t()
    unsafe sigemptyset(&only)
    unsafe sigaddset(&only, signal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &only, nil)
    raise(signal)
  }

  /// Whether whoever started the program has it ignore a signal, as `nohup` does.
  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(signal, nil, &action) == 0 else { return false }
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
  }
}

/// A signal asked the run to stop.
public struct Interrupted: Error, Sendable, CustomStringConvertible {
  public let signal: Int32
  /// What makes the run go on, such as `pixelrl train --resume runs/a`.
  public var remedy: String?

  public init(signal: Int32, remedy: String? = nil) {
    self.signal = signal
    self.remedy = remedy
  }

  /// Try again (`EX_TEMPFAIL`), whichever signal it was.
  public static let exitCode: Int32 = 75

  public var description: String {
    "interrupted by \(Self.names[signal] ?? "signal \(signal)"); go on with: \(remedy ?? "the same command")"
  }

  private static let names = [SIGTERM: "SIGTERM", SIGUSR1: "SIGUSR1", SIGINT: "the keyboard", SIGHUP: "SIGHUP"]
}
