import ArgumentParser

@main
struct PixelRL: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pixelrl", abstract: "Reinforcement learning from pixels.")
}
