import Core
import Formats

/// Reads lines such as `{"step":1000,"return":812.5,"loss":null}`; `null` is NaN.
///
/// Lines in exactly this form, such as all lines that this package writes, are parsed in one pass over their bytes. All
/// other lines are parsed by the JSON parser, which is strict and much slower.
struct MetricsLine {
  private(set) var names: [String] = []
  private(set) var step: Double?
  private(set) var entries: [(name: Int, value: Double)] = []
  /// The bytes of the names, without "step".
  private var keys: [[UInt8]] = []

  /// Reads a line. Returns false if it is not a record.
  mutating func read(_ line: ArraySlice<UInt8>) -> Bool {
    if readQuickly(line) { return step != nil }
    guard let json = try? JSON(parsing: line), let members = json.members else { return false }
    clear()
    for member in members {
      let value: Double? = member.value == .null ? .nan : member.value.double
      guard let value else { continue }
      if member.key == "step" {
        step = value
      } else {
        entries.append((number(of: Array(member.key.utf8)[...]), value))
      }
    }
    return step?.isFinite ?? false
  }

  private mutating func clear() {
    entries.removeAll(keepingCapacity: true)
    step = nil
  }

  /// Reads a line of names without escapes and values that are numbers or null. Returns false if it has anything else.
  private mutating func readQuickly(_ line: ArraySlice<UInt8>) -> Bool {
    clear()
    var at = line.startIndex
    func byte(_ index: Int) -> UInt8 { index < line.endIndex ? line[index] : 0 }
    guard byte(at) == UInt8(ascii: "{") else { return false }
    while true {
      guard byte(at + 1) == UInt8(ascii: "\"") else { return false }
      let start = at + 2
      at = start
      while byte(at) != UInt8(ascii: "\"") {
        // Only printable ASCII without escapes, so that the name is valid UTF-8.
        guard (0x20..<0x7F).contains(byte(at)), byte(at) != UInt8(ascii: "\\") else { return false }
        at += 1
      }
      let key = line[start..<at]
      guard byte(at + 1) == UInt8(ascii: ":"), let (value, end) = number(in: line, from: at + 2) else { return false }
      if key.elementsEqual("step".utf8) {
        guard step == nil, value.isFinite else { return false }
        step = value
      } else {
        let name = number(of: key)
        // The strict parser rejects a repeated name.
        guard !entries.contains(where: { $0.name == name }) else { return false }
        entries.append((name, value))
      }
      at = end
      if byte(at) == UInt8(ascii: "}") { return at + 1 == line.endIndex }
      guard byte(at) == UInt8(ascii: ",") else { return false }
    }
  }

  /// Parses a number or null. Returns the value and its end index.
  private func number(in line: ArraySlice<UInt8>, from start: Int) -> (Double, Int)? {
    var end = start
    while end < line.endIndex, line[end] != UInt8(ascii: ","), line[end] != UInt8(ascii: "}") { end += 1 }
    let text = line[start..<end]
    if text.elementsEqual("null".utf8) { return (.nan, end) }
    // Leave to the strict parser what `Double` accepts but JSON does not, such as "inf" and "+1".
    guard let first = text.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first), text.count <= 32,
      text.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
      let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite
    else { return nil }
    return (value, end)
  }

  private mutating func number(of key: ArraySlice<UInt8>) -> Int {
    // Most lines have the same names in the same order, so try the name that followed last time.
    let expected = entries.last.map { $0.name + 1 } ?? 0
    if expected < keys.count, keys[expected].elementsEqual(key) { return expected }
    if let known = keys.firstIndex(where: { $0.elementsEqual(key) }) { return known }
    keys.append(Array(key))
    names.append(String(decoding: key, as: UTF8.self))
    return keys.count - 1
  }
}
