import Core

/// The true state at each picture, from a CSV file: a line of names, then a line of numbers for each picture.
public struct StateColumns: Sendable, Hashable {
  public let path: String
  public let names: [String]
  /// `[N][S]`
  public let rows: [[Double]]

  /// - Throws: `InputError` with the path and the line that is wrong, `WorldError` with the path.
  public init(path: String) throws {
    self.path = path
    let text = String(decoding: try readBytes(from: path), as: UTF8.self)
    // `\r\n` is one character, and a newline.
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map { cell in
        cell.filter { !"\u{FEFF}\"".contains($0) }.trimmingSpaces
      }
    }
    while lines.last == [""] { lines.removeLast() }
    guard let names = lines.first, names.allSatisfy({ !$0.isEmpty && Double($0) == nil }) else {
      throw InputError("\(path), line 1: names of the columns are missing: begin with a line such as x,y")
    }
    guard Set(names).count == names.count else { throw InputError("\(path), line 1: two columns have the same name") }
    self.names = names
    rows = try lines.dropFirst().enumerated().map { index, cells in
      let numbers = cells.compactMap { Double($0) }.filter(\.isFinite)
      guard cells.count == names.count, numbers.count == cells.count else {
        throw InputError("\(path), line \(index + 2): needs \(names.count) numbers with commas between them")
      }
      return numbers
    }
  }
}

extension StringProtocol {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
