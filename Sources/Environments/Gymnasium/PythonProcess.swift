import Core
import Foundation
import Synchronization

/// A Python program beside this one, with a socket (its descriptor 3) and memory that both see (its descriptor 4): what
/// wakes either side is a `SharedSignal`.
///
/// It has a process group of its own, so that an interrupt from the keyboard is this program's to handle. Once the socket
/// closes it ends in order, with all that it started; that is so too where this process is killed. Used by one thread at a
/// time.
@safe final class PythonProcess: @unchecked Sendable {
  /// Why it cannot be talked to any more.
  struct Failure: Error {
    let reason: String
  }

  /// What it has to end in order: a little more than it takes to kill what does not.
  private static let closingTime = Duration.seconds(14)
  /// A line of it that is longer is none.
  private static let longestLine = 1 << 24
  private static let processors = ProcessInfo.processInfo.activeProcessorCount

  /// How many there are, of all environments.
  private static let living = Atomic<Int>(0)
  /// The sockets of those that have not ended, by the process.
  private static let open = Mutex<[pid_t: Int32]>([:])
  /// Ends all of them with this program.
  private static let endsAll: Void = { atexit { PythonProcess.endAll() } }()

  let memory: SharedMemory
  private let processID: pid_t
  private let socket: Descriptor
  /// What it writes to standard output and error.
  private let log: Descriptor
  private var signal: SharedSignal?
  private var status: Int32?
  /// Whether it did not answer in time.
  private var isHanging = false

  /// Starts Python with a script, which it reads from its standard input.
  ///
  /// - Parameter folder: where it looks for modules first; nil: where `PYTHONPATH` says.
  /// - Throws: `WorldError` where there is no such program, or no more processes or files can be had.
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
      throw WorldError("\(error): install Python, or name one in PIXELRL_PYTHON")
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

  /// Lets it end in order; kills it where that takes too long, or where it did not answer before.
  private func end() {
    guard status == nil else { return }
    shutdown(socket.number, Int32(SHUT_RDWR))
    let limit = ContinuousClock.now + (isHanging ? .zero : Self.closingTime)
    while isAlive && ContinuousClock.now < limit { usleep(1000) }
    guard status == nil else { return }
    kill(-processID, SIGKILL)
    reap(options: 0)
  }

  /// The same for all that there are, side by side.
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
      if found < 0 { status = 0 }  // somebody else has waited for it
      break
    }
    guard status != nil else { return }
    // What it started has ended with it, unless it was killed.
    kill(-processID, SIGKILL)
    Self.open.withLock { $0[processID] = nil }
  }

  // MARK: - Words

  /// The number of the request that `send` will send.
  var nextNumber: UInt32 { signal!.count &+ 1 }

  /// Makes the memory that both see, and tells it so.
  ///
  /// - Throws: `WorldError` where there is not so much.
  func share(_ count: Int) throws {
    signal = unsafe SharedSignal(socket: socket.number, memory: try memory.reserve(count))
    var byte: UInt8 = 0
    _ = unsafe Foundation.send(socket.number, &byte, 1, Int32(MSG_NOSIGNAL))
  }

  /// Sends it a request, once there is memory that both see.
  ///
  /// - Parameter mayLook: whether either side may wait awake; nil: where there is a processor for each process.
  func send(mayLook: Bool? = nil) throws(Failure) {
    if nextNumber % 256 == 0 { trimLog() }
    let mayLook = mayLook ?? (Self.living.load(ordering: .relaxed) <= Self.processors)
    do throws(SharedSignal.NoAnswer) { try signal!.ring(mayLook: mayLook) } catch { throw ended() }
  }

  /// Waits for its answer to the request of a number.
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
      // Bytes that were to wake us may lie before the line.
      line += bytes[..<min(taken, end ?? there)].filter { $0 != 0 }
      if let end, taken == end + 1 { return String(decoding: line, as: UTF8.self) }
    }
    isHanging = true
    throw Failure(reason: "its Python process sends what is no answer")
  }

  /// How it has ended.
  private func ended() -> Failure {
    // It has closed the socket, and is about to end if it has not yet.
    for _ in 0..<1000 where isAlive { usleep(2000) }
    guard let status else { return Failure(reason: "its Python process has closed the socket") }
    // The supervisor, as a shell, ends with 128 and the signal that ended what it watches over.
    let exitCode = status >> 8 & 0xff
    let signal = status & 0x7f > 0 ? status & 0x7f : exitCode > 128 && exitCode < 160 ? exitCode - 128 : 0
    return Failure(
      reason: signal == 0
        ? "its Python process ended with exit code \(exitCode)"
        : "its Python process was ended by signal \(signal) (\(unsafe String(cString: strsignal(signal))))")
  }

  /// The last lines of what it wrote to standard output and error.
  func lastLines(_ count: Int = 6) -> [String] {
    var status = stat()
    guard unsafe fstat(log.number, &status) == 0 else { return [] }
    let length = min(Int(status.st_size), 8192)
    var bytes = [UInt8](repeating: 0, count: length)
    let got = unsafe pread(log.number, &bytes, length, off_t(Int(status.st_size) - length))
    let text = String(decoding: bytes.prefix(max(0, got)), as: UTF8.self)
    return text.split(separator: "\n").suffix(count).map { plain($0) }
  }

  /// Forgets what it wrote when that has grown large.
  private func trimLog() {
    var status = stat()
    if unsafe fstat(log.number, &status) == 0, status.st_size > 1 << 20 { _ = ftruncate(log.number, 0) }
  }
}

/// A foreign text without what would move a terminal's cursor or change its colours.
func plain(_ text: some StringProtocol) -> String {
  let shown = String(text).replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "").unicodeScalars
  return String(String.UnicodeScalarView(shown.filter { $0 == "\n" || $0.properties.generalCategory != .control }))
}
