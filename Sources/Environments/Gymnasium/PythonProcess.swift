import Core
import Foundation
import Synchronization

/// A Python child process with a socket (its file descriptor 3) and shared memory (its file descriptor 4). The two
/// sides wake each other through a `SharedSignal`.
///
/// It has its own process group, so that only this program handles an interrupt from the keyboard. When the socket
/// closes, it shuts down in order with all processes that it started, even if this process is killed. Not thread-safe.
@safe final class PythonProcess: @unchecked Sendable {
  /// The reason why the process can no longer be used.
  struct Failure: Error {
    let reason: String
  }

  /// The time that it has to shut down: a little more than its supervisor needs to kill what does not end.
  private static let closingTime = Duration.seconds(14)
  /// The maximum length of a line in bytes.
  private static let longestLine = 1 << 24
  private static let cores = ProcessInfo.processInfo.activeProcessorCount

  /// The number of Python processes of all environments.
  private static let living = Atomic<Int>(0)
  /// The sockets of the processes that have not ended, by process ID.
  private static let open = Mutex<[pid_t: Int32]>([:])
  /// Ends all processes when this program exits.
  private static let endsAll: Void = { atexit { PythonProcess.endAll() } }()

  let memory: SharedMemory
  private let processID: pid_t
  private let socket: Descriptor
  /// Its standard output and standard error.
  private let log: Descriptor
  private var signal: SharedSignal?
  private var status: Int32?
  /// Whether it failed to answer in time.
  private var isHanging = false

  /// Starts Python with a script, which it reads from its standard input.
  ///
  /// - Parameter folder: The folder in which it looks for modules first. If nil, `PYTHONPATH` applies.
  /// - Throws: `WorldError` if the program does not exist, or if no more processes or files can be opened.
  init(_ python: String, script: [UInt8], _ arguments: [String], in folder: String? = nil) throws {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw systemFailure("a socket for Python") }
    let theirs = Descriptor(number: ends[1])
    socket = Descriptor(number: ends[0])
    memory = try SharedMemory()
    log = try .memory()
    _ = fcntl(log.number, F_SETFL, O_APPEND)
    let program = try Descriptor.memory(holding: script)
    var environment = ProcessInfo.processInfo.environment
    if let folder { environment["PYTHONPATH"] = folder }
    do {
      processID = try startProgram(
        [python, "-c", "import sys; exec(sys.stdin.read())"] + arguments, environment: environment,
        files: [
          (0, program.number), (1, log.number), (2, log.number), (3, theirs.number), (4, memory.file.number),
        ])
    } catch let error as WorldError {
      throw WorldError("\(error): install Python, or set PIXELRL_PYTHON to its path")
    }
    Self.living.add(1, ordering: .relaxed)
    let (process, socketNumber) = (processID, socket.number)
    Self.open.withLock { $0[process] = socketNumber }
    Self.endsAll
  }

  deinit {
    end()
    Self.living.subtract(1, ordering: .relaxed)
  }

  // MARK: - Ending

  /// Shuts it down. Kills it if that takes too long, or if it failed to answer before.
  private func end() {
    guard status == nil else { return }
    shutdown(socket.number, Int32(SHUT_RDWR))
    let limit = ContinuousClock.now + (isHanging ? .zero : Self.closingTime)
    while isAlive && ContinuousClock.now < limit { usleep(1000) }
    guard status == nil else { return }
    kill(-processID, SIGKILL)
    reap(options: 0)
  }

  /// Shuts down all processes in parallel.
  private static func endAll() {
    let processes = open.withLock { $0 }
    for socket in processes.values { shutdown(socket, Int32(SHUT_RDWR)) }
    let limit = ContinuousClock.now + closingTime
    var living = Set(processes.keys)
    while !living.isEmpty && ContinuousClock.now < limit {
      living = living.filter { waitpid($0, nil, WNOHANG) == 0 }
      usleep(1000)
    }
    for process in processes.keys { kill(-process, SIGKILL) }
  }

  private var isAlive: Bool {
    reap(options: WNOHANG)
    return status == nil
  }

  private func reap(options: Int32) {
    guard status == nil else { return }
    var code: Int32 = 0
    while true {
      let found = unsafe waitpid(processID, &code, options)
      if found < 0 && errno == EINTR { continue }
      if found == processID { status = code }
      if found < 0 { status = 0 }  // something else has waited for it
      break
    }
    guard status != nil else { return }
    // Its own child processes have ended with it, unless it was killed.
    kill(-processID, SIGKILL)
    Self.open.withLock { $0[processID] = nil }
  }

  // MARK: - Requests

  /// The number of the next request.
  var nextNumber: UInt32 { signal!.count &+ 1 }

  /// Allocates `count` bytes of shared memory and notifies the process.
  ///
  /// - Throws: `WorldError` if there is not enough memory.
  func share(_ count: Int) throws {
    signal = unsafe SharedSignal(socket: socket.number, memory: try memory.reserve(count))
    var byte: UInt8 = 0
    _ = unsafe Foundation.send(socket.number, &byte, 1, Int32(MSG_NOSIGNAL))
  }

  /// Sends a request. Shared memory must have been allocated.
  ///
  /// - Parameter mayLook: Whether both sides may spin before they sleep. If nil, they do if there is a CPU core for
  ///   each process.
  func send(mayLook: Bool? = nil) throws(Failure) {
    if nextNumber % 256 == 0 { trimLog() }
    let mayLook = mayLook ?? (Self.living.load(ordering: .relaxed) <= Self.cores)
    do throws(SharedSignal.NoAnswer) { try signal!.ring(mayLook: mayLook) } catch { throw ended() }
  }

  /// Waits for the answer to a request.
  func receive(_ number: UInt32, within limit: Duration) throws(Failure) {
    do throws(SharedSignal.NoAnswer) { try signal!.listen(for: number, within: limit) { isAlive } } catch {
      throw error == .closed ? ended() : late(limit)
    }
  }

  private func late(_ limit: Duration) -> Failure {
    isHanging = true
    return Failure(reason: "its Python process did not answer within \(limit / .seconds(1)) s")
  }

  /// Waits for a line from it.
  func receiveLine(within limit: Duration) throws(Failure) -> String {
    let deadline = ContinuousClock.now + limit
    var line: [UInt8] = []
    while line.count < Self.longestLine {
      let left = deadline - ContinuousClock.now
      guard left > .zero else { throw late(limit) }
      switch SharedSignal.wait(socket.number, atMost: left) {
      case .silent where !isAlive: throw ended()
      case .silent: continue
      case .ready: break
      }
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let there = unsafe recv(socket.number, &bytes, bytes.count, Int32(MSG_PEEK))
      guard there > 0 else { throw ended() }
      let end = bytes[..<there].firstIndex(of: UInt8(ascii: "\n"))
      let taken = unsafe recv(socket.number, &bytes, end.map { $0 + 1 } ?? there, 0)
      guard taken > 0 else { throw ended() }
      // Wake-up bytes may precede the line.
      line += bytes[..<min(taken, end ?? there)].filter { $0 != 0 }
      if let end, taken == end + 1 { return String(decoding: line, as: UTF8.self) }
    }
    isHanging = true
    throw Failure(reason: "its Python process sent an invalid answer")
  }

  /// Returns a failure that says how the process ended.
  private func ended() -> Failure {
    // It has closed the socket and is about to end.
    for _ in 0..<1000 where isAlive { usleep(2000) }
    guard let status else { return Failure(reason: "its Python process has closed the socket") }
    // Like a shell, the supervisor exits with 128 plus the signal that ended the server.
    let exitCode = status >> 8 & 0xff
    let signal = status & 0x7f > 0 ? status & 0x7f : exitCode > 128 && exitCode < 160 ? exitCode - 128 : 0
    return Failure(
      reason: signal == 0
        ? "its Python process ended with exit code \(exitCode)"
        : "its Python process was killed by signal \(signal) (\(unsafe String(cString: strsignal(signal))))")
  }

  /// Returns the last lines of its standard output and standard error.
  func lastLines(_ count: Int = 6) -> [String] {
    var status = stat()
    guard unsafe fstat(log.number, &status) == 0 else { return [] }
    let length = min(Int(status.st_size), 8192)
    var bytes = [UInt8](repeating: 0, count: length)
    let got = unsafe pread(log.number, &bytes, length, off_t(Int(status.st_size) - length))
    let text = String(decoding: bytes.prefix(max(0, got)), as: UTF8.self)
    return text.split(separator: "\n").suffix(count).map { plain($0) }
  }

  /// Truncates its output if it has grown large.
  private func trimLog() {
    var status = stat()
    if unsafe fstat(log.number, &status) == 0, status.st_size > 1 << 20 { _ = ftruncate(log.number, 0) }
  }
}

/// Returns a text without control characters and terminal escape sequences.
func plain(_ text: some StringProtocol) -> String {
  let shown = String(text).replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "").unicodeScalars
  return String(String.UnicodeScalarView(shown.filter { $0 == "\n" || $0.properties.generalCategory != .control }))
}
