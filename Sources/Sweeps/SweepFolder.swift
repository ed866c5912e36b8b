import Core
import Formats
import Runs

/// The folder of a sweep. Its files are the only state that workers share:
///
/// - `sweep.json`: the title and the points; `plan.yaml`: the plan that it was made from
/// - `points/00017.yaml`: the settings of a point, a valid `--config`
/// - `runs/00017-HASH`: the run of a point
/// - `locks/00017-HASH`: the worker of a point; `failed/00017-HASH.json`: why it failed; `logs/00017-HASH.log`
public struct SweepFolder: Sendable {
  public let path: String
  public let title: String
  public let note: String
  /// The points, in the order of the plan.
  public let points: [Point]
  /// One more than the largest index that was ever given to a point.
  public let nextIndex: Int
  private let places: [Int: Int]

  static let record = "sweep.json"
  static let folders = ["points", "runs", "locks", "failed", "logs"]

  /// Opens a sweep.
  ///
  /// - Throws: `InputError` if the folder is not a sweep, `WorldError` with the path if it is damaged.
  public init(path: String) throws {
    let file = "\(path)/\(Self.record)"
    guard exists(file) else {
      throw InputError(
        "\(path) is not a sweep: it has no \(Self.record); 'pixelrl sweep plan FILE --out \(path)' makes one")
    }
    let json: JSON
    do { json = try JSON(parsing: readBytes(from: file, limit: 1 << 28)) } catch let error as InputError {
      throw WorldError(path: file, "\(error)")
    }
    guard let points = json["points"]?.array?.map(Point.init), points.allSatisfy({ $0 != nil }),
      let next = json["next"]?.int
    else { throw WorldError(path: file, "is damaged: plan the sweep again") }
    self.init(
      path: path, title: json["title"]?.text ?? "", note: json["note"]?.text ?? "", points: points.compactMap(\.self),
      nextIndex: next)
  }

  init(path: String, title: String, note: String, points: [Point], nextIndex: Int) {
    (self.path, self.title, self.note, self.points, self.nextIndex) = (path, title, note, points, nextIndex)
    places = Dictionary(points.enumerated().map { ($1.index, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The point with this index; nil if a later plan has dropped it.
  ///
  /// - Throws: `InputError` if no plan has had it.
  public func point(_ index: Int) throws -> Point? {
    guard (0..<nextIndex).contains(index) else {
      throw InputError("\(path) has no point \(index): its points are 0 to \(nextIndex - 1)")
    }
    return places[index].map { points[$0] }
  }

  /// The path of a file of the sweep.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// `sweep.json`, with one line for each point.
  var text: String {
    let head: JSON = ["title": .string(title), "note": .string(note), "next": .integer(nextIndex)]
    let lines = points.map { "  \($0.json)" }.joined(separator: ",\n")
    return "\(head.description.dropLast()),\"points\":[\n\(lines)\n]}\n"
  }
}

/// Indices as `17`, `0-49` or `0-4,7,9-12`.
public struct IndexSelection: Sendable, Hashable {
  public let ranges: [ClosedRange<Int>]

  /// - Throws: `InputError` that says what a selection looks like.
  public init(parsing text: String) throws {
    ranges = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0.filter { $0 != " " }) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else {
        throw InputError("--indices takes numbers and ranges such as 0-49 or 0-4,7,9-12, not '\(text)'")
      }
      return first...last
    }
  }

  public func contains(_ index: Int) -> Bool { ranges.contains { $0.contains(index) } }
}
