import Core
import Formats
import Reports
import Runs

/// The status of all points, as rows of text and as JSON.
public struct StatusTable: Sendable {
  public struct Entry: Sendable {
    public let point: Point
    public let status: PointStatus
    public let progress: RunProgress
  }

  public let entries: [Entry]

  /// Reads the files of a sweep.
  ///
  /// - Throws: `WorldError` with the path.
  public init(of sweep: SweepFolder) throws {
    let reader = try StatusReader(sweep)
    entries = try sweep.points.map { point in
      let status = try reader.status(of: point)
      return Entry(point: point, status: status, progress: reader.progress(of: point))
    }
  }

  /// `3 waiting, 2 running, 5 done`
  public var summary: String {
    let counts = Dictionary(grouping: entries, by: \.status.name).mapValues(\.count)
    return PointStatus.names.compactMap { name in counts[name].map { "\($0) \(name)" } }.joined(separator: ", ")
  }

  public var rows: [[String]] {
    [["point", "environment", "arm", "seed", "status", "step", "return", "where or why"]]
      + entries.map { entry in
        let (point, progress) = (entry.point, entry.progress)
        let goal = progress.goal.map { "/\($0)" } ?? ""
        return [
          "\(point.index)", point.environment,
          point.command == .train ? point.arm : "\(point.command.rawValue) \(point.arm)", "\(point.seed)",
          entry.status.name, progress.step.map { "\($0)\(goal)" } ?? "-",
          progress.returned.map(shownReturn) ?? "-", entry.status.detail,
        ]
      }
  }

  public var json: JSON {
    .array(
      entries.map { entry in
        [
          "index": .integer(entry.point.index), "environment": .string(entry.point.environment),
          "arm": .string(entry.point.arm), "seed": JSON(whole: entry.point.seed),
          "command": .string(entry.point.command.rawValue), "status": .string(entry.status.name),
          "detail": .string(entry.status.detail), "step": entry.progress.step.map { .integer($0) } ?? .null,
          "of": entry.progress.goal.map { .integer($0) } ?? .null,
          "return": entry.progress.returned.map { .number($0) } ?? .null, "run": .string(entry.point.run),
        ]
      })
  }
}

extension PointStatus {
  /// Where a point runs, or why it failed.
  public var detail: String {
    switch self {
    case .waiting, .done: ""
    case .running(let holder): "\(holder.host), since \(date(nanoseconds: holder.since))"
    case .lost(let holder): "\(holder.host), process \(holder.process) has ended"
    case .failed(let failure): failure.reason
    }
  }
}

/// `836`, or `0.93` if it is below 10.
func shownReturn(_ value: Double) -> String {
  guard abs(value) < 1e15 else { return "\(value)" }
  if abs(value) >= 10 { return "\(Int(value.rounded()))" }
  let hundredths = Int((abs(value) * 100).rounded())
  let sign = value < 0 && hundredths > 0 ? "-" : ""
  return "\(sign)\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
}
