import Core
import Foundation
import Synchronization

/// A Python program beside this one, with a socket (its descriptor 3) and memory that both see (its descriptor 4): what
/// wakes either side is a `Doorbell`.
///
/// It has a process group of its own, so that an interrupt from the keyboard is this program's to handle, and ends with
/// the socket, which closes with this process however that ends. Used by one thread at a time.
@safe final class PythonProcess: @unchecked Sendable {
  /// Why it cannot be talked to any more.
  struct Failure: Error {
    let reason: String
  }

  /// How many there are, of all environments.
  private static let living = Atomic<Int>(0)
  private static let processors = ProcessInfo.processInfo.activeProcessorCount

  private let processID: pid_t
  private let socket: Int32
  private let sharedFile: Int32
  /// What it writes to standard output and error.
  private let log: Int32
  private var memory: UnsafeMutableRawPointer?
  private var memoryCount = 0
  private var doorbell: Doorbell?
  private var status: Int32?

  /// Starts `python -c script arguments…`.
  ///
  /// - Parameter folder: where it looks for modules first; nil: where `PYTHONPATH` says.
  /// - Throws: `WorldError` where there is no such program, or no more processes or files can be had.
  init(_ python: String, script: [UInt8], _ arguments: [String], in folder: String? = nil) throws {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw systemFailure("a socket for Python") }
    // Above the numbers that the child gives them, so that none is closed by another's taking its place.
    let theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 10)
    close(ends[1])
    defer { close(theirs) }
    (socket, sharedFile, log) = (ends[0], try Self.unnamedFile(), try Self.unnamedFile())
    _ = fcntl(log, F_SETFL, O_APPEND)

    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (number, file) in [(1, log), (2, log), (3, theirs), (4, sharedFile)] {
      unsafe posix_spawn_file_actions_adddup2(&actions, file, Int32(number))
    }
    // Another's pipe that was held open there would never end for who reads it.
    for number in Self.inheritedFiles() where number > 4 {
      unsafe posix_spawn_file_actions_addclose(&actions, number)
    }
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var environment = ProcessInfo.processInfo.environment
    environment["PIXELRL_PARENT_THREAD"] = Thread.isMainThread ? "main" : "other"
    if let folder { environment["PYTHONPATH"] = folder }
    let words = [python, "-c", String(decoding: script, as: UTF8.self)] + arguments
    var started: pid_t = 0
    let failure = unsafe withCStrings(words) { words in
      unsafe withCStrings(environment.map { "\($0)=\($1)" }) { variables in
        unsafe posix_spawnp(&started, python, &actions, &attributes, words, variables)
      }
    }
    processID = started
    Self.living.add(1, ordering: .relaxed)
    guard failure == 0 else {
      status = 0
      throw WorldError(
        path: python, "\(unsafe String(cString: strerror(failure))): install Python, or name one in PIXELRL_PYTHON")
    }
  }

  /// The open files that a child would have too.
  private static func inheritedFiles() -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.compactMap { Int32($0) }.filter { fcntl($0, F_GETFD) & FD_CLOEXEC == 0 }
  }

  deinit {
    end()
    Self.living.subtract(1, ordering: .relaxed)
    close(socket)
    close(sharedFile)
    close(log)
    if let memory = unsafe memory { unsafe munmap(memory, memoryCount) }
  }

  /// Kills it and all that it started, and waits for its end.
  func end() {
    guard status == nil else { return }
    kill(-processID, SIGKILL)
    kill(processID, SIGKILL)
    reap(options: 0)
  }

  private func reap(options: Int32) {
    guard status == nil else { return }
    var code: Int32 = 0
    while true {
      let found = unsafe waitpid(processID, &code, options)
      if found < 0 && errno == EINTR { continue }
      if found == processID { status = code }
      if found < 0 { status = 0 }  // somebody else has waited for it
      return
    }
  }

  // MARK: - Words

  /// The number of the request that `send` will send.
  var nextNumber: UInt32 { doorbell!.count &+ 1 }

  /// Sends it a request, once there is memory that both see.
  ///
  /// - Parameter mayLook: whether either side may wait awake; nil: where there is a processor for each process.
  func send(mayLook: Bool? = nil) throws(Failure) {
    let mayLook = mayLook ?? (Self.living.load(ordering: .relaxed) <= Self.processors)
    do throws(Doorbell.Silence) { try doorbell!.ring(mayLook: mayLook) } catch { throw ended() }
  }

  /// Waits for its answer to the request of a number.
  func receive(_ number: UInt32, within limit: Duration) throws(Failure) {
    do throws(Doorbell.Silence) { try doorbell!.listen(for: number, within: limit) } catch {
      throw error == .closed ? ended() : late(limit)
    }
  }

  private func late(_ limit: Duration) -> Failure {
    Failure(reason: "its Python process did not answer within \(limit / .seconds(1)) s")
  }

  /// Waits for a line from it.
  func receiveLine(within limit: Duration) throws(Failure) -> String {
    let deadline = ContinuousClock.now + limit
    var line: [UInt8] = []
    while true {
      let left = max(.zero, deadline - ContinuousClock.now)
      var waited = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      let isReady = unsafe poll(&waited, 1, Int32(left / .milliseconds(1)))
      if isReady < 0 && errno == EINTR { continue }
      guard isReady > 0 else { throw late(limit) }
      var byte: UInt8 = 0
      guard unsafe recv(socket, &byte, 1, 0) == 1 else { throw ended() }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      // A byte that was to wake us may lie before the line.
      if byte != 0 { line.append(byte) }
    }
  }

  /// How it has ended.
  private func ended() -> Failure {
    // It has closed the socket, and is about to end if it has not yet.
    for _ in 0..<200 where status == nil {
      reap(options: WNOHANG)
      if status == nil { usleep(5000) }
    }
    guard let status else { return Failure(reason: "its Python process has closed the socket") }
    // Python may have been started by a script, which ends with 128 and the signal.
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
    guard unsafe fstat(log, &status) == 0 else { return [] }
    let length = min(Int(status.st_size), 8192)
    var bytes = [UInt8](repeating: 0, count: length)
    let got = unsafe pread(log, &bytes, length, off_t(Int(status.st_size) - length))
    let text = String(decoding: bytes.prefix(max(0, got)), as: UTF8.self)
    return text.split(separator: "\n").suffix(count).map(String.init)
  }

  /// Forgets what it wrote when that has grown large.
  func trimLog() {
    var status = stat()
    if unsafe fstat(log, &status) == 0, status.st_size > 1 << 20 { _ = ftruncate(log, 0) }
  }

  // MARK: - Shared memory

  /// Sees the memory that the child has made, which must have `count` bytes.
  func mapMemory(_ count: Int) throws {
    var status = stat()
    guard unsafe fstat(sharedFile, &status) == 0, status.st_size == count else {
      throw WorldError("the memory shared with Python has \(status.st_size) bytes, not \(count)")
    }
    let mapped = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, sharedFile, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw systemFailure("shared memory") }
    (unsafe memory, memoryCount) = unsafe (mapped, count)
    // Its words come first, see server.py.
    doorbell = unsafe Doorbell(socket: socket, memory: mapped)
  }

  func load<Value: BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
    precondition(
      offset >= 0 && offset + MemoryLayout<Value>.size <= memoryCount, "shared memory ends at \(memoryCount)")
    return unsafe memory!.loadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    precondition(
      offset >= 0 && offset + MemoryLayout<Value>.size <= memoryCount, "shared memory ends at \(memoryCount)")
    unsafe memory!.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  func withBytes<Result>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Result) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= memoryCount, "shared memory ends at \(memoryCount)")
    let start = unsafe UnsafeRawPointer(memory! + range.lowerBound).assumingMemoryBound(to: UInt8.self)
    return unsafe body(Span(_unsafeStart: start, count: range.count))
  }

  /// A file in memory that no name leads to.
  private static func unnamedFile() throws -> Int32 {
    let name = "/pixelrl-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let file = unsafe shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
    guard file >= 0 else { throw systemFailure("/dev/shm\(name)") }
    unsafe shm_unlink(name)
    defer { close(file) }
    let high = fcntl(file, F_DUPFD_CLOEXEC, 10)
    guard high >= 0 else { throw systemFailure("/dev/shm\(name)") }
    return high
  }
}

/// Calls a body with an array of C strings that ends with nil.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
  defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
  return unsafe copies.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
}
