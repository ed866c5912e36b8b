import ArgumentParser
import Core

@main
struct PixelRL: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pixelrl", abstract: "Reinforcement learning from pixels.", version: "0.1.0",
    subcommands: [
      Envs.self,
      Render.self,
      Rollout.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let failure = Failure(error)
      if failure.code == 0 { exit(withError: error) }
      report(failure)
    }
  }
}
