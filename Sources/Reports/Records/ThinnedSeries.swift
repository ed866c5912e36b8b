import Pixels

/// The values of one metric by step, in constant memory: if there are too many, neighbours are merged into bins of
/// equal counts with their mean and range.
struct ThinnedSeries: Sendable, Hashable {
  struct Bin: Sendable, Hashable {
    /// The mean of the finite values; NaN if there are none.
    var mean: Double
    var low: Double
    var high: Double
    /// The mean step.
    var step: Double
    var count: Int
    var finiteCount: Int

    init(step: Double, value: Double) {
      (self.step, count, finiteCount) = (step, 1, value.isFinite ? 1 : 0)
      (mean, low, high) = value.isFinite ? (value, value, value) : (.nan, .infinity, -.infinity)
    }

    mutating func join(_ other: Bin) {
      let finite = finiteCount + other.finiteCount
      if other.finiteCount > 0 {
        let share = Double(other.finiteCount) / Double(finite)
        mean = finiteCount == 0 ? other.mean : mean + (other.mean - mean) * share
        (low, high) = (min(low, other.low), max(high, other.high))
      }
      finiteCount = finite
      count += other.count
      step += (other.step - step) * Double(other.count) / Double(count)
    }
  }

  /// The minimum number of bins of a thinned series; there are at most twice as many.
  static let limit = 400

  private(set) var bins: [Bin] = []
  /// The last three values, unthinned.
  private(set) var tail: [Double] = []
  private(set) var count = 0
  private(set) var firstStep: Double?
  private(set) var lastStep: Double?
  /// The number of values in a full bin, a power of two.
  private(set) var binSize = 1

  mutating func append(step: Double, _ value: Double) {
    count += 1
    firstStep = firstStep ?? step
    lastStep = step
    tail.append(value)
    if tail.count > 3 { tail.removeFirst() }
    let bin = Bin(step: step, value: value)
    if let last = bins.last, last.count < binSize {
      bins[bins.count - 1].join(bin)
      return
    }
    if bins.count == 2 * Self.limit { halve() }
    if binSize > 1, let last = bins.last, last.count < binSize {
      bins[bins.count - 1].join(bin)
    } else {
      bins.append(bin)
    }
  }

  private mutating func halve() {
    bins = stride(from: 0, to: bins.count, by: 2).map { index in
      var bin = bins[index]
      if index + 1 < bins.count { bin.join(bins[index + 1]) }
      return bin
    }
    binSize *= 2
  }

  var points: [Point] { bins.map { Point($0.step, $0.mean) } }
  /// The range of each bin; empty if every bin has a single value.
  var ranges: [ClosedRange<Double>] {
    binSize == 1 ? [] : bins.map { $0.finiteCount > 0 ? $0.low...$0.high : 0...0 }
  }
  /// The last finite value.
  var last: Double? { tail.last { $0.isFinite } ?? bins.last { $0.finiteCount > 0 }?.mean }
}
