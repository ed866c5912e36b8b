import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The numbers of `metrics.jsonl` by name, read in one pass and thinned on the way.
///
/// A line that is no record is passed over and counted: a report is made of damaged runs too. So is a last line without
/// its end, which a running program may be writing at this moment.
struct MetricsTable: Sendable, Hashable {
  /// In the order of their first occurrence.
  private(set) var names: [String] = []
  private(set) var lineCount = 0
  /// The numbers, from 1, of up to three lines that could not be read; and how many there are.
  private(set) var damagedLines: [Int] = []
  private(set) var damagedCount = 0
  private var series: [ThinnedSeries] = []
  private var columns: [String: Int] = [:]

  /// Lines with more names than any sane run are refused: they would make a page without end.
  static let nameLimit = 500
  private static let lineLimit = 1 << 20

  init() {}

  /// Throws `WorldError` with the path where the file cannot be read.
  init(path: String) throws {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw WorldError(path: path, unsafe String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var line = MetricsLine()
    var buffer: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let got = unsafe room.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw WorldError(path: path, unsafe String(cString: strerror(errno))) }
      if got == 0 { break }
      buffer.append(contentsOf: room[..<got])
      var start = 0
      while let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
        add(buffer[start..<end], using: &line)
        start = end + 1
      }
      buffer.removeFirst(start)
      guard buffer.count <= Self.lineLimit else { throw WorldError(path: path, "has a line without end") }
    }
  }

  subscript(name: String) -> ThinnedSeries? { columns[name].map { series[$0] } }

  private mutating func add(_ bytes: ArraySlice<UInt8>, using line: inout MetricsLine) {
    lineCount += 1
    guard !bytes.isEmpty else { return }
    guard line.read(bytes), let step = line.step else {
      damagedCount += 1
      if damagedLines.count < 3 { damagedLines.append(lineCount) }
      return
    }
    for entry in line.entries {
      let name = line.names[entry.name]
      guard let column = columns[name] ?? newColumn(name) else { continue }
      series[column].append(step: step, entry.value)
    }
  }

  private mutating func newColumn(_ name: String) -> Int? {
    guard names.count < Self.nameLimit else { return nil }
    columns[name] = names.count
    names.append(name)
    series.append(ThinnedSeries())
    return names.count - 1
  }
}

/// Reads lines such as `{"step":1000,"return":812.5,"loss":null}`; `null` is NaN.
///
/// The parser of JSON, which is strict and slow, has the last word on all lines that do not look exactly like that.
private struct MetricsLine {
  private(set) var names: [String] = []
  private(set) var step: Double?
  private(set) var entries: [(name: Int, value: Double)] = []
  private var numbers: [[UInt8]: Int] = [:]

  /// False if the line is no record.
  mutating func read(_ line: ArraySlice<UInt8>) -> Bool {
    entries.removeAll(keepingCapacity: true)
    step = nil
    guard let json = try? JSON(parsing: line), let members = json.members else { return false }
    for member in members {
      let value: Double? = member.value == .null ? .nan : member.value.double
      guard let value else { continue }
      if member.key == "step" {
        step = value
      } else {
        entries.append((number(of: member.key), value))
      }
    }
    return step?.isFinite ?? false
  }

  private mutating func number(of name: String) -> Int {
    let key = Array(name.utf8)
    if let number = numbers[key] { return number }
    numbers[key] = names.count
    names.append(name)
    return names.count - 1
  }
}
