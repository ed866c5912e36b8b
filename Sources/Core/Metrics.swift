/// Named metric values of an update, in the order in which they were added.
public struct Metrics: Sendable, ExpressibleByDictionaryLiteral {
  public private(set) var entries: [(name: String, value: Double)]

  public init() { entries = [] }
  public init(dictionaryLiteral elements: (String, Double)...) { entries = elements.map { ($0.0, $0.1) } }

  public subscript(name: String) -> Double? {
    get { entries.first { $0.name == name }?.value }
    set {
      let index = entries.firstIndex { $0.name == name }
      switch (index, newValue) {
      case (let index?, let value?): entries[index].value = value
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append((name, value))
      case (nil, nil): break
      }
    }
  }

  /// Adds the entries of `other`. If both have a name, the value of `other` is used.
  public mutating func merge(_ other: Metrics) {
    for (name, value) in other.entries { self[name] = value }
  }
}

/// Encodes names and values as two arrays, which keeps their order.
extension Metrics: Codable {
  private enum CodingKeys: CodingKey {
    case names, values
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let names = try container.decode([String].self, forKey: .names)
    let values = try container.decode([Double].self, forKey: .values)
    guard names.count == values.count, Set(names).count == names.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .values, in: container, debugDescription: "\(names.count) names for \(values.count) values")
    }
    entries = zip(names, values).map { ($0, $1) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(entries.map(\.name), forKey: .names)
    try container.encode(entries.map(\.value), forKey: .values)
  }
}

/// Averages metrics between two reports.
public struct MetricsMean: Sendable, Codable {
  private var sums = Metrics()
  private var counts = Metrics()

  public init() {}

  public mutating func add(_ metrics: Metrics) {
    for (name, value) in metrics.entries {
      sums[name] = (sums[name] ?? 0) + value
      counts[name] = (counts[name] ?? 0) + 1
    }
  }

  /// Returns the means since the last call, and resets them.
  public mutating func take() -> Metrics {
    var means = Metrics()
    for (name, sum) in sums.entries { means[name] = sum / (counts[name] ?? 1) }
    sums = Metrics()
    counts = Metrics()
    return means
  }
}

/// Returns true each time a counter reaches or passes a multiple of the period, for any increment of the counter.
public struct Every: Sendable, Codable {
  public let period: Int
  private var last: Int

  /// - Parameter period: 0 never fires.
  public init(_ period: Int, from start: Int = 0) {
    self.period = period
    last = period > 0 ? start / period : 0
  }

  public mutating func callAsFunction(_ count: Int) -> Bool {
    guard period > 0, count / period > last else { return false }
    last = count / period
    return true
  }
}
