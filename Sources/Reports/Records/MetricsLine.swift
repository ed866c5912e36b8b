import Core
import Formats

/// Reads lines such as `{"step":1000,"return":812.5,"loss":null}`; `null` is NaN.
///
/// Lines that look exactly like that, as all that this package writes, are read in one pass over their bytes; the parser
/// of JSON, which is strict and a good deal slower, has the word on all others.
struct MetricsLine {
  private(set) var names: [String] = []
  private(set) var step: Double?
  private(set) var entries: [(name: Int, value: Double)] = []
  /// The bytes of the names, "step" left out.
  private var keys: [[UInt8]] = []

  /// False if the line is no record.
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

  /// False where the line is anything but names without escapes and numbers or null.
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
        // No escapes, no control characters, and nothing that could be broken UTF-8.
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
        // A name that occurs twice is for the strict parser to refuse.
        guard !entries.contains(where: { $0.name == name }) else { return false }
        entries.append((name, value))
      }
      at = end
      if byte(at) == UInt8(ascii: "}") { return at + 1 == line.endIndex }
      guard byte(at) == UInt8(ascii: ",") else { return false }
    }
  }

  /// A number or null, and where it ends.
  private func number(in line: ArraySlice<UInt8>, from start: Int) -> (Double, Int)? {
    var end = start
    while end < line.endIndex, line[end] != UInt8(ascii: ","), line[end] != UInt8(ascii: "}") { end += 1 }
    let text = line[start..<end]
    if text.elementsEqual("null".utf8) { return (.nan, end) }
    // What `Double` takes and JSON does not, such as "inf" and "+1", is left to the strict parser.
    guard let first = text.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first), text.count <= 32,
      text.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
      let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite
    else { return nil }
    return (value, end)
  }

  private mutating func number(of key: ArraySlice<UInt8>) -> Int {
    // Lines follow each other with the same names in the same order: the next is mostly the one expected.
    let expected = entries.last.map { $0.name + 1 } ?? 0
    if expected < keys.count, keys[expected].elementsEqual(key) { return expected }
    if let known = keys.firstIndex(where: { $0.elementsEqual(key) }) { return known }
    keys.append(Array(key))
    names.append(String(decoding: key, as: UTF8.self))
    return keys.count - 1
  }
}
