import Core
import Formats
import Foundation
import Runs
import Testing

@testable import Sweeps

@Suite struct JobScriptTests {
  private func withSweep(_ text: String, _ body: (SweepFolder) throws -> Void) throws {
    try withFolder { try body(plan(text, at: "\($0)/my sweep").folder) }
  }

  private static let seeds = "environments: [a]\nseeds: 0-24"

  @Test func slurmArraysAreSplitAndOffset() throws {
    try withSweep(Self.seeds) { sweep in
      let request = try JobRequest(sweep, path: "/data/my sweep", program: "/bin/pixelrl", parallelism: 4)
      let files = try SlurmScript(request, maximumArraySize: 10, time: "1:00:00").files
      #expect(files.map(\.name) == ["array-0-0.sbatch", "array-0-1.sbatch", "array-0-2.sbatch", "submit.sh"])
      #expect(files[2].text.contains("#SBATCH --array=0-4%4\n") && files[2].text.contains("#SBATCH --time=1:00:00\n"))
      #expect(files[2].text.contains("sweep run '/data/my sweep' --worker"))
      #expect(files[2].text.contains("--index $((SLURM_ARRAY_TASK_ID + 20)) &"))
    }
  }

  @Test func coresAndPathsAreThoseOfTheSweep() throws {
    try withSweep(Self.seeds + "\nsettings: {threads: 3}") { sweep in
      let request = try JobRequest(sweep, path: "/data/my sweep", program: "p")
      let script = try SlurmScript(request).files[0].text
      #expect(script.contains("#SBATCH --cpus-per-task=3\n"))
      #expect(script.contains("#SBATCH --output='/data/my sweep/logs/slurm-%A_%a.log'\n"), "\(script)")
    }
    try withSweep(Self.seeds + "\nsettings: {threads: 0}") { sweep in
      let error = #expect(throws: InputError.self) { try JobRequest(sweep, path: "/s", program: "p") }
      #expect(error?.description.contains("set 'threads' in the plan") == true)
    }
  }

  @Test func slurmRunsSharedPointsFirst() throws {
    let text = "environments: [a]\nseeds: 0-1\nautoencoders: {s: {}}\narms: {x: {autoencoder: s}}"
    try withSweep(text) { sweep in
      let files = try SlurmScript(JobRequest(sweep, path: "/s", program: "p")).files
      #expect(files.map(\.name) == ["array-0-0.sbatch", "array-1-0.sbatch", "submit.sh"])
      #expect(files[0].text.contains("--array=0-1\n") && files[1].text.contains("--array=2-3\n"))
      #expect(files[2].text.contains("--dependency=afterany$before"))
    }
  }

  @Test func tasksHaveSeveralPoints() throws {
    try withSweep(Self.seeds) { sweep in
      let request = try JobRequest(sweep, path: "/s", program: "p", perTask: 10, jobs: 2, parallelism: 3)
      #expect(request.tasks == [0, 1, 2] && request.cores == 2)
      let parallel = request.parallelScript
      #expect(parallel.contains("::: $(seq 0 2)"))
      #expect(request.hyperQueueScript.contains("--array '0-2'"))
      #expect(throws: InputError.self) { try JobRequest(sweep, path: "/s", program: "p", perTask: 2, jobs: 3) }
    }
  }

  /// The scripts are valid, and the index reaches the program.
  @Test func theShellReadsTheScripts() throws {
    try withSweep(Self.seeds) { sweep in
      let request = try JobRequest(sweep, path: sweep.path, program: "/bin/echo", perTask: 10)
      let slurm = try SlurmScript(request).files
      for (name, text) in slurm + [("parallel", request.parallelScript), ("hq", request.hyperQueueScript)] {
        try writeAtomically(Array(text.utf8), to: "\(sweep.path)/\(name)")
        let check = try ChildProcess.run(["bash", "-n", "\(sweep.path)/\(name)"], limit: .seconds(5))
        #expect(check.status == 0, "\(name)")
      }
      let run = try ChildProcess.run(
        ["bash", "\(sweep.path)/array-0-0.sbatch"],
        environment: ["SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "7"], limit: .seconds(5))
      #expect(run.output == "sweep run \(sweep.path) --worker slurm-7_1 --indices 10-19 --jobs 1\n" && run.status == 0)
    }
  }

  /// The rules that the API server applies to a Job (Kubernetes 1.33, `pkg/apis/batch/validation`).
  @Test(arguments: [1, 10]) func theManifestKeepsTheRulesOfAJob(_ perTask: Int) throws {
    try withSweep(Self.seeds) { sweep in
      let request = try JobRequest(sweep, path: "/sweep", program: "pixelrl", perTask: perTask)
      let text = try KubernetesManifest(request, image: "registry/pixelrl:1", claim: "data").text
      let job = try Outline(parsing: Array(text.utf8), path: "job.yaml")
      #expect(try job.text("apiVersion") == "batch/v1" && job.text("kind") == "Job")
      #expect(try job.text("metadata", "name").wholeMatch(of: /[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/) != nil)
      let completions = try #require(Int(try job.text("spec", "completions")))
      #expect(completions == (25 + perTask - 1) / perTask)
      #expect(try job.text("spec", "completionMode") == "Indexed")
      // A limit for each index needs an indexed Job; a policy for failures needs pods that are not restarted.
      #expect(try Int(job.text("spec", "backoffLimitPerIndex")) ?? -1 >= 0)
      let most = try #require(Int(try job.text("spec", "maxFailedIndexes")))
      #expect((0...completions).contains(most))
      #expect(try Int(job.text("spec", "parallelism")) ?? 0 >= 1)
      #expect(try job.text("spec", "template", "spec", "restartPolicy") == "Never")
      let rules = try job.list("spec", "podFailurePolicy", "rules")
      #expect((1...20).contains(rules.count))
      let container = try job.list("spec", "template", "spec", "containers")[0]
      var actions: [Int: String] = [:]
      for rule in rules {
        let action = try rule.text("action")
        #expect(["FailIndex", "FailJob", "Ignore", "Count"].contains(action))
        guard let codes = try? rule.list("onExitCodes", "values") else {
          // A rule has exactly one of both conditions.
          #expect(try rule.list("onPodConditions")[0].text("type") == "DisruptionTarget")
          continue
        }
        #expect((try? rule.list("onPodConditions")) == nil)
        #expect(try rule.text("onExitCodes", "operator") == "In")
        #expect(try rule.text("onExitCodes", "containerName") == container.text("name"))
        let numbers = try codes.map { try #require(Int(try $0.text(of: "values"))) }
        // Without 0, sorted, each once.
        #expect(!numbers.contains(0) && numbers == Set(numbers).sorted() && numbers.count <= 255)
        for number in numbers where actions[number] == nil { actions[number] = action }
      }
      #expect(actions == [1: "FailIndex", 64: "FailIndex", 75: "Ignore"])
      let argument = try container.list("args")[0].text(of: "args")
      #expect(argument.contains(perTask == 1 ? "--index \"$JOB_COMPLETION_INDEX\"" : "--indices"))
      let mounts = try container.list("volumeMounts")
      let volumes = try job.list("spec", "template", "spec", "volumes")
      #expect(try mounts.map { try $0.text("name") } == volumes.map { try $0.text("name") })
    }
  }
}

extension Outline {
  /// A value inside nested mappings.
  fileprivate func value(_ keys: [String]) throws -> Outline {
    try keys.reduce(self) { outline, key in
      guard case .mapping(let entries) = outline.content, let entry = entries.first(where: { $0.key == key }) else {
        throw outline.error("has no \(key)")
      }
      return entry.value
    }
  }

  fileprivate func text(_ keys: String...) throws -> String { try value(keys).text(of: keys.joined(separator: ".")) }

  fileprivate func list(_ keys: String...) throws -> [Outline] {
    let found = try value(keys)
    guard case .list(let items) = found.content else { throw found.error("is not a list") }
    return items
  }
}
