import Core
import Formats
import Foundation
import Pixels
import Plots
import Tabular

/// The output of `pixelrl estimators`: a table, JSON and two plots.
struct EstimatorReport {
  let title: String
  let laboratory: EstimatorTrial
  let measurements: [EstimatorMeasurement]

  /// The probability that an unbiased estimator is marked as biased.
  static let falseAlarm = 0.001

  // MARK: table

  var lines: [String] {
    let header = [
      "estimator", "bias", "95% interval", "", "variance", "95% interval", "error", "us", "expected", "source",
    ]
    return [title] + aligned([header] + measurements.map(row))
  }

  private func row(_ m: EstimatorMeasurement) -> [String] {
    [
      m.estimator.id, short(m.bias), interval(m.biasInterval), m.isBiased(falseAlarm: Self.falseAlarm) ? "!" : "",
      short(m.variance), interval(m.varianceInterval), short(m.meanSquaredError), short(m.microseconds),
      m.estimator.bias.name, m.estimator.source,
    ]
  }

  private func interval(_ range: ClosedRange<Double>) -> String {
    "\(short(range.lowerBound)) to \(short(range.upperBound))"
  }

  /// Formats a value with three significant digits.
  private func short(_ x: Double) -> String { x < 1e-9 ? "0" : String(format: "%.3g", x) }

  // MARK: JSON

  var json: JSON {
    let problem = laboratory.problem
    return [
      "title": .string(title), "batch": .integer(laboratory.batch), "trials": .integer(laboratory.trials),
      "horizon": .integer(problem.horizon), "discount": .number(problem.process.discount),
      "parameters": .integer(problem.policy.parameterCount), "gradient": .array(problem.gradient.map { .number($0) }),
      "steps_per_estimate": .integer(laboratory.batch * problem.horizon), "false_alarm": .number(Self.falseAlarm),
      "estimators": .array(measurements.map(json)),
    ]
  }

  private func json(_ m: EstimatorMeasurement) -> JSON {
    func pair(_ range: ClosedRange<Double>) -> JSON { [.number(range.lowerBound), .number(range.upperBound)] }
    return [
      "estimator": .string(m.estimator.id), "source": .string(m.estimator.source),
      "samples": .string(m.estimator.samples.rawValue), "target": .string(m.estimator.target.rawValue),
      "expected": .string(m.estimator.bias.name), "reason": m.estimator.bias.reason.map { .string($0) } ?? .null,
      "bias": .number(m.bias), "bias_interval": pair(m.biasInterval),
      "biased": .bool(m.isBiased(falseAlarm: Self.falseAlarm)), "variance": .number(m.variance),
      "variance_interval": pair(m.varianceInterval), "mean_squared_error": .number(m.meanSquaredError),
      "microseconds": .number(m.microseconds),
    ]
  }

  // MARK: plots

  var biasPlot: IntervalPlot {
    IntervalPlot(
      title: "Bias: \(title)", xLabel: "distance of the mean from the exact gradient / norm of the gradient (95%)",
      rows: measurements.map { IntervalPlot.Row($0.estimator.id, $0.bias, $0.biasInterval) })
  }

  /// The axis is logarithmic, since variances differ by orders of magnitude. Estimators without variance are left out.
  var variancePlot: IntervalPlot {
    IntervalPlot(
      title: "Variance: \(title)", xLabel: "log10 of variance / squared norm of the gradient (95%)",
      rows: measurements.filter { $0.variance > 1e-12 }.map { m in
        let low = max(m.varianceInterval.lowerBound, m.variance / 1000)
        return IntervalPlot.Row(m.estimator.id, log10(m.variance), log10(low)...log10(m.varianceInterval.upperBound))
      })
  }
}

extension Estimator.Bias {
  fileprivate var name: String {
    switch self {
    case .unbiased: "unbiased"
    case .consistent: "consistent"
    case .biased: "biased"
    }
  }

  fileprivate var reason: String? {
    switch self {
    case .unbiased: nil
    case .consistent(let reason), .biased(let reason): reason
    }
  }
}
