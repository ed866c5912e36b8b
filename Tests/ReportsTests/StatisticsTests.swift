import Core
import Testing

@testable import Reports

/// The expected values are SciPy's: `trim_mean(x, 0.25)` and `mannwhitneyu(x, y).statistic / (n * m)`.
@Suite struct StatisticsTests {
  private let x: [Double] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
  private let y: [Double] = [2, 7, 1, 8, 2, 8, 1, 8]
  private let x2: [Double] = [0.5, 0.25, 0.75]
  private let y2: [Double] = [0.5, 0.1]

  @Test func quantilesInterpolateBetweenNeighbours() {
    #expect(Quantile.of([1, 2, 4], at: 0.5) == 2)
    #expect(Quantile.of([1, 2, 4], at: 0.75) == 3)
    #expect(Quantile.of([7], at: 0.1) == 7)
  }

  @Test func theInterquartileMeanIsSciPysTrimmedMean() {
    #expect(abs(Aggregate.interquartileMean([x]) - 3.6666666666666665) < 1e-12)
    // Scores of all tasks are pooled.
    #expect(abs(Aggregate.interquartileMean([x, x2]) - 2.7142857142857144) < 1e-12)
    // Of five runs the best and the worst are trimmed, of three none.
    #expect(abs(Aggregate.interquartileMean([[3, 1, 4, 1, 5]]) - 8.0 / 3) < 1e-12)
    #expect(abs(Aggregate.interquartileMean([[3, 1, 4]]) - 8.0 / 3) < 1e-12)
  }

  @Test func meanAndMedianUseTheTasksMeans() {
    #expect(Aggregate.mean([x, x2]) == 2.2)
    #expect(Aggregate.median([x, x2, [10]]) == 3.9)
    #expect(Aggregate.median([[1, 2, 9]]) == 2, "for one task the median is over its runs")
  }

  @Test func theProbabilityOfImprovementIsMannAndWhitneysU() {
    #expect(probabilityOfImprovement(of: [x], over: [y]) == 0.4625)
    #expect(probabilityOfImprovement(of: [x2], over: [y2]) == 0.75)
    #expect(probabilityOfImprovement(of: [x, x2], over: [y, y2]) == 0.60625)
    #expect(probabilityOfImprovement(of: [y], over: [x]) == 1 - 0.4625)
    #expect(probabilityOfImprovement(of: [[1, 1]], over: [[1]]) == 0.5)
  }

  /// NumPy gave 2.167 to 5.333 and 1.508 to 2.967 with 200,000 resamples, and 0.181 to 0.756 with 20,000.
  @Test func intervalsMatchABootstrapInNumPy() {
    let bootstrap = Bootstrap(resamples: 20_000)
    let one = bootstrap.estimate([x]) { Aggregate.interquartileMean($0) }
    #expect(abs(one.interval.lowerBound - 2.167) < 0.1 && abs(one.interval.upperBound - 5.333) < 0.1)
    let two = bootstrap.estimate([x, x2]) { Aggregate.mean($0) }
    #expect(abs(two.interval.lowerBound - 1.508) < 0.03 && abs(two.interval.upperBound - 2.967) < 0.03)
    let improvement = bootstrap.probabilityOfImprovement(of: [x], over: [y])
    #expect(improvement.value == 0.4625)
    #expect(abs(improvement.interval.lowerBound - 0.181) < 0.02 && abs(improvement.interval.upperBound - 0.756) < 0.02)
  }

  @Test func theSeedDeterminesTheInterval() {
    func interval(_ seed: UInt64) -> ClosedRange<Double> {
      Bootstrap(resamples: 200, seed: Seed(seed)).estimate([x]) { Aggregate.mean($0) }.interval
    }
    #expect(interval(1) == interval(1))
    #expect(interval(1) != interval(2))
    #expect(Bootstrap().estimate([[4]]) { Aggregate.mean($0) }.interval == 4...4)
  }
}
