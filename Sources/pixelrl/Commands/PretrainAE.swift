import ArgumentParser

/// `pixelrl pretrain-ae`
struct PretrainAE: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain-ae", abstract: "Train an autoencoder on an environment's frames and freeze it.")

  @OptionGroup var options: RunOptions
  @OptionGroup var settings: PretrainingFlags

  func run() throws { try settings.plan(of: options.namedRun()).run(options) }
}
