/// A statistic that summarises the scores of several runs on one or more tasks.
///
/// Scores are given as `[task][run]`; the tasks are the strata of the bootstrap. The definitions are those of Agarwal
/// et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice", and of their library rliable,
/// except the median of one task: theirs is the median over tasks of each task's mean, which for one task is the mean.
public enum Aggregate: String, CaseIterable, Sendable {
  /// The mean of the middle half of all scores: less sensitive to a lucky run than the mean, less noisy than the
  /// median.
  case interquartileMean = "IQM"
  /// For one task, the median over its runs; for several tasks, the median of their means.
  case median = "median"
  /// The mean of the tasks' means.
  case mean = "mean"

  /// - Parameter scores: At least one task, each with at least one run.
  public func callAsFunction(_ scores: [[Double]]) -> Double {
    precondition(!scores.isEmpty && scores.allSatisfy { !$0.isEmpty }, "every task needs at least one run")
    switch self {
    case .interquartileMean: return trimmedMean(scores.flatMap { $0 }, cutting: 0.25)
    case .median where scores.count == 1: return Quantile.of(scores[0].sorted(), at: 0.5)
    case .median: return Quantile.of(scores.map(average).sorted(), at: 0.5)
    case .mean: return average(scores.map(average))
    }
  }
}

func average(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }

/// The mean without the smallest and the largest `fraction` of the numbers, each rounded down to a whole count, like
/// SciPy's `trim_mean`. With a fraction of a quarter, fewer than four numbers are all kept.
private func trimmedMean(_ numbers: [Double], cutting fraction: Double) -> Double {
  let cut = Int(fraction * Double(numbers.count))
  return average(Array(numbers.sorted()[cut..<numbers.count - cut]))
}

/// The probability that a run of X does better than a run of Y on a task drawn at random; ties count half.
///
/// This is the Mann–Whitney U statistic divided by the number of pairs, averaged over tasks (Agarwal et al. 2021,
/// section 4.3).
///
/// - Parameters:
///   - x, y: Scores as `[task][run]`, of the same tasks.
public func probabilityOfImprovement(of x: [[Double]], over y: [[Double]]) -> Double {
  precondition(x.count == y.count && !x.isEmpty, "\(x.count) and \(y.count) tasks cannot be compared")
  return average(zip(x, y).map { probabilityOfImprovement(of: $0, over: $1) })
}

private func probabilityOfImprovement(of x: [Double], over y: [Double]) -> Double {
  precondition(!x.isEmpty && !y.isEmpty, "every task needs at least one run")
  let y = y.sorted()
  // For each run of X, count the runs of Y below it and those equal to it, by bisection.
  let wins = x.reduce(0.0) { sum, score in
    let (below, notAbove) = (y.partitionPoint { $0 < score }, y.partitionPoint { $0 <= score })
    return sum + Double(below) + Double(notAbove - below) / 2
  }
  return wins / Double(x.count * y.count)
}

extension Array {
  /// The number of leading elements that satisfy a condition, which no later element may satisfy.
  fileprivate func partitionPoint(_ isInFront: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isInFront(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
