import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// An address to listen on, and the Host headers that requests to it may have.
///
/// A foreign page can point its own host name at this machine's address and then read what is served there (DNS
/// rebinding). The request's Host header then has that name, so that the request can be rejected. A numeric address
/// cannot be rebound.
struct HostRule: Sendable, Hashable {
  /// A numeric IPv4 or IPv6 address.
  let address: String
  let isIPv6: Bool
  /// Whether only programs on this machine can connect.
  let isLoopback: Bool

  /// - Parameter host: a numeric address, or `localhost`.
  /// - Throws: `InputError` if it is neither.
  init(_ host: String) throws {
    address = host == "localhost" ? "127.0.0.1" : host
    guard let isIPv6 = Self.isIPv6(address) else {
      throw InputError("--host takes a numeric address, such as 127.0.0.1 or ::1, not '\(host)'")
    }
    self.isIPv6 = isIPv6
    isLoopback = Self.isLoopback(address)
  }

  /// The address as in a URL: `127.0.0.1`, `[::1]`.
  var text: String { isIPv6 ? "[\(address)]" : address }

  /// Whether a request's Host header names this address: `127.0.0.1:8080`, `localhost`, `[::1]:8080`. If other machines
  /// can connect, any numeric address is accepted.
  func accepts(_ header: String) -> Bool {
    let name: Substring
    if header.hasPrefix("[") {
      guard let end = header.firstIndex(of: "]"), isPort(header[header.index(after: end)...]) else { return false }
      name = header[header.index(after: header.startIndex)..<end]
      guard Self.isIPv6(String(name)) == true else { return false }
    } else {
      let end = header.firstIndex(of: ":") ?? header.endIndex
      guard isPort(header[end...]) else { return false }
      name = header[..<end]
      if name.lowercased() == "localhost" { return true }
      guard Self.isIPv6(String(name)) == false else { return false }
    }
    return !isLoopback || Self.isLoopback(String(name))
  }

  private func isPort(_ text: Substring) -> Bool {
    guard let first = text.first else { return true }
    return first == ":" && UInt16(text.dropFirst()) != nil
  }

  private static func isLoopback(_ address: String) -> Bool { address == "::1" || address.hasPrefix("127.") }

  /// Whether a numeric address is an IPv6 address. Nil if the text is not a numeric address.
  private static func isIPv6(_ text: String) -> Bool? {
    guard !text.utf8.contains(0) else { return nil }
    var (four, six) = (in_addr(), in6_addr())
    if unsafe inet_pton(AF_INET, text, &four) == 1 { return false }
    return unsafe inet_pton(AF_INET6, text, &six) == 1 ? true : nil
  }
}
