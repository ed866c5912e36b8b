import Core

extension ActionSpace {
  /// `low` and `high` of each number, or the `count` of choices.
  public var members: [JSON.Member] {
    switch self {
    case .continuous(let low, let high):
      [.init("low", .array(low.map(JSON.number))), .init("high", .array(high.map(JSON.number)))]
    case .discrete(let count): [.init("count", .integer(count))]
    }
  }

  /// `{"low": [-1], "high": [1]}` or `{"count": 2}`.
  public var json: JSON { .object(members) }

  /// Reads what `json` wrote. Returns nil for anything else, and for bounds that are not finite.
  public init?(_ json: JSON) {
    if let count = json["count"]?.int {
      guard count > 0 else { return nil }
      self = .discrete(count: count)
      return
    }
    func numbers(_ key: String) -> [Double]? { json[key]?.array.map { $0.compactMap(\.double) } }
    guard let low = numbers("low"), let high = numbers("high"), low.count == high.count,
      zip(low, high).allSatisfy({ $0.isFinite && $0 <= $1 && $1.isFinite })
    else { return nil }
    self = .continuous(low: low, high: high)
  }
}
