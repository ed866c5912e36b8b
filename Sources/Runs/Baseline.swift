import Core
import Formats

/// The baseline for the returns of a training: the returns of random play, and the bounds of a return. A run stores it
/// in `baseline.json` at its start, so that a report needs no environment.
public struct Baseline: Sendable, Hashable {
  /// The returns and simulator steps of episodes with uniformly drawn actions, from the start states of the
  /// evaluations; empty if none were played.
  public let returns: [Double]
  public let lengths: [Int]
  /// The bounds of a return; nil if they are unknown.
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

  /// Returns nil if the record is damaged.
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

  /// Reads `baseline.json`. Returns nil if a run has none, such as a run of an older version.
  ///
  /// - Throws: `WorldError` with the path if it is damaged.
  public func baseline() throws -> Baseline? {
    guard exists(file(Self.baseline)) else { return nil }
    guard let baseline = Baseline(try json(Self.baseline)) else {
      throw WorldError(path: file(Self.baseline), "is damaged: it has no valid returns")
    }
    return baseline
  }
}
