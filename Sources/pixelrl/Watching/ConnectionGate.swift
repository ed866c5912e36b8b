import Core
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A proxy in front of an HTTP server that limits the number of connections, their lifetime, and the size of requests.
/// Endless lines, silent clients and too many connections cannot block the server or use up its file descriptors.
///
/// All it knows of HTTP is that an empty line ends the head of a request.
final class ConnectionGate: Sendable {
  /// The maximum size of a request in bytes. A browser's requests have about 1000.
  static let requestLimit = 8192
  /// The maximum number of connections at a time, fewer if the system allows few file descriptors. Others wait.
  private static let most = 32
  /// The time limit of the head of a request, and of an idle connection.
  let patience: Duration
  /// The time limit for an answer to begin, and for the client to read it.
  private let answerLimit = Duration.seconds(300)
  private let lifetime = Duration.seconds(600)

  /// The port that the gate listens on.
  let port: UInt16
  private let listener: Int32
  private let slots: DispatchSemaphore
  private let count: Int
  private let taken = Atomic(0)
  private let isClosed = Atomic(false)
  /// Whether `open` has been called.
  private let wasOpened = Atomic(false)
  var isOpen: Bool { wasOpened.load(ordering: .acquiring) }

  /// Binds a port. Connections wait until `open`.
  ///
  /// - Parameter port: the port, or 0 for a free one.
  /// - Throws: `InputError` if the port is taken, `WorldError` if the address is not one of this machine.
  init(_ host: HostRule, port: UInt16, patience: Duration = .seconds(10)) throws {
    self.patience = patience
    // Three descriptors for each connection, here and in the server. The others are for the run's files.
    var limit = rlimit()
    let descriptors =
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Int(clamping: limit.rlim_cur) : 256
    count = max(1, min(Self.most, (descriptors - 32) / 3))
    slots = DispatchSemaphore(value: count)
    let endpoint = "\(host.text):\(port)"
    listener = socket(host.isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw systemFailure(endpoint) }
    do {
      var reuse: Int32 = 1
      _ = unsafe setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
      guard Self.bind(listener, host, port), listen(listener, 64) == 0 else { throw Self.refusal(endpoint, port) }
      self.port = Self.port(of: listener)
    } catch {
      Glibc.close(listener)
      throw error
    }
  }

  deinit { Glibc.close(listener) }

  private static func bind(_ socket: Int32, _ host: HostRule, _ port: UInt16) -> Bool {
    if host.isIPv6 {
      var address = sockaddr_in6()
      (address.sin6_family, address.sin6_port) = (sa_family_t(AF_INET6), port.bigEndian)
      _ = unsafe inet_pton(AF_INET6, host.address, &address.sin6_addr)
      return unsafe withUnsafeBytes(of: &address) { unsafe bind(socket, $0) }
    }
    var address = sockaddr_in()
    (address.sin_family, address.sin_port) = (sa_family_t(AF_INET), port.bigEndian)
    _ = unsafe inet_pton(AF_INET, host.address, &address.sin_addr)
    return unsafe withUnsafeBytes(of: &address) { unsafe bind(socket, $0) }
  }

  private static func bind(_ socket: Int32, _ address: UnsafeRawBufferPointer) -> Bool {
    unsafe Glibc.bind(socket, address.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
      == 0
  }

  /// Returns the port of a socket. It has the same offset in IPv4 and IPv6 addresses.
  private static func port(of socket: Int32) -> UInt16 {
    var address = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    _ = unsafe withUnsafeMutableBytes(of: &address) { bytes in
      unsafe getsockname(socket, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
    }
    return UInt16(bigEndian: address.sin6_port)
  }

  private static func refusal(_ endpoint: String, _ port: UInt16) -> any Error {
    switch errno {
    case EADDRINUSE:
      InputError("port \(port) is taken: choose another with --port, or use --port 0 for a free one")
    case EACCES:
      InputError("no permission to use port \(port): choose one from 1024 to 65535 with --port, or use --port 0")
    default: systemFailure(endpoint)
    }
  }

  /// Passes connections on to the server that listens on the socket at a path, until `close`.
  func open(to path: String) {
    wasOpened.store(true, ordering: .releasing)
    Thread.detachNewThread { [self] in
      while true {
        slots.wait()
        let client = accept(listener, nil, nil)
        guard !isClosed.load(ordering: .acquiring) else {
          if client >= 0 { Glibc.close(client) }
          slots.signal()
          return
        }
        guard client >= 0 else {
          // If no descriptor is free, the client waits in the system's queue.
          if errno != EINTR && errno != ECONNABORTED { usleep(100_000) }
          slots.signal()
          continue
        }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        Thread.detachNewThread { [self] in
          taken.add(1, ordering: .relaxed)
          pass(client, to: path)
          taken.subtract(1, ordering: .relaxed)
          slots.signal()
        }
      }
    }
  }

  /// Accepts no more connections.
  func close() {
    isClosed.store(true, ordering: .releasing)
    // Wakes the thread that waits for the next connection.
    shutdown(listener, Int32(SHUT_RDWR))
  }

  // MARK: - One connection

  /// Copies bytes between a client and the server until one of them closes or a limit is exceeded.
  private func pass(_ client: Int32, to path: String) {
    defer { Glibc.close(client) }
    guard let server = connected(to: path) else { return }
    defer { Glibc.close(server) }
    let connection = Mutex(Connection())
    let isAnswered = DispatchSemaphore(value: 0)
    let end = ContinuousClock.now + lifetime
    Thread.detachNewThread {
      while let bytes = received(server, within: self.answerLimit), ContinuousClock.now < end {
        connection.withLock { $0.answer() }
        guard sent(bytes, to: client, within: self.answerLimit) else { break }
        connection.withLock { $0.answered() }
      }
      // Wakes the thread that waits for the client.
      shutdown(client, Int32(SHUT_RDWR))
      isAnswered.signal()
    }
    // If others wait for a connection, silent clients are disconnected sooner.
    let slice = min(patience, .seconds(1))
    var silence = Duration.zero
    while ContinuousClock.now < end {
      guard let bytes = received(client, within: slice) else {
        guard errno == EAGAIN else { break }
        // A client may be silent while an answer is computed or read.
        silence = connection.withLock { $0.isBusy(within: slice) } ? .zero : silence + slice
        guard silence < (taken.load(ordering: .relaxed) < count ? patience : slice) else { break }
        continue
      }
      silence = .zero
      let isBounded = connection.withLock { $0.ask(bytes) }
      guard isBounded, sent(bytes, to: server, within: patience) else { break }
    }
    shutdown(server, Int32(SHUT_RDWR))
    shutdown(client, Int32(SHUT_RD))
    isAnswered.wait()
  }

  private func connected(to path: String) -> Int32? {
    let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard server >= 0 else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let isConnected = unsafe withUnsafeBytes(of: &address) { bytes in
      unsafe connect(
        server, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<sockaddr_un>.size))
    }
    guard isConnected == 0 else {
      Glibc.close(server)
      return nil
    }
    return server
  }
}

/// The state of a connection: the size of the request since the last answer began, and whether an answer is in
/// progress.
private struct Connection {
  private var count = 0
  private var last: [UInt8] = []
  /// Whether an empty line has ended the request's head.
  private var isWhole = false
  private var isAnswering = false
  private var lastAnswer: ContinuousClock.Instant?

  /// Records received bytes of a request.
  ///
  /// - Returns: whether the request is within the size limit.
  mutating func ask(_ bytes: [UInt8]) -> Bool {
    count += bytes.count
    let recent = last + bytes
    let newline = UInt8(ascii: "\n")
    isWhole =
      isWhole
      || recent.indices.contains { i in
        recent[i] == newline && (i >= 1 && recent[i - 1] == newline || i >= 2 && recent[i - 2] == newline)
      }
    last = Array(recent.suffix(2))
    return count <= ConnectionGate.requestLimit
  }

  /// Records that the server has sent bytes of an answer.
  mutating func answer() { (count, last, isWhole, isAnswering) = (0, [], false, true) }

  /// Records that the bytes were sent to the client.
  mutating func answered() { (isAnswering, lastAnswer) = (false, .now) }

  /// Whether the client may be silent.
  func isBusy(within patience: Duration) -> Bool {
    isWhole || isAnswering || lastAnswer.map { .now - $0 < patience } ?? false
  }
}

/// Receives bytes from a socket. Returns nil and sets `errno` at its end, or if nothing arrives in time.
private func received(_ socket: Int32, within limit: Duration) -> [UInt8]? {
  guard isReady(socket, POLLIN, within: limit) else { return nil }
  var bytes = [UInt8](repeating: 0, count: 1 << 16)
  let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
  if count == 0 { errno = 0 }
  return count > 0 ? Array(bytes[..<count]) : nil
}

/// Sends bytes over a socket. Returns whether all were sent in time.
private func sent(_ bytes: [UInt8], to socket: Int32, within limit: Duration) -> Bool {
  var done = 0
  while done < bytes.count {
    guard isReady(socket, POLLOUT, within: limit) else { return false }
    let put = unsafe bytes.withUnsafeBytes {
      unsafe send(socket, $0.baseAddress! + done, $0.count - done, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }
    guard put > 0 || errno == EAGAIN || errno == EINTR else { return false }
    done += max(0, put)
  }
  return true
}

/// Waits until a socket can be read or written. Returns false and sets `errno` to `EAGAIN` if the time is up.
private func isReady(_ socket: Int32, _ events: Int32, within limit: Duration) -> Bool {
  var waited = pollfd(fd: socket, events: Int16(events), revents: 0)
  while true {
    let count = unsafe poll(&waited, 1, Int32(limit / .milliseconds(1)))
    if count > 0 { return true }
    if count < 0 && errno == EINTR { continue }
    if count == 0 { errno = EAGAIN }
    return false
  }
}
