/// Encodes bytes as base64 (RFC 4648), such as for images embedded in HTML.
public func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let count = min(3, bytes.count - start)
    let second = count > 1 ? bytes[start + 1] : 0
    let third = count > 2 ? bytes[start + 2] : 0
    let word = Int(bytes[start]) << 16 | Int(second) << 8 | Int(third)
    for index in 0..<4 {
      text.append(index <= count ? alphabet[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}
