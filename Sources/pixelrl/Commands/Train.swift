import ArgumentParser

/// `pixelrl train`
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an agent on latents of a frozen autoencoder, or on the true state.")

  @OptionGroup var options: RunOptions
  @OptionGroup var settings: TrainingFlags

  func run() throws { try settings.plan(of: options.namedRun()).run(options) }
}
