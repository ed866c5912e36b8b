import Core
import Formats
import Foundation
import Runs
import Tensors

/// Does the work of a run while holding its lock. Records a failure in the run directory, and runs the `--notify`
/// command at the end. Leaves a finished run unchanged.
///
/// - Parameter longer: the settings of a run that is lengthened, which may be a finished one.
/// - Returns: the run's summary.
/// - Throws: `WorldError` if another process holds the lock, and any error of the work; `Interrupted` says how to
///   resume.
func withRun(
  _ directory: RunDirectory, _ options: RunOptions, lengthenedTo longer: [any SettingsGroup]? = nil,
  _ work: () throws -> JSON
) throws -> JSON {
  let command = options.notify
  let isResumed = directory.hasBegun
  let lock = try directory.lock()
  defer { withExtendedLifetime(lock) {} }
  if let longer { try directory.lengthen(to: longer) }
  if directory.isFinished {
    printProgress("\(directory.path) has finished already, so there is nothing to resume")
    return try directory.json("summary.json")
  }
  if isResumed {
    try directory.noteResume(CommandLine.arguments)
    if let warning = try threadWarning(directory.facts()) { printProgress(warning) }
  }
  do {
    let outcome = try work()
    if let command { notify(command, of: directory, .finished) }
    return outcome
  } catch {
    var error = error
    let isInterruption = error is Interrupted
    if var interrupted = error as? Interrupted {
      interrupted.remedy = "pixelrl \(try directory.facts().command) --resume \(directory.path)"
      error = interrupted
    }
    if !isInterruption {
      // The run's own error is thrown. If it cannot be recorded, for example on a full disk, a warning says so.
      do { try directory.fail(error, step: directory.progress.step) } catch { warn(error) }
    }
    if let command { notify(command, of: directory, isInterruption ? .interrupted : .failed, error) }
    throw error
  }
}

/// Runs the `--notify` command. Its errors are printed on standard error and do not change the outcome of the run.
private func notify(_ command: String, of directory: RunDirectory, _ status: RunStatus, _ error: (any Error)? = nil) {
  let progress = directory.progress
  do {
    let end = try ChildProcess.run(
      ["/bin/sh", "-c", command],
      environment: [
        "PIXELRL_OUTCOME": status.rawValue, "PIXELRL_RUN": directory.path,
        "PIXELRL_RETURN": progress.returned.map { "\($0)" } ?? "",
        "PIXELRL_STEP": progress.step.map { "\($0)" } ?? "", "PIXELRL_ERROR": error.map { "\($0)" } ?? "",
      ], keepsOutput: false, limit: notifyLimit)
    if end.status != 0 { warn("--notify ended with exit code \(end.status)") }
  } catch { warn(error) }
}

/// The time limit of the `--notify` command.
private let notifyLimit = Duration.seconds(60)

/// Prints a problem that does not end the program on standard error.
private func warn(_ problem: Any) { StandardStreams.say("pixelrl: \("\(problem)".printable)") }

/// Returns a warning if a run is resumed with another number of threads than it began with.
private func threadWarning(_ facts: RunDirectory.Facts) -> String? {
  guard let began = facts.threads, began != Threads.count else { return nil }
  return
    "WARNING: the run began with \(began) threads and resumes with \(Threads.count), which sum in another order: results "
    + "will differ from those of an uninterrupted run; use OMP_NUM_THREADS=\(began) for identical results"
}
