import Core
import Formats
import Runs

extension RunRecord {
  /// The band of each evaluation by its step, from its episodes' returns in `evaluations.npz`; empty if that file is
  /// missing or damaged.
  var returnBands: [Double: ClosedRange<Double>] {
    guard let archive = try? NumPyArchive(path: directory.file("evaluations.npz")),
      let (steps, _) = try? archive.array("timesteps", of: Int64.self),
      let (returns, shape) = try? archive.array("results", of: Double.self),
      shape.count == 2, shape[0] == steps.count, shape[1] > 0
    else { return [:] }
    var bands: [Double: ClosedRange<Double>] = [:]
    for (index, step) in steps.enumerated() {
      bands[Double(step)] = returns[index * shape[1]..<(index + 1) * shape[1]].deviationBand
    }
    return bands
  }
}
