import Core
import Formats

/// `evaluations.npz` as Stable-Baselines3's evaluation callback writes it: `timesteps` `[n]`, `results` and
/// `ep_lengths` `[n, episodes]`. It is small, and rewritten at each evaluation.
struct EvaluationLog {
  private let run: RunDirectory
  private var steps: [Int64] = []
  private var returns: [Double] = []
  private var lengths: [Int64] = []
  /// The number of evaluations so far.
  var count: Int { steps.count }

  static let name = "evaluations.npz"

  /// - Parameter kept: The number of evaluations in a resumed run's checkpoint; later ones are dropped.
  init(in run: RunDirectory, keeping kept: Int) throws {
    self.run = run
    guard kept > 0 else { return }
    let path = run.file(Self.name)
    let archive = try NumPyArchive(path: path)
    let (steps, _) = try archive.array("timesteps", of: Int64.self)
    let (returns, shape) = try archive.array("results", of: Double.self)
    let (lengths, lengthsShape) = try archive.array("ep_lengths", of: Int64.self)
    guard shape.count == 2, shape == lengthsShape, steps.count == shape[0], steps.count >= kept else {
      throw WorldError(path: path, "has \(steps.count) evaluations, but \(kept) were written")
    }
    guard shape[1] > 0 else { throw WorldError(path: path, "has evaluations without episodes") }
    self.steps = Array(steps.prefix(kept))
    self.returns = Array(returns.prefix(kept * shape[1]))
    self.lengths = Array(lengths.prefix(kept * shape[1]))
    if steps.count > kept { try write() }
  }

  /// - Parameter returns: The returns of the episodes, the same number each time.
  mutating func append(step: Int, returns: [Double], lengths: [Int]) throws {
    precondition(!returns.isEmpty && returns.count == lengths.count, "an evaluation has a return and a length of each")
    guard self.returns.count == steps.count * returns.count else {
      throw WorldError(
        path: run.file(Self.name),
        "has evaluations with a number of episodes other than \(returns.count): it is not this run's file")
    }
    steps.append(Int64(step))
    self.returns += returns
    self.lengths += lengths.map { Int64($0) }
    try write()
  }

  private func write() throws {
    var archive = try NumPyArchiveWriter(path: run.file(Self.name))
    let shape = [count, returns.count / count]
    try archive.append("timesteps", steps, shape: [count])
    try archive.append("results", returns, shape: shape)
    try archive.append("ep_lengths", lengths, shape: shape)
    try archive.commit()
  }
}
