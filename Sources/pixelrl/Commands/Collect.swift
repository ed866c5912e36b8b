import ArgumentParser

/// `pixelrl collect`
struct Collect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play an environment and write its frames, states and transitions as a dataset.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var settings: CollectionFlags

  func run() throws { try settings.plan().run(output) }
}
