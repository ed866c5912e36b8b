import Core
import Formats

/// A Kubernetes Job with a pod for each task.
///
/// A point that was interrupted (exit code 75), or whose pod was evicted, is started again and counts as no failure. A
/// failed point (1, 64) fails its index at once, and no other. Anything else, such as a crash or a lost lock, is tried
/// again a few times.
public struct KubernetesManifest: Sendable {
  public let request: JobRequest
  public let image: String
  /// The name of the PersistentVolumeClaim with the sweep's folder.
  public let claim: String

  /// - Throws: `InputError` if the sweep exceeds what a Job can have.
  public init(_ request: JobRequest, image: String, claim: String) throws {
    let count = request.tasks.last.map { $0 + 1 } ?? 1
    guard count <= 100_000 else {
      throw InputError(
        "an indexed Job with a limit for each index has at most 100000 tasks, not \(count): raise --per-task")
    }
    (self.request, self.image, self.claim) = (request, image, claim)
  }

  public var text: String {
    let count = request.tasks.last.map { $0 + 1 } ?? 1
    // Pods need a limit above the time of a checkpoint.
    return """
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: \(request.jobName)
      spec:
        completionMode: Indexed
        completions: \(count)
        parallelism: \(min(request.parallelism ?? 10, count))
        backoffLimitPerIndex: 5
        maxFailedIndexes: \(count)
        podFailurePolicy:
          rules:
            - action: FailIndex
              onExitCodes:
                containerName: pixelrl
                operator: In
                values: [1, 64]
            - action: Ignore
              onExitCodes:
                containerName: pixelrl
                operator: In
                values: [75]
            - action: Ignore
              onPodConditions:
                - type: DisruptionTarget
                  status: "True"
        template:
          spec:
            restartPolicy: Never
            terminationGracePeriodSeconds: 120
            containers:
              - name: pixelrl
                image: \(yamlQuoted(image))
                command: ["/bin/sh", "-c"]
                args:
                  - \(yamlQuoted("exec " + request.command(task: "$JOB_COMPLETION_INDEX", worker: "\(request.jobName)-$JOB_COMPLETION_INDEX")))
                resources:
                  requests:
                    cpu: "\(request.cores)"
                volumeMounts:
                  - name: sweep
                    mountPath: \(yamlQuoted(request.path))
            volumes:
              - name: sweep
                persistentVolumeClaim:
                  claimName: \(yamlQuoted(claim))

      """
  }
}

/// A YAML scalar in double quotes, which is a JSON string.
private func yamlQuoted(_ text: String) -> String { JSON.string(text).description }
