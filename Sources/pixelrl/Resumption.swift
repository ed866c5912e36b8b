import Core
import Runs

/// Which run goes on, and whether it may.
extension RunOptions {
  /// The run that `--resume` names or finds in `--out`; nil for a new one, or one that has to be looked for.
  func namedRun() throws -> RunDirectory? {
    guard let resume else { return nil }
    guard resume == "auto" else {
      guard output.out == nil else {
        throw InputError("--resume \(resume) goes on in its own folder: leave out --out, or give --resume auto")
      }
      return try RunDirectory(existing: resume)
    }
    guard let out = output.out, exists("\(out)/run.json") else { return nil }
    return try RunDirectory(existing: out)
  }

  /// The run to go on with; nil where a new one begins.
  ///
  /// - Parameter groups: the resolved settings.
  /// - Throws: `InputError` where the named run was made in another way, `WorldError` with the path of what is damaged.
  func resumedRun(
    _ command: String, inputs: [RunDirectory.Input], settings groups: [(title: String, group: any SettingsGroup)]
  ) throws -> RunDirectory? {
    guard let run = try namedRun() else {
      guard resume != nil, output.out == nil else { return nil }
      return try RunDirectory.newest { run, facts in
        let isTheSame = facts.command == command && facts.inputs == inputs
        return try isTheSame && run.differences(from: groups).isEmpty
      }
    }
    let facts = try run.facts()
    guard facts.command == command else {
      throw InputError(
        "\(run.path) is a run of 'pixelrl \(facts.command)': go on with 'pixelrl \(facts.command) --resume'")
    }
    if let other = try run.differences(from: groups).first {
      throw InputError(
        "\(run.path) was made with --\(other.key) \(other.recorded), not \(other.given): leave the flag out to go on with "
          + "the run, or leave out --resume for a new one")
    }
    if let changed = zip(facts.inputs, inputs).first(where: { $0 != $1 }) {
      throw InputError("\(changed.0.path) has changed since \(run.path) began: put it back, or begin a new run")
    }
    return run
  }
}
