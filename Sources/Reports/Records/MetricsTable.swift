import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The metrics of `metrics.jsonl` by name, read in one pass and thinned while reading.
///
/// Lines that are not records are skipped and counted, since reports are made of damaged runs too. A last line without
/// a newline, which a running program may be writing, is skipped.
struct MetricsTable: Sendable, Hashable {
  /// The names in the order of their first occurrence.
  private(set) var names: [String] = []
  private(set) var lineCount = 0
  /// The line numbers, from 1, of the first three lines that could not be read, and the number of all such lines.
  private(set) var damagedLines: [Int] = []
  private(set) var damagedCount = 0
  private var series: [ThinnedSeries] = []

  /// The maximum number of names; further ones are left out to limit the size of the page.
  static let nameLimit = 500
  private static let lineLimit = 1 << 20

  init() {}

  /// Throws `WorldError` with the path if the file cannot be read.
  init(path: String) throws {
    let (parent, name) = split(path)
    let descriptor = try Folder(path: parent, followingLink: true).openFile(name, O_RDONLY)
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
      guard buffer.count <= Self.lineLimit else {
        throw WorldError(path: path, "has a line of more than \(Self.lineLimit) bytes")
      }
    }
  }

  subscript(name: String) -> ThinnedSeries? { names.firstIndex(of: name).map { series[$0] } }

  private mutating func add(_ bytes: ArraySlice<UInt8>, using line: inout MetricsLine) {
    lineCount += 1
    guard !bytes.isEmpty else { return }
    guard line.read(bytes), let step = line.step else {
      damagedCount += 1
      if damagedLines.count < 3 { damagedLines.append(lineCount) }
      return
    }
    while names.count < min(line.names.count, Self.nameLimit) {
      names.append(line.names[names.count])
      series.append(ThinnedSeries())
    }
    for entry in line.entries where entry.name < series.count { series[entry.name].append(step: step, entry.value) }
  }
}
