import Core
import Runs

/// Which run goes on, and whether it may.
extension RunOptions {
  /// The run that `--resume` names or finds in `--out`; nil for a new one, or one that has to be looked for.
  ///
  /// - Throws: `InputError` where it is none of the command's.
  func namedRun(_ command: String) throws -> RunDirectory? {
    guard let run = try namedRun() else { return nil }
    let facts = try run.facts()
    guard facts.command == command else {
      throw InputError(
        "\(run.path) is a run of 'pixelrl \(facts.command)': go on with 'pixelrl \(facts.command) --resume \(run.path)'"
      )
    }
    return run
  }

  private func namedRun() throws -> RunDirectory? {
    guard let resume else { return nil }
    guard resume == "auto" else {
      guard output.out == nil else {
        throw InputError("--resume \(resume) goes on in its own folder: leave out --out, or give --resume auto")
      }
      return try RunDirectory(existing: resume)
    }
    guard let out = output.out else { return nil }
    try NewFolder.finishMove(into: out)
    guard exists("\(out)/run.json") else { return nil }
    return try RunDirectory(existing: out)
  }

  /// The run to go on with; nil where a new one begins.
  ///
  /// - Parameter groups: the resolved settings.
  /// - Throws: `InputError` where the named run was made in another way, `WorldError` with the path of what is damaged.
  func resumedRun(
    _ command: String, inputs: [RunDirectory.Input], settings groups: [any SettingsGroup]
  ) throws -> RunDirectory? {
    guard let run = try namedRun(command) else {
      guard resume != nil, output.out == nil else { return nil }
      return try RunDirectory.newest { run, facts in
        guard facts.command == command else { return false }
        return try difference(of: run, facts, inputs, groups) == nil
      }
    }
    if let reason = try difference(of: run, try run.facts(), inputs, groups) { throw InputError(reason) }
    return run
  }

  /// Why a run is not the one that these settings and inputs make; nil where it is. Inputs may lie elsewhere by now.
  private func difference(
    of run: RunDirectory, _ facts: RunDirectory.Facts, _ inputs: [RunDirectory.Input],
    _ groups: [any SettingsGroup]
  ) throws -> String? {
    let same = inputs.filter { input in facts.inputs.contains { $0.isSame(as: input) } }.map(\.name)
    if let other = try run.differences(from: groups).first(where: { !same.contains($0.key) }) {
      return
        "\(run.path) was made with --\(other.key) \(other.recorded), not \(other.given): leave the flag out to go on with "
        + "the run, or leave out --resume for a new one"
    }
    guard let changed = inputs.first(where: { !same.contains($0.name) }) else { return nil }
    return "\(changed.path) has changed since \(run.path) began: put it back, or begin a new run"
  }
}
