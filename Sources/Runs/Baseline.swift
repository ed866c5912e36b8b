import Core
import Formats

/// What the returns of a training are seen beside: those of random play, and what a return can be at all. A run has it as
/// `baseline.json` from its start, so that a report needs no environment.
public struct Baseline: Sendable, Hashable {
  /// Returns and simulator steps of episodes with actions drawn uniformly, from the start states of the evaluations;
  /// empty where none were played.
  public let returns: [Double]
  public let lengths: [Int]
  /// The bounds of a return; nil where none are known.
  public let returnRange: ClosedRange<Double>?

  public init(returns: [Double] = [], lengths: [Int] = [], returnRange: ClosedRange<Double>?) {
    precondition(returns.count == lengths.count, "an episode has a return and a length")
    (self.returns, self.lengths, self.returnRange) = (returns, lengths, returnRange)
  }

  /// The mean return of random play.
  public var mean: Double? { returns.isEmpty ? nil : returns.mean }

  var json: JSON {
    [
      "random": returns.isEmpty
        ? .null
        : [
          "mean": .number(returns.mean), "deviation": .number(returns.deviation),
          "returns": .array(returns.map(JSON.number)), "lengths": .array(lengths.map(JSON.integer)),
        ],
      "return_range": returnRange.map { [.number($0.lowerBound), .number($0.upperBound)] } ?? .null,
    ]
  }

  /// Nil where the record is damaged.
  init?(_ json: JSON) {
    let random = json["random"] ?? .null
    let (returns, lengths) = (random["returns"]?.array ?? [], random["lengths"]?.array ?? [])
    let bounds = json["return_range"]?.array?.compactMap(\.double) ?? []
    self.returns = returns.compactMap(\.double)
    self.lengths = lengths.compactMap(\.int)
    returnRange = bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[0]...bounds[1] : nil
    guard json.members != nil, self.returns.count == returns.count, self.lengths.count == returns.count else {
      return nil
    }
  }
}

extension RunDirectory {
  private static let baseline = "baseline.json"

  /// Writes `baseline.json`.
  public func write(_ baseline: Baseline) throws { try write(baseline.json, to: Self.baseline) }

  /// What `baseline.json` says; nil where a run has none, such as one of an older version.
  ///
  /// - Throws: `WorldError` with the path where it is damaged.
  public func baseline() throws -> Baseline? {
    guard exists(file(Self.baseline)) else { return nil }
    guard let baseline = Baseline(try json(Self.baseline)) else {
      throw WorldError(path: file(Self.baseline), "is damaged: it holds no returns")
    }
    return baseline
  }
}
