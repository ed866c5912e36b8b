import Core
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

extension Outline {
  /// Every combination of the values listed for each setting.
  func grid() throws -> [PlanFile.Settings] {
    var all: [PlanFile.Settings] = [[:]]
    for entry in try entries(of: "'vary'", "write 'learning-rate: [0.001, 0.0003]'") {
      let values = try entry.value.texts(of: entry.key)
      guard !values.isEmpty else { throw entry.value.error("'\(entry.key)' has no values") }
      all = all.flatMap { settings in values.map { settings.merging([entry.key: $0]) { $1 } } }
      guard all.count <= PlanFile.pointLimit else { throw error("'vary' has more than \(PlanFile.pointLimit) points") }
    }
    return all
  }

  /// Points drawn at random, or from a Sobol sequence, which covers the space more evenly:
  ///
  /// ```yaml
  /// sample:
  ///   method: sobol
  ///   points: 16
  ///   settings:
  ///     learning-rate: {from: 1e-4, to: 1e-2, scale: log}
  ///     hidden: [64, 128, 256]
  /// ```
  func samples() throws -> [PlanFile.Settings] {
    var (method, count, seed) = ("sobol", 0, UInt64(0))
    var dimensions: [(key: String, values: SampledValues)] = []
    for entry in try entries(of: "'sample'", "write 'points: 16', and 'settings:' below it") {
      let value = entry.value
      switch entry.key {
      case "method": method = try value.text(of: "method")
      case "points": count = try Int(text: value.text(of: "points")) ?? 0
      case "seed":
        guard let given = try UInt64(text: value.text(of: "seed")) else { throw value.error("'seed' takes a number") }
        seed = given
      case "settings":
        dimensions = try value.entries(of: "'settings'", "write 'learning-rate: {from: 1e-4, to: 1e-2, scale: log}'")
          .map { ($0.key, try SampledValues($0.value, of: $0.key)) }
      default:
        throw value.error(
          "\(InputError.unknown("part of 'sample'", entry.key, known: ["method", "points", "seed", "settings"]))")
      }
    }
    guard (1...PlanFile.pointLimit).contains(count) else {
      throw error("'points' takes a whole number from 1 to \(PlanFile.pointLimit)")
    }
    guard !dimensions.isEmpty else { throw error("'sample' has no 'settings' to draw") }
    let points: [[Double]]
    switch method {
    case "random":
      var random = Seed(seed).stream("sample")
      points = (0..<count).map { _ in dimensions.map { _ in random.uniform() } }
    case "sobol":
      guard dimensions.count <= SobolSequence.maximumDimensions else {
        throw error("a Sobol sequence has at most \(SobolSequence.maximumDimensions) settings: use 'method: random'")
      }
      points = SobolSequence(dimensions: dimensions.count, shift: Seed(seed)).first(count)
    default: throw error("'method' takes random or sobol, not '\(method)'")
    }
    let samples = points.map { point in
      Dictionary(uniqueKeysWithValues: zip(dimensions, point).map { ($0.key, $0.values.text(at: $1)) })
    }
    guard Set(samples).count == count else {
      throw error(
        "'sample' draws the same values twice: ask for fewer 'points'; a range whose ends have no decimal point, such as "
          + "{from: 0, to: 1}, has whole numbers only, and {from: 0.0, to: 1.0} real ones")
    }
    return samples
  }
}

extension PlanFile {
  /// The most points of a sweep. Beyond it, a folder for each point is no longer practical.
  static let pointLimit = 100_000
}

/// The values that a setting is drawn from.
private enum SampledValues {
  case choices([String])
  case whole(ClosedRange<Double>, isLogarithmic: Bool)
  case real(ClosedRange<Double>, isLogarithmic: Bool)

  init(_ outline: Outline, of key: String) throws {
    guard case .mapping(let entries) = outline.content else {
      let choices = try outline.texts(of: key)
      guard choices.count > 1 else {
        throw outline.error("'\(key)' takes a list of choices, or a range such as {from: 1e-4, to: 1e-2, scale: log}")
      }
      self = .choices(choices)
      return
    }
    var texts: [String: String] = [:]
    for entry in entries { texts[entry.key] = try entry.value.text(of: entry.key) }
    let scale = texts["scale"] ?? "linear"
    guard let low = texts["from"], let high = texts["to"], let from = Double(text: low), let to = Double(text: high),
      from < to, scale == "linear" || scale == "log" && from > 0,
      Set(texts.keys).isSubset(of: ["from", "to", "scale"])
    else {
      throw outline.error(
        "'\(key)' takes a range such as {from: 1e-4, to: 1e-2, scale: log}; the scale is linear or log, and 'from' is "
          + "less than 'to', and above 0 for log")
    }
    let isWhole = Int(low) != nil && Int(high) != nil
    self =
      isWhole
      ? .whole(from...to, isLogarithmic: scale == "log") : .real(from...to, isLogarithmic: scale == "log")
  }

  /// The value at a place from 0 to below 1. Real numbers have four significant digits, so that their text is exact.
  func text(at place: Double) -> String {
    switch self {
    case .choices(let choices): return choices[min(choices.count - 1, Int(place * Double(choices.count)))]
    case .whole(let range, let isLogarithmic):
      // Every whole number has the same share, also those at the ends.
      let value = Self.value(place, in: range.lowerBound...range.upperBound + 1, isLogarithmic)
      return Int(min(value.rounded(.down), range.upperBound)).text
    case .real(let range, let isLogarithmic):
      let value = Self.value(place, in: range, isLogarithmic)
      guard value != 0 else { return "0" }
      let unit = pow(10, 3 - log10(abs(value)).rounded(.down))
      return ((value * unit).rounded() / unit).text
    }
  }

  private static func value(_ place: Double, in range: ClosedRange<Double>, _ isLogarithmic: Bool) -> Double {
    let (low, high) = (range.lowerBound, range.upperBound)
    return isLogarithmic ? low * pow(high / low, place) : low + (high - low) * place
  }
}
