import ArgumentParser
import Core
import Environments
import Formats
import Runs

/// What every command that writes results takes.
struct OutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "the folder to write, which must be new or empty (default: one under runs/ or datasets/)", valueName: "folder"),
    completion: .directory)
  var out: String?

  @Flag(help: "end with one JSON object on a line of its own")
  var json = false
}

/// Where settings come from that are not typed.
struct ConfigOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "settings in YAML, such as 'pixelrl config' prints them and a run's settings.yaml; flags win over it",
      valueName: "file"), completion: .file())
  var config: String?
}

/// What every command that leaves a run behind takes.
struct RunOptions: ParsableArguments {
  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("why this run: a note for its record", valueName: "reason"))
  var why: String?

  @Option(
    help: ArgumentHelp(
      "go on with a run that was interrupted, to the bit as if it had not been: its folder, or 'auto' for the run in --out, "
        + "else the newest with the same settings, else a new one", valueName: "run"), completion: .directory)
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "a shell command that is run when the run finishes, fails or is interrupted, with PIXELRL_OUTCOME, PIXELRL_RUN, "
        + "PIXELRL_RETURN, PIXELRL_STEP and PIXELRL_ERROR in its environment", valueName: "command"))
  var notify: String?
}

extension RunOptions {
  /// The folder of the run that `--resume` goes on with, else a new one with what is known at its start.
  ///
  /// - Parameter fill: writes what else a new run has from its start.
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
        version: PixelRL.configuration.version, why: why ?? "", inputs: inputs,
        autoencoder: autoencoder, openGL: openGL),
      settings: settings, fill: fill
    ).held()
  }

  /// The OpenGL that will draw the frames, which is told of; nil where the program itself does.
  private func openGL(of environment: String, _ settings: [any SettingsGroup]) throws -> String? {
    guard let episode = settings.lazy.compactMap({ $0 as? EpisodeSettings }).first,
      let name = try Environments.named(environment).drawer(of: episode.style)
    else { return nil }
    printProgress("drawn by MuJoCo with \(name)")
    return name
  }
}
