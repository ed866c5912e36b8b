import ArgumentParser
import Core
import Environments
import Formats
import Runs

/// The options of every command that writes results.
struct OutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "the folder to write, which must be new or empty (default: a new one under runs/ or datasets/)",
      valueName: "folder"),
    completion: .directory)
  var out: String?

  @Flag(help: "print a summary as JSON in the last line")
  var json = false
}

/// The source of settings that are not given as flags.
struct ConfigOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "a YAML file of settings, such as the output of 'pixelrl config' or a run's settings.yaml; flags override it",
      valueName: "file"), completion: .file())
  var config: String?
}

/// The options of every command that creates a run.
struct RunOptions: ParsableArguments {
  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("the purpose of the run, which is recorded", valueName: "reason"))
  var why: String?

  @Option(
    help: ArgumentHelp(
      "the directory of an interrupted run to continue, with the same results as without the interruption; 'auto': "
        + "the run in --out, else the newest run with the same settings, else a new run", valueName: "run"),
    completion: .runs)
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "a shell command to execute when the run finishes, fails or is interrupted, with PIXELRL_OUTCOME, PIXELRL_RUN, "
        + "PIXELRL_RETURN, PIXELRL_STEP and PIXELRL_ERROR in its environment", valueName: "command"))
  var notify: String?
}

extension RunOptions {
  /// Returns the directory of the run that `--resume` finds, or creates a new one with the facts that are known at the
  /// start.
  ///
  /// - Parameter fill: writes further files of a new run.
  func directory(
    _ command: String, environment: String, member: String, seed: UInt64, inputs: [RunDirectory.Input] = [],
    autoencoder: JSON = .null, settings: [any SettingsGroup],
    fill: (RunDirectory) throws -> Void = { _ in }
  ) throws -> RunDirectory {
    let openGL = try openGL(of: environment, settings)
    if let run = try resumedRun(command, inputs: inputs, settings: settings) { return try run.held() }
    return try RunDirectory(
      at: output.out,
      RunDirectory.Facts(
        command: command, environment: environment, member: member, seed: seed, commandLine: CommandLine.arguments,
        version: PixelRL.version, why: why ?? "", inputs: inputs,
        autoencoder: autoencoder, openGL: openGL, muJoCo: Environments.muJoCoVersion),
      settings: settings, fill: fill
    ).held()
  }

  /// Prints and returns the OpenGL that renders the frames. Returns nil for the software renderer.
  private func openGL(of environment: String, _ settings: [any SettingsGroup]) throws -> String? {
    guard let episode = settings.lazy.compactMap({ $0 as? EpisodeSettings }).first,
      let name = try Environments.named(environment).openGLDriver(for: episode.style)
    else { return nil }
    printProgress("rendered by MuJoCo with \(name)")
    return name
  }
}
