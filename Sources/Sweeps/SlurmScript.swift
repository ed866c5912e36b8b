import Core

/// The scripts of a Slurm cluster: job arrays, and a script that submits them.
public struct SlurmScript: Sendable {
  public let request: JobRequest
  /// The cluster's `MaxArraySize` (`scontrol show config`): the indices of an array are below it.
  public let maximumArraySize: Int
  /// The value of `--time`; nil for the partition's.
  public let time: String?
  public let partition: String?

  public init(
    _ request: JobRequest, maximumArraySize: Int = 1001, time: String? = nil, partition: String? = nil
  ) throws {
    guard maximumArraySize >= 2 else {
      throw InputError(
        "--max-array-size takes the cluster's MaxArraySize, which is at least 2: see 'scontrol show config'")
    }
    if let time, time.wholeMatch(of: #/(\d+-\d+(:\d+){0,2})|(\d+(:\d+){0,2})/#) == nil {
      throw InputError("--time takes a time of Slurm, such as 4:00:00 or 1-12:00:00, not '\(time)'")
    }
    (self.request, self.maximumArraySize) = (request, maximumArraySize)
    (self.time, self.partition) = (time, partition)
  }

  /// The files by name. `submit.sh` submits the arrays; those with points that others wait for are first.
  public var files: [(name: String, text: String)] {
    let shared = Set(request.tasks { $0.command != .train })
    let stages = [shared.sorted(), request.tasks.filter { !shared.contains($0) }].filter { !$0.isEmpty }
    var files: [(name: String, text: String)] = []
    var lines: [String] = []
    for (stage, tasks) in stages.enumerated() {
      lines.append("ids=")
      let arrays = Dictionary(grouping: tasks) { $0 / maximumArraySize }
      for (offset, group) in arrays.sorted(by: { $0.key < $1.key }) {
        let name = "array-\(stage)-\(offset).sbatch"
        files.append((name, script(group.map { $0 - offset * maximumArraySize }, offset: offset * maximumArraySize)))
        let after = stage == 0 ? "" : " --dependency=afterany$before"
        lines += ["id=$(sbatch --parsable\(after) \"$here/\(name)\")", "ids=$ids:${id%%;*}"]
      }
      lines.append("before=$ids")
      lines.append("echo \"submitted ${ids#:}\"")
    }
    let submit = """
      #!/bin/sh
      # Submits the points of \(request.path.filter { !$0.isNewline }). Points that are done end at once, so submit again
      # after any interruption.
      set -e
      here=$(dirname "$(realpath "$0")")
      \(lines.joined(separator: "\n"))

      """
    return files + [("submit.sh", submit)]
  }

  /// - Parameters:
  ///   - tasks: the indices of the array.
  ///   - offset: the task of index 0.
  private func script(_ tasks: [Int], offset: Int) -> String {
    let array = ranges(tasks).map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    let limit = request.parallelism.map { "%\($0)" } ?? ""
    let options =
      [
        "--job-name=\(request.jobName)", "--array=\(array.joined(separator: ","))\(limit)", "--ntasks=1",
        "--cpus-per-task=\(request.cores)", "--requeue", "--open-mode=append", "--signal=B:USR1@90",
        "--output=\(shellQuoted("\(request.path)/logs/slurm-%A_%a.log"))",
      ] + [time.map { "--time=\($0)" }, partition.map { "--partition=\($0)" }].compactMap(\.self)
    let worker = "slurm-${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
    return """
      #!/bin/bash
      \(options.map { "#SBATCH \($0)" }.joined(separator: "\n"))

      # SIGUSR1 comes 90 seconds before the time limit: the run writes a checkpoint and ends with exit code 75, and the task
      # is requeued. SIGTERM comes with a preemption, a requeue or a cancellation: the run writes a checkpoint, and Slurm
      # decides. What is not requeued goes on when the array is submitted again.
      timed_out=
      stop() { kill -TERM "$run" 2> /dev/null; }
      trap stop TERM
      trap 'timed_out=1; stop' USR1
      \(request.command(task: "SLURM_ARRAY_TASK_ID + \(offset)", worker: worker)) &
      run=$!
      wait "$run"
      code=$?
      # A trap ends the first 'wait'.
      while kill -0 "$run" 2> /dev/null; do
        wait "$run"
        code=$?
      done
      if [ "$code" = 75 ] && [ -n "$timed_out" ]; then
        scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
      fi
      exit "$code"

      """
  }
}
