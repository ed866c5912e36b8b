import Core
import Formats
import Foundation
import Runs
import Tensors

/// Does a run's work while this process holds its lock, and tells of its end: a failure is written into the folder, and
/// the user's command is run. A run that has finished before is left as it is.
///
/// - Returns: the run's summary.
/// - Throws: `WorldError` where another process works on the run, and whatever the work throws; `Interrupted` says how to
///   go on.
func withRun(_ directory: RunDirectory, _ options: RunOptions, _ work: () throws -> JSON) throws -> JSON {
  let command = options.notify
  let goesOn = directory.hasBegun
  let lock = try directory.lock()
  defer { withExtendedLifetime(lock) {} }
  if directory.isFinished {
    printProgress("\(directory.path) has finished already")
    return try directory.json("summary.json")
  }
  if goesOn {
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
      // The run's own error is the one to tell: that it could not be written down, on a full disk, comes beside it.
      do { try directory.fail(error, step: directory.progress.step) } catch { complain(error) }
    }
    if let command { notify(command, of: directory, isInterruption ? .interrupted : .failed, error) }
    throw error
  }
}

/// Runs the user's command. What goes wrong with it is told on standard error, and changes nothing of the run's end.
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
    if end.status != 0 { complain("--notify ended with exit code \(end.status)") }
  } catch { complain(error) }
}

/// How long the user's command may take.
private let notifyLimit = Duration.seconds(60)

/// Says on standard error what does not end the program.
private func complain(_ problem: Any) { StandardStreams.say("pixelrl: \("\(problem)".printable)") }

/// What to know where a run goes on with another number of threads than it began with; nil where it does not.
private func threadWarning(_ facts: RunDirectory.Facts) -> String? {
  guard let began = facts.threads, began != Threads.count else { return nil }
  return
    "WARNING: the run began with \(began) threads and goes on with \(Threads.count), which add in another order: it will "
    + "differ from one that was not interrupted; OMP_NUM_THREADS=\(began) goes on to the bit"
}
