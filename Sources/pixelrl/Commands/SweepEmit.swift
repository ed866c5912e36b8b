import ArgumentParser
import Core
import Runs
import Sweeps

/// `pixelrl sweep emit`
struct EmitSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emit", abstract: "Write the job script of an engine that starts the workers of a sweep.",
    discussion: """
      slurm writes job arrays and submit.sh into the sweep's folder; the others write one file. Each task runs \
      'pixelrl sweep run FOLDER --index N'. Submit again after any interruption: points that are done end at once.
      """)

  @Argument(help: ArgumentHelp("slurm, parallel, hyperqueue or kubernetes", valueName: "engine"))
  var engine: Engine

  @OptionGroup var sweep: SweepArgument

  @Option(parsing: .unconditional, help: ArgumentHelp("points that a task runs", valueName: "k"))
  var perTask = 1

  @Option(parsing: .unconditional, help: ArgumentHelp("points that a task runs at the same time", valueName: "n"))
  var jobs = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("tasks at the same time (default: the engine's; for parallel the CPU cores)", valueName: "n"))
  var atOnce: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Slurm's MaxArraySize, at which arrays are split", valueName: "n"))
  var maxArraySize = 1001

  @Option(help: ArgumentHelp("Slurm's --time of a task, such as 4:00:00", valueName: "time"))
  var time: String?

  @Option(help: ArgumentHelp("Slurm's partition", valueName: "name"))
  var partition: String?

  @Option(help: ArgumentHelp("Kubernetes: the container image with pixelrl", valueName: "image"))
  var image = "pixelrl:latest"

  @Option(help: ArgumentHelp("Kubernetes: the PersistentVolumeClaim with the sweep's folder", valueName: "name"))
  var claim = "pixelrl"

  @Option(
    help: ArgumentHelp(
      "Kubernetes: the folder where the claim is mounted, which is the sweep's folder", valueName: "folder"))
  var mount = "/sweep"

  @Option(
    help: ArgumentHelp(
      "the program on the machines that run it (default: this one; Kubernetes: pixelrl)", valueName: "path"))
  var program: String?

  func run() throws {
    let sweep = try SweepFolder(path: sweep.path)
    let isElsewhere = engine == .kubernetes
    let path = isElsewhere ? mount : try absolutePath(sweep.path)
    let program = try program ?? (isElsewhere ? "pixelrl" : programPath())
    let request = try JobRequest(
      sweep, path: path, program: program, perTask: perTask, jobs: jobs,
      parallelism: atOnce ?? (engine == .parallel ? Host.availableCores : nil))
    let files: [(name: String, text: String)]
    switch engine {
    case .slurm:
      files = try SlurmScript(request, maximumArraySize: maxArraySize, time: time, partition: partition).files
    case .parallel: files = [("parallel.sh", request.parallelScript)]
    case .hyperqueue: files = [("hyperqueue.sh", request.hyperQueueScript)]
    case .kubernetes:
      files = [("kubernetes.yaml", try KubernetesManifest(request, image: image, claim: claim).text)]
    }
    for (name, text) in files { try writeAtomically(Array(text.utf8), to: sweep.file(name)) }
    let last = sweep.file(files[files.count - 1].name)
    try printLine("wrote \(files.map { sweep.file($0.name) }.joined(separator: ", "))")
    try printLine("next: \(isElsewhere ? "kubectl apply -f" : "sh") \(shellQuoted(last))")
  }
}

extension Engine: ExpressibleByArgument {}
