import Core
import Formats

/// The engine that starts the workers of a sweep.
public enum Engine: String, Sendable, CaseIterable {
  case slurm
  case parallel
  case hyperqueue
  case kubernetes
}

/// What the scripts of all engines need. An engine counts tasks from 0; a task has one or more points.
public struct JobRequest: Sendable {
  public let sweep: SweepFolder
  /// The path of the sweep's folder on the machines that run it.
  public let path: String
  /// The path of the program on these machines.
  public let program: String
  /// The number of points that a task runs, one after the other or `jobs` at a time.
  public let perTask: Int
  public let jobs: Int
  /// The most tasks at the same time; nil for no limit.
  public let parallelism: Int?

  public init(
    _ sweep: SweepFolder, path: String, program: String, perTask: Int = 1, jobs: Int = 1, parallelism: Int? = nil
  ) throws {
    guard perTask >= 1, jobs >= 1, jobs <= perTask, parallelism ?? 1 >= 1 else {
      throw InputError("--per-task and --at-once take whole numbers of at least 1, and --jobs one from 1 to --per-task")
    }
    if let point = sweep.points.first(where: { $0.threads == 0 }) {
      throw InputError(
        "point \(point.index) has 'threads: 0', which is no number of CPU cores to request: set 'threads' in the plan")
    }
    (self.sweep, self.path, self.program) = (sweep, path, program)
    (self.perTask, self.jobs, self.parallelism) = (perTask, jobs, parallelism)
  }

  /// The tasks that have points.
  var tasks: [Int] { tasks { _ in true } }

  func tasks(where isWanted: (Point) -> Bool) -> [Int] {
    Set(sweep.points.filter(isWanted).map { $0.index / perTask }).sorted()
  }

  /// The CPU cores of a task.
  var cores: Int { (sweep.points.map(\.threads).max() ?? 1) * jobs }

  /// A shell command that runs a task.
  ///
  /// - Parameter task: a shell expression of the task's number, such as `$SLURM_ARRAY_TASK_ID`.
  func command(task: String, worker: String) -> String {
    let name = worker.isEmpty ? "" : " --worker \"\(worker)\""
    let run = "\(shellQuoted(program)) sweep run \(shellQuoted(path))\(name)"
    guard perTask > 1 else { return "\(run) --index \(task.contains(" ") ? "$((\(task)))" : "\"\(task)\"")" }
    let first = "$(((\(task)) * \(perTask)))"
    return "\(run) --indices \"\(first)-$(((\(task)) * \(perTask) + \(perTask - 1)))\" --jobs \(jobs)"
  }
}

extension JobRequest {
  /// A script for GNU parallel on this machine, or on several with `--sshlogin`.
  public var parallelScript: String {
    """
    #!/bin/sh
    # \(comment): start it again after any interruption.
    # More machines that see this folder: add --sshlogin 8/node1,8/node2
    exec parallel --jobs \(parallelism ?? 1) --halt never --termseq TERM,60000,KILL,1000 \\
      \(shellQuoted(command(task: "{}", worker: ""))) ::: \(ranges(tasks).map(words).joined(separator: " "))

    """
  }

  /// A script that submits a task array to HyperQueue.
  public var hyperQueueScript: String {
    let task = shellQuoted("exec " + command(task: "$HQ_TASK_ID", worker: "hq-$HQ_JOB_ID-$HQ_TASK_ID"))
    return """
      #!/bin/sh
      # \(comment): start it again after any interruption.
      # A task that was interrupted has exit code 75, and its points wait.
      exec hq submit --name \(shellQuoted(jobName)) --array '\(ranges(tasks).map(text).joined(separator: ","))' \\
        --cpus \(cores) --crash-limit unlimited -- /bin/sh -c \(task)

      """
  }

  private var comment: String { "\(counted(sweep.points.count, "point")) of \(path.filter { !$0.isNewline })" }

  /// `5-9` as a range of an engine's array.
  private func text(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
  }

  private func words(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "$(seq \(range.lowerBound) \(range.upperBound))"
  }

  /// A name that all engines accept.
  var jobName: String {
    let name = sweep.path.split(separator: "/").last.map(String.init) ?? "sweep"
    let letters = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let trimmed = String(letters.drop { $0 == "-" }.prefix(40).reversed().drop { $0 == "-" }.reversed())
    return trimmed.isEmpty ? "sweep" : trimmed
  }
}

/// Numbers as ranges: 0, 1, 2, 5 as 0-2 and 5.
func ranges(_ numbers: [Int]) -> [ClosedRange<Int>] {
  numbers.reduce(into: []) { ranges, number in
    if let last = ranges.last, number == last.upperBound + 1 {
      ranges[ranges.count - 1] = last.lowerBound...number
    } else {
      ranges.append(number...number)
    }
  }
}
