import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A wish from outside that the run stop: the first signal is noted, so that a loop can write a checkpoint at its next
/// step; a second one ends the process at once.
///
/// SIGTERM and SIGUSR1 are what queues of clusters send before they take the machine away, SIGINT comes from the keyboard.
public enum Interruption {
  private static let received = Atomic<Int32>(0)
  static let signals = [SIGTERM, SIGUSR1, SIGINT]

  /// Begins to note signals.
  public static func listen() {
    // Made before any signal can ask for it: a handler must not initialise anything.
    received.store(0, ordering: .relaxed)
    // A launcher may have blocked them, and a program inherits that.
    var all = sigset_t()
    unsafe sigemptyset(&all)
    for signal in signals { unsafe sigaddset(&all, signal) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &all, nil)
    for signal in signals {
      _ = Glibc.signal(signal) { number in
        if Interruption.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
    }
  }

  /// Whether a signal has come.
  public static var isWanted: Bool { received.load(ordering: .relaxed) != 0 }

  /// Throws `Interrupted` if a signal has come.
  public static func check() throws {
    let number = received.load(ordering: .relaxed)
    if number != 0 { throw Interrupted(signal: number) }
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

  /// 130 after the keyboard's interrupt, as shells have it, else 75: try again (EX_TEMPFAIL).
  public var exitCode: Int32 { signal == SIGINT ? 130 : 75 }

  public var description: String {
    "interrupted by \(signal == SIGINT ? "the keyboard" : "a signal"); go on with: \(remedy ?? "the same command")"
  }
}
