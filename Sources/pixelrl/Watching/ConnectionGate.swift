import Core
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The way to a server: connections pass through here, few at a time, each for a bounded time and with requests of a bounded
/// length. A server behind it cannot be kept busy by a line without end, held by those who say nothing, or left without
/// descriptors.
///
/// It knows no more of HTTP than that the head of a request ends with an empty line.
final class ConnectionGate: Sendable {
  /// Bytes of a request; a browser's have about one thousand.
  static let requestLimit = 8192
  /// Connections at a time, fewer where the system allows few descriptors; others wait.
  private static let most = 32
  /// How long the head of a request may take, and how long a connection may lie idle.
  let patience: Duration
  /// How long an answer may take to begin, and to be read.
  private let answerLimit = Duration.seconds(300)
  private let lifetime = Duration.seconds(600)

  /// The port that is listened at.
  let port: UInt16
  private let listener: Int32
  private let places: DispatchSemaphore
  private let count: Int
  private let taken = Atomic(0)
  private let isClosed = Atomic(false)
  /// Whether anybody was ever let in.
  private let wasOpened = Atomic(false)
  var isOpen: Bool { wasOpened.load(ordering: .acquiring) }

  /// Takes a port; nobody is let in yet.
  ///
  /// - Parameter port: 0 takes a free one.
  /// - Throws: `InputError` where the port is taken, `WorldError` where the address is not this machine's.
  init(_ host: HostRule, port: UInt16, patience: Duration = .seconds(10)) throws {
    self.patience = patience
    // Three for each connection, here and in the server; the others are for the run's files.
    var limit = rlimit()
    let descriptors =
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Int(clamping: limit.rlim_cur) : 256
    count = max(1, min(Self.most, (descriptors - 32) / 3))
    places = DispatchSemaphore(value: count)
    let place = "\(host.text):\(port)"
    listener = socket(host.isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw systemFailure(place) }
    do {
      var reuse: Int32 = 1
      _ = unsafe setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
      guard Self.bind(listener, host, port), listen(listener, 64) == 0 else { throw Self.refusal(place, port) }
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

  /// IPv4 and IPv6 have it in the same place.
  private static func port(of socket: Int32) -> UInt16 {
    var address = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    _ = unsafe withUnsafeMutableBytes(of: &address) { bytes in
      unsafe getsockname(socket, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
    }
    return UInt16(bigEndian: address.sin6_port)
  }

  private static func refusal(_ place: String, _ port: UInt16) -> any Error {
    switch errno {
    case EADDRINUSE:
      InputError("port \(port) is taken: give another with --port, or --port 0 for any that is free")
    case EACCES:
      InputError("port \(port) may not be used: give one from 1024 to 65535 with --port, or --port 0")
    default: systemFailure(place)
    }
  }

  /// Lets connections through to the server that listens at a path, until `close`.
  func open(to path: String) {
    wasOpened.store(true, ordering: .releasing)
    Thread.detachNewThread { [self] in
      while true {
        places.wait()
        let client = accept(listener, nil, nil)
        guard !isClosed.load(ordering: .acquiring) else {
          if client >= 0 { Glibc.close(client) }
          places.signal()
          return
        }
        guard client >= 0 else {
          // Without a descriptor the caller waits in the system's queue.
          if errno != EINTR && errno != ECONNABORTED { usleep(100_000) }
          places.signal()
          continue
        }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        Thread.detachNewThread { [self] in
          taken.add(1, ordering: .relaxed)
          pass(client, to: path)
          taken.subtract(1, ordering: .relaxed)
          places.signal()
        }
      }
    }
  }

  /// Lets nobody in any more.
  func close() {
    isClosed.store(true, ordering: .releasing)
    // Wakes who waits for the next.
    shutdown(listener, Int32(SHUT_RDWR))
  }

  // MARK: - One connection

  /// Carries bytes between a client and the server, until one of them ends or a limit is passed.
  private func pass(_ client: Int32, to path: String) {
    defer { Glibc.close(client) }
    guard let server = connected(to: path) else { return }
    defer { Glibc.close(server) }
    let talk = Mutex(Connection())
    let isAnswered = DispatchSemaphore(value: 0)
    let end = ContinuousClock.now + lifetime
    Thread.detachNewThread {
      while let bytes = received(server, within: self.answerLimit), ContinuousClock.now < end {
        talk.withLock { $0.answer() }
        guard sent(bytes, to: client, within: self.answerLimit) else { break }
        talk.withLock { $0.answered() }
      }
      // Ends what waits for the client.
      shutdown(client, Int32(SHUT_RDWR))
      isAnswered.signal()
    }
    // Where others wait for a place, who says nothing goes sooner.
    let slice = min(patience, .seconds(1))
    var silence = Duration.zero
    while ContinuousClock.now < end {
      guard let bytes = received(client, within: slice) else {
        guard errno == EAGAIN else { break }
        // Nothing came: that is right while an answer is being made or read.
        silence = talk.withLock { $0.isBusy(within: slice) } ? .zero : silence + slice
        guard silence < (taken.load(ordering: .relaxed) < count ? patience : slice) else { break }
        continue
      }
      silence = .zero
      let isBounded = talk.withLock { $0.ask(bytes) }
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

/// How a connection stands: how much of a request has come since the last answer began, and whether one is under way.
private struct Connection {
  private var count = 0
  private var last: [UInt8] = []
  /// Whether an empty line has ended the request's head.
  private var isWhole = false
  private var isAnswering = false
  private var lastAnswer: ContinuousClock.Instant?

  /// Bytes of a request have come.
  ///
  /// - Returns: whether it is not too long.
  mutating func ask(_ bytes: [UInt8]) -> Bool {
    count += bytes.count
    let seen = last + bytes
    let newline = UInt8(ascii: "\n")
    isWhole =
      isWhole
      || seen.indices.contains { i in
        seen[i] == newline && (i >= 1 && seen[i - 1] == newline || i >= 2 && seen[i - 2] == newline)
      }
    last = Array(seen.suffix(2))
    return count <= ConnectionGate.requestLimit
  }

  /// Bytes of an answer have come.
  mutating func answer() { (count, last, isWhole, isAnswering) = (0, [], false, true) }

  /// They have gone on to the client.
  mutating func answered() { (isAnswering, lastAnswer) = (false, .now) }

  /// Whether the client has reason to be silent.
  func isBusy(within patience: Duration) -> Bool {
    isWhole || isAnswering || lastAnswer.map { .now - $0 < patience } ?? false
  }
}

/// What came over a socket: nil and `errno` at its end, or where nothing came in time.
private func received(_ socket: Int32, within limit: Duration) -> [UInt8]? {
  guard isReady(socket, POLLIN, within: limit) else { return nil }
  var bytes = [UInt8](repeating: 0, count: 1 << 16)
  let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
  if count == 0 { errno = 0 }
  return count > 0 ? Array(bytes[..<count]) : nil
}

/// Whether all bytes went over a socket in time.
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

/// Waits until a socket can be read or written; false and `EAGAIN` where the time is up.
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
