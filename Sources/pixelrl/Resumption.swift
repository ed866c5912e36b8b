import Core
import Runs
import Training

/// Finds the run to resume, and checks that it has the same settings and inputs.
extension RunOptions {
  /// Returns the run that `--resume` names or that is in `--out`. Returns nil for a new run, or for one that has to be
  /// searched for.
  ///
  /// - Throws: `InputError` if it is a run of another command.
  func namedRun(_ command: String) throws -> RunDirectory? {
    guard let run = try namedRun() else { return nil }
    let facts = try run.facts()
    guard facts.command == command else {
      throw InputError(
        "\(run.path) is a run of 'pixelrl \(facts.command)': use 'pixelrl \(facts.command) --resume \(run.path)'"
      )
    }
    return run
  }

  private func namedRun() throws -> RunDirectory? {
    guard let resume else { return nil }
    guard resume == "auto" else {
      guard output.out == nil else {
        throw InputError("--resume \(resume) writes to the run's own folder: leave out --out, or use --resume auto")
      }
      return try RunDirectory(existing: resume)
    }
    guard let out = output.out else { return nil }
    try NewFolder.finishMove(into: out)
    guard exists("\(out)/run.json") else { return nil }
    return try RunDirectory(existing: out)
  }

  /// Returns the run to resume, or nil if a new one starts.
  ///
  /// - Parameter groups: the resolved settings.
  /// - Throws: `InputError` if the named run has other settings or inputs, `WorldError` with the path of a damaged
  ///   file.
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
    if let reason = try difference(of: run, try run.facts(), inputs, groups, canLengthen: resume != "auto") {
      throw InputError(reason)
    }
    return run
  }

  /// Returns how a run differs from these settings and inputs, or nil if it does not. Inputs may have moved.
  ///
  /// - Parameter canLengthen: whether more steps are no difference. No schedule of a training depends on its length.
  private func difference(
    of run: RunDirectory, _ facts: RunDirectory.Facts, _ inputs: [RunDirectory.Input],
    _ groups: [any SettingsGroup], canLengthen: Bool = false
  ) throws -> String? {
    let same = inputs.filter { input in facts.inputs.contains { $0.isSame(as: input) } }.map(\.name)
    for other in try run.differences(from: groups) where !same.contains(other.key) {
      if TrainingSettings.lengthKeys.contains(other.key) {
        if canLengthen, let recorded = Int(text: other.recorded), let given = Int(text: other.given), given > recorded {
          continue
        }
        return
          "\(run.path) was made with --\(other.key) \(other.recorded), not \(other.given): 'pixelrl train --resume "
          + "\(run.path) --\(other.key) N' lengthens it to more steps; or leave out --resume to start a new run"
      }
      return
        "\(run.path) was made with --\(other.key) \(other.recorded), not \(other.given): leave the flag out to resume the "
        + "run, or leave out --resume to start a new one"
    }
    guard let changed = inputs.first(where: { !same.contains($0.name) }) else { return nil }
    return "\(changed.path) has changed since \(run.path) began: restore it, or start a new run"
  }
}

extension RunDirectory {
  /// Checks that a run that is resumed stays in its environment.
  ///
  /// - Throws: `InputError` if it was made with another one.
  func check(environment id: String) throws {
    let own = try facts().environment
    guard own == id else {
      throw InputError(
        "\(path) was made with --env \(own), not \(id): leave the flag out to resume the run, or leave out --resume to "
          + "start a new one")
    }
  }
}
