import Core
import Foundation
import Runs

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
    try printLine("\(directory.path) has finished already")
    return try directory.json("summary.json")
  }
  if goesOn {
    try directory.noteResume(CommandLine.arguments)
    try noteThreads(of: directory)
  }
  Interruption.listen()
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

/// Says where a run goes on with another number of threads than it began with.
private func noteThreads(of directory: RunDirectory) throws {
  let count = Host.threadCount
  guard let began = try directory.facts().threads, began != count else { return }
  try printLine(
    "WARNING: the run began with \(began) threads and goes on with \(count), which add in another order: it will differ "
      + "from one that was not interrupted; OMP_NUM_THREADS=\(began) goes on to the bit")
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
private func complain(_ problem: Any) {
  FileHandle.standardError.write(Data("pixelrl: \("\(problem)".printable)\n".utf8))
}

/// Asks at a terminal for the reason of a run; an empty answer is one. Never asks where nobody would see it.
func askWhy() -> String {
  guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return "" }
  FileHandle.standardError.write(Data("why this run? ".utf8))
  return (readLine() ?? "").trimmingCharacters(in: .whitespaces)
}
