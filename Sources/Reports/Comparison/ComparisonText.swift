import Core
import Formats

extension Comparison {
  /// The tables for a terminal, as rows of cells.
  public var rows: [(title: String, rows: [[String]])] {
    tables.flatMap { table -> [(title: String, rows: [[String]])] in
      let aggregates = table.entries.map { entry in
        [entry.name, "\(entry.runCount)"] + entry.estimates.flatMap { [shown($0.value), interval($0, of: entry)] }
      }
      let header = ["group", "n"] + Aggregate.allCases.flatMap { [$0.rawValue, "95 %"] }
      guard table.entries.count > 1 else { return [(table.title, [header] + aggregates)] }
      let names = table.entries.map(\.name)
      let differences = table.differences.rows.map { [$0.name] + $0.values }
      let matrix = names.indices.map { a in
        [names[a]] + names.indices.map { b in table.improvement(of: a, over: b).map(probability) ?? "–" }
      }
      return [
        (table.title, [header] + aggregates),
        (
          "\(table.title): probability that a run of the row has a higher return than one of the column",
          [[""] + names] + matrix
        ),
      ] + (differences.isEmpty ? [] : [("\(table.title): settings that differ", [["setting"] + names] + differences)])
    }
  }

  func interval(_ estimate: Estimate, of entry: Entry) -> String { entry.hasIntervals ? shown(estimate.interval) : "–" }

  /// `0.83 (0.67 to 1)`
  func probability(_ estimate: Estimate) -> String { "\(shown(estimate.value)) (\(shown(estimate.interval)))" }

  /// All values, for programs.
  public var json: JSON {
    [
      "confidence": .number(bootstrap.confidence), "resamples": .integer(bootstrap.resamples),
      "tables": .array(tables.map(\.json)), "left_out": .array(leftOut.map { .string($0) }),
      "doubt": doubt.map { .string($0) } ?? .null,
    ]
  }
}

extension Comparison.Table {
  fileprivate var json: JSON {
    let groups: [JSON] = entries.map { entry in
      let aggregates = zip(Aggregate.allCases, entry.estimates).map { aggregate, estimate in
        JSON.Member(aggregate.rawValue.lowercased(), estimate.json)
      }
      return .object(
        [
          .init("name", .string(entry.name)), .init("n", .integer(entry.runCount)),
          .init("scores", .array(entry.scores.map { .array($0.map { .number($0) }) })),
        ] + aggregates)
    }
    let pairs: [JSON] = improvements.map { pair in
      [
        "of": .string(entries[pair.of].name), "over": .string(entries[pair.over].name),
        "probability": pair.estimate.json,
      ]
    }
    let settings = differences.rows.map { JSON.Member($0.name, .array($0.values.map { .string($0) })) }
    return [
      "environments": .array(environments.map { .string($0) }), "groups": .array(groups), "improvement": .array(pairs),
      "settings_that_differ": .object(settings),
    ]
  }
}

extension Estimate {
  fileprivate var json: JSON {
    ["value": .number(value), "low": .number(interval.lowerBound), "high": .number(interval.upperBound)]
  }
}
