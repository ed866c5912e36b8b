import Core
import Foundation
import Synchronization

/// Handles the signals that ask the program to stop.
///
/// There is no signal handler: the signals are blocked in every thread, and one thread waits for them. A handler would
/// run on the stack of any thread, such as one inside a kernel of the matrix library.
///
/// Cluster schedulers send SIGTERM and SIGUSR1 before they end a job, the keyboard sends SIGINT, and a closing terminal
/// sends SIGHUP.
public enum Interruption {
  private static let received = Atomic<Int32>(0)
  private static let isListening = Atomic<Bool>(false)
  private static let firstArrival = Mutex<ContinuousClock.Instant?>(nil)
  private static let reaction = Mutex<(@Sendable () -> Void)?>(nil)

  static let signals = [SIGTERM, SIGUSR1, SIGINT, SIGHUP]

  /// Blocks the signals in this thread and all threads that it starts, and waits for them on a separate thread. Call it
  /// once, before any other thread is started.
  ///
  /// Until `listen` is called, a signal ends the program by default, after what it was writing has been removed. Writes to a closed pipe and beyond the file size
  /// limit fail with an error instead of ending the program. Child processes need their signals restored, which
  /// `SpawnedProcess` does.
  public static func begin() {
    for signal in [SIGPIPE, SIGXFSZ] { _ = Glibc.signal(signal, SIG_IGN) }
    var waited = sigset_t()
    unsafe sigemptyset(&waited)
    for signal in signals where !(signal == SIGHUP && isIgnored(signal)) { unsafe sigaddset(&waited, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &waited, nil)
    let set = waited
    Thread.detachNewThread {
      while true {
        var (waited, information) = unsafe (set, siginfo_t())
        let signal = unsafe sigwaitinfo(&waited, &information)
        guard signal > 0 else { continue }
        // After a crash Swift's runtime sends SIGUSR1 to each other thread, to stop it in a handler while it prints
        // where the program was. The user did not ask for that, so the handler gets the signal.
        if unsafe information._sifields._kill.si_pid == getpid() { endBySignal(signal) } else { receive(signal) }
      }
    }
  }

  /// From now on, records the first signal, so that a loop can write a checkpoint at its next step. A signal that
  /// arrives a second or more after the first one ends the program at once.
  public static func listen() { isListening.store(true, ordering: .sequentiallyConsistent) }

  /// Also calls `reaction` at the first signal, on the thread that waits for signals.
  public static func listen(_ reaction: @escaping @Sendable () -> Void) {
    self.reaction.withLock { $0 = reaction }
    listen()
  }

  /// Whether a signal has arrived.
  public static var isWanted: Bool { received.load(ordering: .relaxed) != 0 }

  /// Throws `Interrupted` if a signal has arrived.
  public static func check() throws {
    let number = received.load(ordering: .relaxed)
    if number != 0 { throw Interrupted(signal: number) }
  }

  private static func receive(_ signal: Int32) {
    guard isListening.load(ordering: .sequentiallyConsistent) else { return endBySignal(signal) }
    guard received.exchange(signal, ordering: .relaxed) == 0 else {
      // Launchers such as `timeout` signal the process and then its group: that counts as one signal.
      if let first = firstArrival.withLock({ $0 }), ContinuousClock.now - first >= .seconds(1) { _exit(128 + signal) }
      return
    }
    firstArrival.withLock { $0 = ContinuousClock.now }
    reaction.withLock { $0 }?()
  }

  /// Ends the program as if the signal had not been blocked, so that a shell sees which signal it was.
  private static func endBySignal(_ signal: Int32) {
    guard !isIgnored(signal) else { return }
    UnfinishedPaths.delete()
    var only = sigset_t()
    unsafe sigemptyset(&only)
    unsafe sigaddset(&only, signal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &only, nil)
    raise(signal)
  }

  /// Whether the parent process set a signal to be ignored, as `nohup` does.
  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(signal, nil, &action) == 0 else { return false }
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
  }
}

/// A signal asked the run to stop.
public struct Interrupted: Error, Sendable, CustomStringConvertible {
  public let signal: Int32
  /// The command that resumes the run, such as `pixelrl train --resume runs/a`.
  public var remedy: String?

  public init(signal: Int32, remedy: String? = nil) {
    self.signal = signal
    self.remedy = remedy
  }

  /// `EX_TEMPFAIL` ("try again"), for every signal.
  public static let exitCode: Int32 = 75

  public var description: String {
    "interrupted by \(Self.names[signal] ?? "signal \(signal)"); "
      + (remedy.map { "resume with: \($0)" } ?? "start again with the same command")
  }

  private static let names = [SIGTERM: "SIGTERM", SIGUSR1: "SIGUSR1", SIGINT: "the keyboard", SIGHUP: "SIGHUP"]
}
